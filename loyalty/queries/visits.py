"""When a card's customer was last there: from that day the silence counts after which points expire (rule 13)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q

from loyalty.enums import TransactionType
from loyalty.models import CardMerge, Transaction

REDEMPTIONS = (TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED)
VISITS = (
    TransactionType.CARD_ENROLLED, TransactionType.STAMP_EARNED, TransactionType.POINTS_EARNED, *REDEMPTIONS,
)  # fmt: skip


def last_day(card_id: UUID, *, without: Sequence[UUID]) -> date | None:
    """Return the day of the card's newest visit that stands, leaving some rows out.

    A visit is an earn that is not undone, a redemption or the card's making; those with a card that was merged into it
    count.
    """
    undone = Transaction.objects.filter(reverses_id=OuterRef("id"), type=TransactionType.VOID)
    rows = Transaction.objects.filter(card_id=card_id, type__in=VISITS).exclude(id__in=without)
    own = rows.filter(Q(type__in=REDEMPTIONS) | ~Exists(undone)).aggregate(day=Max("business_date"))["day"]
    merged = CardMerge.objects.filter(target_id=card_id, undone_at__isnull=True)
    theirs = merged.aggregate(day=Max("source__last_activity_on"))["day"]
    return max(filter(None, (own, theirs)), default=None)
