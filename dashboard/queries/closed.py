"""What stands on closed cards: the ledger goes on explaining it, but nobody can claim it, so it is not outstanding.

Few cards are closed (their persons were erased), and an index finds those that are not active; rollups, which count the
ledger alone, stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, Sum

from loyalty.enums import CardStatus
from loyalty.models import Card

COLUMNS = {"stamps": "stamp_count", "points": "points_balance", "debt": "points_debt", "rewards": "rewards_ready"}


@dataclass(frozen=True, slots=True)
class Lapsed:
    """What stood on cards when they were closed."""

    stamps: int = 0
    points: int = 0
    debt: int = 0
    rewards: int = 0


def of(wanted: Q) -> Lapsed:
    """Return what stands on the closed ones of some cards, whenever they were closed."""
    return _lapsed(_closed().filter(wanted).aggregate(**_sums()))


def _closed() -> "QuerySet[Card]":
    return Card.objects.filter(status=CardStatus.CLOSED)


def _sums() -> dict[str, Sum]:
    return {f"sum_{name}": Sum(column) for name, column in COLUMNS.items()}


def _lapsed(row: Mapping[str, Any]) -> Lapsed:
    return Lapsed(**{name: int(row[f"sum_{name}"] or 0) for name in COLUMNS})
