"""Locking out a lost phone: the card gets a new access secret, and every browser that keeps an old one is outside.

Without it a link opens the card on one more phone and the old one goes on. The QR code, the card number and wallet
passes are not secrets of this kind and go on working: a lost phone that must not be shown at a till either is a reason
to freeze the card.
"""

from datetime import datetime
from uuid import UUID

from core import tenancy
from loyalty.models import Card
from loyalty.queries import access, merges


def lock_out(*, merchant_id: UUID, card_id: UUID, at: datetime) -> None:
    """Give a card and all that were merged into it new secrets; the caller hands the card's own to whoever stays."""
    with tenancy.scope(merchant_id):
        ids = [card_id, *merges.absorbed(card_id)]
        for card in Card.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids).order_by("pk"):
            card.access_version += 1
            card.access_hash = access.hash_of(access.new_secret(card.pk, card.access_version))
            card.save(update_fields=["access_version", "access_hash"])
