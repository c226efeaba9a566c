"""What happened on a day, and on each of the last days: counted from the ledger; what was voided does not count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from loyalty.enums import TransactionType
from loyalty.models import Transaction
from loyalty.queries import history

REDEEMED = (TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED)
# A business day begins at most this long before or after the calendar day of UTC.
SLACK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Day:
    """One business day's figures."""

    on: date
    stamps: int = 0
    points: int = 0
    rewards: int = 0
    joined: int = 0


def today(store_id: UUID, on: date) -> Day:
    """Return a store's figures of one business day; one query."""
    found = _counted(_rows(on, on).filter(store_id=store_id))
    return Day(on, **found.aggregate(**_sums()))


def own_today(user_id: UUID, store_id: UUID, on: date) -> Day:
    """Return what one person did at a store on one business day, by login or by PIN; one query."""
    mine = Q(user_id=user_id) | Q(staff_pin__user_id=user_id)
    found = _counted(_rows(on, on).filter(mine, store_id=store_id))
    return Day(on, **found.aggregate(**_sums()))


def each(first: date, last: date, store_id: UUID | None = None) -> list[Day]:
    """Return each business day from first to last, quiet ones too; of one store, or of all. One query."""
    rows = _counted(_rows(first, last))
    rows = rows.filter(store_id=store_id) if store_id else rows
    found = {row["business_date"]: row for row in rows.values("business_date").annotate(**_sums())}
    wanted = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [_day(on, found.get(on)) for on in wanted]


def latest(store_id: UUID, count: int) -> Sequence[Transaction]:
    """Return a store's newest rows that people care about, each with its card; one query."""
    shown = (
        TransactionType.STAMP_EARNED, TransactionType.POINTS_EARNED, *REDEEMED, TransactionType.CARD_ENROLLED,
        TransactionType.VOID, TransactionType.REFUND,
    )  # fmt: skip
    rows = (
        history.rows()
        .select_related("user", "card__customer", "card__program")
        .filter(store_id=store_id, type__in=shown, line=0)
    )
    return list(rows.order_by("-recorded_at")[:count])


def _day(on: date, row: Mapping[str, Any] | None) -> Day:
    if row is None:
        return Day(on)
    return Day(on, row["stamps"], row["points"], row["rewards"], row["joined"])


def _rows(first: date, last: date) -> "QuerySet[Transaction]":
    """Return the rows of business days; the bound on recorded_at lets the index find them."""
    begin = datetime.combine(first, datetime.min.time(), tzinfo=UTC) - SLACK
    return Transaction.objects.filter(recorded_at__gte=begin, business_date__range=(first, last))


def _counted(rows: "QuerySet[Transaction]") -> "QuerySet[Transaction]":
    voids = Transaction.objects.filter(type=TransactionType.VOID, reverses_id=OuterRef("pk"))
    return rows.filter(~Exists(voids))


def _sums() -> dict[str, Any]:
    return {
        "stamps": Coalesce(Sum("stamps_delta", filter=Q(type=TransactionType.STAMP_EARNED)), 0),
        "points": Coalesce(Sum("points_delta", filter=Q(type=TransactionType.POINTS_EARNED)), 0),
        "rewards": Count("pk", filter=Q(type__in=REDEEMED)),
        "joined": Count("pk", filter=Q(type=TransactionType.CARD_ENROLLED)),
    }
