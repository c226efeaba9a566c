"""What is outstanding at the end of a day, and an estimate of what it will cost.

No reward has a price here, so the cost is an estimate and says so. A point is taken to be worth a tenth of what a
customer spends to earn it, as the tenth coffee is: points ÷ points per unit × 10 %. A full stamp card, and a reward
that waits to be collected, are taken to be worth one average sale; a part of a card the same part of it. Where no sale
has an amount (a programme of stamps alone), stamps and rewards have no estimate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from core import money
from dashboard.models import DayBalance, DayFigures
from dashboard.queries import closed
from loyalty.models import Program

RETURN = Fraction(10, 100)


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What customers hold at the end of a day, closed cards left out; *_cents: the estimate, None where there is none.

    rewards: ready and not collected; None for one store, since a reward is earned here and collected there (its
    estimate is then left out). sales_cents and cards: net sales and cards made up to then.
    """

    on: date
    stamps: int
    points: int
    points_debt: int
    rewards: int | None
    points_cents: int
    stamps_cents: int | None
    rewards_cents: int | None
    sales_cents: int
    cards: int

    @property
    def liability_cents(self) -> int | None:
        """The estimates together; None when nothing tells what a part of it is worth."""
        rewards = self.rewards_cents if self.rewards is not None else 0
        return _together((self.points_cents, self.stamps_cents, rewards))


def at(day: date, *, store_id: UUID | None = None) -> Outstanding:
    """Return what is outstanding at the end of a day; of the cards made in a store, or of all. Four queries."""
    balances = _balances(day, store_id)
    worth = {row["program_id"]: row for row in _worth(day, store_id)}
    for program_id, lapsed in closed.by_program(day, store_id=store_id).items():
        _take_off(lapsed, balances.get(program_id), None if store_id else worth.get(program_id))
    programs = {program.pk: program for program in Program.objects.filter(pk__in=[*balances, *worth])}
    rewards = None if store_id else sum(row["ready"] for row in worth.values())
    return Outstanding(
        on=day, stamps=_sum(balances, "held_stamps"), points=_sum(balances, "held_points"),
        points_debt=_sum(balances, "held_debt"), rewards=rewards,
        points_cents=sum(_points_cents(programs[key], row["held_points"]) for key, row in balances.items()),
        stamps_cents=_together(
            _cards_cents(Fraction(row["held_stamps"], programs[key].stamps_target), worth.get(key))
            for key, row in balances.items()
        ),
        rewards_cents=None if store_id else _together(_cards_cents(Fraction(r["ready"]), r) for r in worth.values()),
        sales_cents=sum(row["sold_cents"] for row in worth.values()), cards=_sum(balances, "made"),
    )  # fmt: skip


def cards_made(store_id: UUID | None) -> int:
    """Return how many cards were made, in a store or in all."""
    rows = DayBalance.objects.filter(store_id=store_id) if store_id else DayBalance.objects.all()
    return int(rows.aggregate(made=Coalesce(Sum("cards"), 0))["made"])


def _balances(day: date, store_id: UUID | None) -> dict[UUID, dict[str, Any]]:
    rows = DayBalance.objects.filter(day__lte=day)
    rows = rows.filter(store_id=store_id) if store_id else rows
    sums = rows.values("program_id").annotate(
        held_stamps=Sum("stamps"), held_points=Sum("points"), held_debt=Sum("debt"), made=Sum("cards")
    )
    return {row["program_id"]: _as_integers(row) for row in sums}


def _worth(day: date, store_id: UUID | None) -> list[dict[str, Any]]:
    rows = DayFigures.objects.filter(day__lte=day)
    rows = rows.filter(store_id=store_id) if store_id else rows
    sums = rows.values("program_id").annotate(
        sold=Sum("sales"), sold_cents=Sum("sales_cents"),
        ready=Sum(F("rewards_issued") - F("stamp_rewards_redeemed") - F("rewards_expired")),
    )  # fmt: skip
    return [_as_integers(row) for row in sums]


def _take_off(lapsed: closed.Lapsed, balance: dict[str, Any] | None, worth: dict[str, Any] | None) -> None:
    """Take what nobody can claim any more off the sums of a program."""
    if balance is not None:
        balance["held_stamps"] -= lapsed.stamps
        balance["held_points"] -= lapsed.points
        balance["held_debt"] -= lapsed.debt
    if worth is not None:
        worth["ready"] -= lapsed.rewards


def _as_integers(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its sums as integers: PostgreSQL adds big ones up as numeric."""
    return {name: value if name == "program_id" else int(value) for name, value in row.items()}


def _sum(rows: dict[UUID, dict[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows.values())


def _points_cents(program: Program, points: int) -> int:
    """Estimate points by what was spent for them, at today's rate."""
    if not program.points_per_euro_num:
        return 0
    unit = 10 ** money.exponent(program.currency)
    spent = Fraction(points * program.points_per_euro_den * unit, program.points_per_euro_num)
    return _rounded(spent * RETURN)


def _cards_cents(cards: Fraction, worth: dict[str, Any] | None) -> int | None:
    """Estimate full cards by the programme's average sale; None without one."""
    if not cards:
        return 0
    if worth is None or not worth["sold"]:
        return None
    return _rounded(cards * Fraction(worth["sold_cents"], worth["sold"]))


def _together(parts: Iterable[int | None]) -> int | None:
    """Return the sum, None when a part is missing."""
    found = list(parts)
    known = [part for part in found if part is not None]
    return sum(known) if len(known) == len(found) else None


def _rounded(value: Fraction) -> int:
    return int(value + Fraction(1, 2)) if value >= 0 else 0
