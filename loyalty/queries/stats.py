"""The figures of a merchant and of one of its stores, counted from cards and ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from loyalty.enums import CardStatus, TransactionType
from loyalty.models import Card, Transaction

NEW_DAYS = 30
MEMBERS = Q(status__in=(CardStatus.ACTIVE, CardStatus.FROZEN))
STAMPED = TransactionType.STAMP_EARNED
BOUGHT = TransactionType.POINTS_REDEEMED
EXPIRED = TransactionType.POINTS_EXPIRED
REDEEMED = (TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was given and what is there. Voided stamps and redemptions count for nothing.

    points_issued: net of voids and refunds, so issued - redeemed - expired = outstanding over the merchant. A store's
    members and outstanding points are those of the cards made there; the rest is what happened there.
    """

    members: int
    active_cards: int
    new_members_30d: int
    stamps_given: int
    rewards_redeemed: int
    points_issued: int
    points_redeemed: int
    points_outstanding: int


@dataclass(frozen=True, slots=True)
class _Total:
    """The sums of all ledger rows of one type in one store (None: the system's own)."""

    type: str
    store_id: UUID | None
    rows: int
    stamps: int
    points: int


def figures(store_id: UUID, at: datetime) -> dict[str, Figures]:
    """Return the figures as of `at`: {"store": …, "merchant": …}, in three queries; needs an open scope."""
    cards = list(_cards(at - timedelta(days=NEW_DAYS)))
    rows = _totals(Transaction.objects.all(), "")
    voided = _totals(Transaction.objects.filter(type=TransactionType.VOID), "reverses__")
    here = [row for row in cards if row["enrolled_store_id"] == store_id]
    return {
        "store": _figures(
            here, [row for row in rows if row.store_id == store_id], [row for row in voided if row.store_id == store_id]
        ),
        "merchant": _figures(cards, rows, voided),
    }


def _cards(since: datetime) -> Iterable[dict[str, Any]]:
    return Card.objects.values("enrolled_store_id").annotate(
        members=Count("pk", filter=MEMBERS),
        active_cards=Count("pk", filter=Q(status=CardStatus.ACTIVE)),
        new_members_30d=Count("pk", filter=MEMBERS & Q(enrolled_at__gte=since)),
        points_outstanding=Sum("points_balance"),
    )


def _totals(rows: "QuerySet[Transaction]", of: str) -> list[_Total]:
    """Return the sums by type and store: of the rows themselves, or of the rows they reverse."""
    found = rows.values_list(f"{of}type", f"{of}store_id").annotate(
        Count("pk"), Sum(f"{of}stamps_delta"), Sum(f"{of}points_delta")
    )
    return [_Total(*row) for row in found]


def _figures(cards: list[dict[str, Any]], rows: list[_Total], voided: list[_Total]) -> Figures:
    standing = _sums(rows, 1) + _sums(voided, -1)
    redeemed = -sum(row.points for row in standing if row.type == BOUGHT)
    expired = -sum(row.points for row in rows if row.type == EXPIRED)
    counted = ("members", "active_cards", "new_members_30d", "points_outstanding")
    return Figures(
        **{name: sum(row[name] for row in cards) for name in counted},
        stamps_given=sum(row.stamps for row in standing if row.type == STAMPED),
        rewards_redeemed=sum(row.rows for row in standing if row.type in REDEEMED),
        points_redeemed=redeemed,
        points_issued=sum(row.points for row in rows) + redeemed + expired,
    )


def _sums(rows: list[_Total], sign: int) -> list[_Total]:
    return [_Total(row.type, row.store_id, sign * row.rows, sign * row.stamps, sign * row.points) for row in rows]
