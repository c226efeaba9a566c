"""From the desktop to the phone: a link that is shown as a QR code, good for two minutes and for one opening.

It is kept as a hash and in the cache alone. It is not the card's secret: who photographs it later has nothing, and who
is quicker than its owner is noticed, since the owner's own phone is then told that the link was used.
"""

import hashlib
import secrets
from uuid import UUID

from django.core.cache import cache

from core import throttling
from core.errors import Throttled
from customers.services.links import LinkExpired
from loyalty.models import Card
from loyalty.queries import access

SECONDS = 120
TOKEN_BYTES = 16
HOUR, MOST_PER_HOUR = 3600, 30


def make(*, merchant_id: UUID, card: Card) -> str:
    """Return a new token for the card; raises Throttled beyond 30 an hour."""
    if not throttling.allow(f"handover:{card.pk}", limit=MOST_PER_HOUR, period=HOUR):
        raise Throttled(retry_after=throttling.seconds_left(HOUR))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    cache.set(_key(merchant_id, token), f"{card.pk}/{card.access_version}", SECONDS)
    return token


def is_good(*, merchant_id: UUID, token: str) -> bool:
    """Tell whether a token opens a card, without using it."""
    return cache.get(_key(merchant_id, token)) is not None


def take(*, merchant_id: UUID, token: str, program_id: UUID) -> Card:
    """Use a token up and return its card; one of two who come at once gets it. Raises LinkExpired. Needs a scope."""
    key = _key(merchant_id, token)
    kept = cache.get(key)
    if kept is None or not cache.delete(key):
        raise LinkExpired
    card_id, _, version = str(kept).partition("/")
    card = Card.objects.select_related("customer", "program").filter(pk=card_id).first()
    # Other phones were shut out meanwhile: this link was one of them.
    if card is None or not access.opens(card, program_id) or str(card.access_version) != version:
        raise LinkExpired
    return card


def _key(merchant_id: UUID, token: str) -> str:
    digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
    return f"loyalty:handover:{merchant_id}:{digest}"
