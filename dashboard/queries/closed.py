"""What stands on closed cards: the ledger goes on explaining it, but nobody can claim it, so it is not outstanding.

Few cards are closed (their persons were erased), and an index finds those that are not active; rollups, which count the
ledger alone, stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import DateField, DateTimeField, F, Func, Q, QuerySet, Sum
from django.db.models.functions import Cast

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


NOTHING = Lapsed()


def by_program(until: date, *, store_id: UUID | None = None) -> dict[UUID, Lapsed]:
    """Return by program what stands on cards that were closed by the end of a day; of those made in a store, or all."""
    here = Func(F("merchant__time_zone"), F("customer__erased_at"), function="timezone", output_field=DateTimeField())
    rows = _closed().annotate(closed_on=Cast(here, DateField()))
    rows = rows.filter(Q(closed_on__isnull=True) | Q(closed_on__lte=until))
    if store_id is not None:
        rows = rows.filter(enrolled_store_id=store_id)
    sums = rows.values("program_id").annotate(**_sums())
    return {row["program_id"]: _lapsed(row) for row in sums}


def of(wanted: Q) -> Lapsed:
    """Return what stands on the closed ones of some cards, whenever they were closed."""
    return _lapsed(_closed().filter(wanted).aggregate(**_sums()))


def _closed() -> "QuerySet[Card]":
    return Card.objects.filter(status=CardStatus.CLOSED)


def _sums() -> dict[str, Sum]:
    return {f"sum_{name}": Sum(column) for name, column in COLUMNS.items()}


def _lapsed(row: Mapping[str, Any]) -> Lapsed:
    return Lapsed(**{name: int(row[f"sum_{name}"] or 0) for name in COLUMNS})
