"""The pictures that Google fetches: at public, permanent addresses named by what they show; nothing of a person."""

import hashlib
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from wallets.providers.pictures import files, logos, strips
from wallets.rules.description import Branding, CardDescription, ProgramDescription

FOLDER = "wallets"
HERO = strips.Wide(width=344, height=112, scale=3, aside=9, above=7, radius=12)
# What a drawing depends on besides its inputs: raise it when the same inputs are drawn in another way.
DRAWING = 1


def hero_url(card: CardDescription) -> str:
    """Return the complete address of the card's banner, 1032x336; written to the storage when it is not there yet."""
    look = strips.look(card.program.branding, card.stamps, card.stamps_target)
    return _address(_hero(look))


def logo_url(program: ProgramDescription) -> str:
    """Return the complete address of the program's square logo, 660 px; written to the storage when it is not there."""
    return _address(_logo(program.branding))


@lru_cache(maxsize=4096)
def _hero(look: strips.Look) -> str:
    return _kept(("hero", look), lambda: strips.encoded(strips.draw(look, HERO)))


@lru_cache(maxsize=1024)
def _logo(branding: Branding) -> str:
    return _kept(("logo", branding), lambda: files.png(logos.google_logo(branding)))


def _kept(inputs: tuple[object, ...], draw: Callable[[], bytes]) -> str:
    """Return the name of a picture, which follows from its inputs; drawn and written once, by whoever comes first."""
    digest = hashlib.sha256(repr((DRAWING, *inputs)).encode()).hexdigest()
    name = f"{FOLDER}/{digest[:32]}.png"
    if not default_storage.exists(name):
        written = default_storage.save(name, ContentFile(draw()))
        if written != name:
            # Somebody else wrote the same picture meanwhile.
            default_storage.delete(written)
    return name


def _address(name: str) -> str:
    """Return the address of our own view: no signature, no query string, whatever the storage."""
    return f"{settings.SITE_URL}{reverse('picture', args=[name])}"
