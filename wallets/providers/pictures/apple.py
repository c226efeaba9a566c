"""The pictures inside an Apple pass: icon, logo and strip, each in three densities."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from PIL import Image

from wallets.providers.pictures import files, logos, strips
from wallets.rules.description import Branding, CardDescription

STRIP = strips.Wide(width=375, height=144, scale=3, aside=12, above=8)
# What a drawing depends on besides its inputs: raise it when the same inputs are drawn in another way.
DRAWING = 1
ENDS = ("", "@2x", "@3x")


@dataclass(frozen=True, slots=True)
class Images:
    """Files of a pass by their names, and the key under which exactly these bytes may be cached."""

    key: str
    files: Mapping[str, bytes] = field(repr=False)


def for_apple(card: CardDescription) -> Images:
    """Return icon, logo and strip of a card, in three densities; the same object while what they show is the same."""
    branding = card.program.branding
    look = strips.look(branding, card.stamps, card.stamps_target)
    return _images(branding, look)


@lru_cache(maxsize=512)
def _images(branding: Branding, look: strips.Look) -> Images:
    found = {**_signs(branding), **_strip(look)}
    key = hashlib.sha256(repr((DRAWING, branding, look)).encode()).hexdigest()
    return Images(key, MappingProxyType(found))


@lru_cache(maxsize=256)
def _signs(branding: Branding) -> Mapping[str, bytes]:
    icon, logo = logos.apple_icon(branding), logos.apple_logo(branding)
    return {**_densities("icon", icon, files.png), **_densities("logo", logo, files.png)}


@lru_cache(maxsize=512)
def _strip(look: strips.Look) -> Mapping[str, bytes]:
    return _densities("strip", strips.draw(look, STRIP), strips.encoded)


def _densities(name: str, largest: Image.Image, write: files.Write) -> dict[str, bytes]:
    """Return a picture as it is for the densest screens, and smaller for the others."""
    middle = largest.resize((largest.width * 2 // 3, largest.height * 2 // 3), files.LANCZOS)
    sizes = (largest.reduce(3), middle, largest)
    return {f"{name}{end}.png": write(picture) for end, picture in zip(ENDS, sizes, strict=True)}
