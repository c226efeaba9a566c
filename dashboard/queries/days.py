"""What happened on one business day, and just now; what was voided does not count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, Sum, prefetch_related_objects
from django.db.models.functions import Coalesce

from dashboard.queries import live
from loyalty.enums import TransactionType
from loyalty.models import Transaction
from stores.models import Store

REDEEMED = (TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED)
# What loyalty.queries.history needs beside a row.
BESIDE = (
    "staff_pin", "user", "reward", "issued_reward", "reverses__reward", "reverses__issued_reward",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Day:
    """One business day's figures."""

    on: date
    stamps: int = 0
    points: int = 0
    rewards: int = 0
    joined: int = 0


def today(store_id: UUID, on: date) -> Day:
    """Return a store's figures of one business day."""
    found = live.on_day(store_id, on)
    rewards = found["stamp_rewards_redeemed"] + found["points_rewards_redeemed"]
    points = found["points_earned"] - found["points_refunded"]
    return Day(on, found["stamps_given"], points, rewards, found["new_cards"])


def own_today(user_id: UUID, store_id: UUID, on: date) -> Day:
    """Return what one person did at a store on one business day, by login or by PIN; one query."""
    mine = Q(user_id=user_id) | Q(staff_pin__user_id=user_id)
    voids = Transaction.objects.filter(type=TransactionType.VOID, reverses_id=OuterRef("pk"))
    rows = Transaction.objects.filter(mine, ~Exists(voids), business_date=on, store_id=store_id)
    return Day(on, **rows.aggregate(**_sums()))


def latest(store: Store, count: int) -> Sequence[Transaction]:
    """Return a store's newest rows that people care about, each with its card.

    Most rows have no reward and reverse nothing, so what stands beside them is asked for where it is there: to join a
    dozen tables for eight rows takes longer to plan than to read.
    """
    shown = (
        TransactionType.STAMP_EARNED, TransactionType.POINTS_EARNED, *REDEEMED, TransactionType.CARD_ENROLLED,
        TransactionType.VOID, TransactionType.REFUND,
    )  # fmt: skip
    rows = Transaction.objects.select_related("card__customer").filter(store_id=store.pk, type__in=shown, line=0)
    found = list(rows.order_by("-recorded_at")[:count])
    for row in found:
        row.store = store
    prefetch_related_objects(found, *BESIDE)
    return found


def _sums() -> dict[str, Any]:
    return {
        "stamps": Coalesce(Sum("stamps_delta", filter=Q(type=TransactionType.STAMP_EARNED)), 0),
        "points": Coalesce(Sum("points_delta", filter=Q(type=TransactionType.POINTS_EARNED)), 0),
        "rewards": Count("pk", filter=Q(type__in=REDEEMED)),
        "joined": Count("pk", filter=Q(type=TransactionType.CARD_ENROLLED)),
    }
