"""Passes come into being: one per card and wallet, with names that say nothing and never change (rule 26)."""

import secrets
from datetime import datetime
from uuid import UUID

from django.conf import settings

from wallets.models import ApplePass, GoogleClass, GooglePass
from wallets.services import sealing

NAME_BYTES = 18


def apple(card_id: UUID) -> ApplePass:
    """Return a card's Apple pass, made when there is none. Inside the merchant's scope."""
    if (known := ApplePass.objects.filter(card_id=card_id).first()) is not None:
        return known
    values = {"serial": secrets.token_urlsafe(NAME_BYTES), "token_sealed": sealing.seal(sealing.new_token())}
    return ApplePass.objects.get_or_create(card_id=card_id, defaults=values)[0]


def google(card_id: UUID) -> GooglePass:
    """Return a card's Google pass, made when there is none. Inside the merchant's scope."""
    return GooglePass.objects.get_or_create(card_id=card_id, defaults={"object_id": google_name("c")})[0]


def google_class(program_id: UUID, at: datetime) -> GoogleClass:
    """Return a program's class at Google, made (and queued) when there is none. Inside the merchant's scope."""
    values = {"class_id": google_name("p"), "due_at": at, "queued_at": at}
    return GoogleClass.objects.get_or_create(program_id=program_id, defaults=values)[0]


def google_name(kind: str) -> str:
    """Return a new name at Google, `<issuer>.<kind><24 characters>`, of letters, digits, - and _ only."""
    return f"{settings.LOYALTY_GOOGLE_ISSUER_ID}.{kind}{secrets.token_urlsafe(NAME_BYTES)}"
