"""The access secret: what opens a card for its customer. Derived from the data key, so that a replay can carry it.

secret = base64url(HMAC-SHA256(key, "card-access" + card id + access version)); the card keeps SHA-256 of it. A rotated
data key makes no secret useless: the card's hash tells under which key it was made.
"""

import base64
import hashlib
import hmac
import secrets
from uuid import UUID

from django.conf import settings

from core import tenancy
from loyalty.enums import CardStatus
from loyalty.models import Card

CODE_BYTES = 16
NUMBER_DIGITS = 12


def new_secret(card_id: UUID, access_version: int) -> str:
    """Return the secret of a new card, under the newest key."""
    return _derive(settings.LOYALTY_DATA_KEYS[0], card_id, access_version)


def secret_of(card: Card) -> str:
    """Return the secret of an existing card, under the key by which it was made."""
    for key in settings.LOYALTY_DATA_KEYS:
        secret = _derive(key, card.id, card.access_version)
        if hmac.compare_digest(hash_of(secret), card.access_hash):
            return secret
    raise LookupError("the data key under which this card was made is gone from LOYALTY_DATA_KEYS")


def hash_of(secret: str) -> str:
    """Return what a card keeps of its secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def card_of(secret: str) -> tuple[UUID, UUID] | None:
    """Return (merchant id, card id) of a secret, None when it opens nothing; needs no scope."""
    rows = tenancy.lookup("card_by_secret", hash_of(secret))
    return rows[0] if rows else None


def is_alive(card_id: UUID) -> bool:
    """Tell whether a card is there and its customer not erased; needs an open scope."""
    return bool(Card.objects.filter(pk=card_id, customer__erased_at__isnull=True).exists())


def is_in_program(card_id: UUID, program_id: UUID) -> bool:
    """Tell whether a card belongs to a program; needs an open scope."""
    return bool(Card.objects.filter(pk=card_id, program_id=program_id).exists())


def opens(card: Card, program_id: UUID) -> bool:
    """Tell whether a card is one to go on with in a program: of it, not closed or merged, its customer not erased."""
    alive = card.status in (CardStatus.ACTIVE, CardStatus.FROZEN) and card.customer.erased_at is None
    return alive and card.program_id == program_id


def new_code() -> str:
    """Return a random code for the QR: it identifies the card to staff and opens nothing."""
    return secrets.token_urlsafe(CODE_BYTES)


def new_number() -> str:
    """Return a random card number: 11 digits without a leading zero, and Luhn's check digit."""
    lowest = 10 ** (NUMBER_DIGITS - 2)
    digits = str(lowest + secrets.randbelow(9 * lowest))
    return digits + check_digit(digits)


def check_digit(digits: str) -> str:
    """Return Luhn's check digit for the digits before it."""
    doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def _derive(key: str, card_id: UUID, access_version: int) -> str:
    message = b"card-access" + card_id.bytes + access_version.to_bytes(4)
    digest = hmac.new(key.encode(), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
