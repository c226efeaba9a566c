"""The figures of a merchant and of one of its stores, counted from cards and ledger."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from loyalty.enums import CardStatus, TransactionType
from loyalty.models import Card, Transaction

NEW_DAYS = 30
REDEEMED = (TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED)
MEMBERS = Q(status__in=(CardStatus.ACTIVE, CardStatus.FROZEN))


# An aggregate, its column, and the rows that count.
Wanted = tuple[type[Any], str, Q]


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


def figures(store_id: UUID, at: datetime) -> dict[str, Figures]:
    """Return the figures as of `at`: {"store": …, "merchant": …}, in two queries; needs an open scope."""
    since = at - timedelta(days=NEW_DAYS)
    cards = _both(_card_sums(since), Q(enrolled_store_id=store_id), Card.objects.all())
    voids = Transaction.objects.filter(type=TransactionType.VOID, reverses_id=OuterRef("pk"))
    rows = Transaction.objects.annotate(voided=Exists(voids))
    moves = _both(_ledger_sums(), Q(store_id=store_id), rows)
    return {place: _figures(cards[place], moves[place]) for place in ("store", "merchant")}


def _card_sums(since: datetime) -> dict[str, Wanted]:
    return {
        "members": (Count, "pk", MEMBERS),
        "active_cards": (Count, "pk", Q(status=CardStatus.ACTIVE)),
        "new_members_30d": (Count, "pk", MEMBERS & Q(enrolled_at__gte=since)),
        "points_outstanding": (Sum, "points_balance", Q()),
    }


def _ledger_sums() -> dict[str, Wanted]:
    stands = Q(voided=False)
    return {
        "stamps_given": (Sum, "stamps_delta", Q(type=TransactionType.STAMP_EARNED) & stands),
        "rewards_redeemed": (Count, "pk", Q(type__in=REDEEMED) & stands),
        "points_spent": (Sum, "points_delta", Q(type=TransactionType.POINTS_REDEEMED) & stands),
        "points_expired": (Sum, "points_delta", Q(type=TransactionType.POINTS_EXPIRED)),
        "points_moved": (Sum, "points_delta", Q()),
    }


def _both(sums: dict[str, Wanted], in_store: Q, rows: Any) -> dict[str, dict[str, int]]:
    """Aggregate everything twice in one query: over all rows, and over those of the store."""
    asked = {}
    for place, where in (("merchant", Q()), ("store", in_store)):
        for name, (total, column, condition) in sums.items():
            asked[f"{place}_{name}"] = Coalesce(total(column, filter=(condition & where) or None), 0)
    found = rows.aggregate(**asked)
    return {place: {name: found[f"{place}_{name}"] for name in sums} for place in ("merchant", "store")}


def _figures(cards: dict[str, int], moves: dict[str, int]) -> Figures:
    redeemed = -moves["points_spent"]
    return Figures(
        **cards,
        stamps_given=moves["stamps_given"],
        rewards_redeemed=moves["rewards_redeemed"],
        points_redeemed=redeemed,
        points_issued=moves["points_moved"] + redeemed - moves["points_expired"],
    )
