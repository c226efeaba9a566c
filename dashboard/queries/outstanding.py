"""What is outstanding at the end of a day, and an estimate of what it will cost.

No reward has a price here, so the cost is an estimate and says so. A point is taken to be worth a tenth of what a
customer spends to earn it, as the tenth coffee is: points ÷ points per unit × 10 %. A full stamp card, and a reward
that waits to be collected, are taken to be worth one average sale; a part of a card the same part of it. Where no sale
has an amount (a programme of stamps alone), stamps and rewards have no estimate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any
from uuid import UUID

from core import money
from core.db import Deferred, Pipeline
from dashboard.queries import recount

RETURN = Fraction(10, 100)
SQL = recount.statements("report.sql")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What customers hold at the end of a day, closed cards left out; *_cents: the estimate, None where there is none.

    rewards: ready and not collected; None for one store, since a reward is earned here and collected there (its
    estimate is then left out). sales_cents and cards: net sales and cards made up to then; cards_ever: up to now.
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
    cards_ever: int

    @property
    def liability_cents(self) -> int | None:
        """The estimates together; None when nothing tells what a part of it is worth."""
        rewards = self.rewards_cents if self.rewards is not None else 0
        return _together((self.points_cents, self.stamps_cents, rewards))


@dataclass(frozen=True, slots=True)
class Asked:
    """The statements of what is outstanding, on their way with others (see `ask`)."""

    day: date
    here: bool
    balances: Deferred
    worth: Deferred
    lapsed: Deferred
    programs: Deferred


def ask(line: Pipeline, day: date, values: Mapping[str, Any]) -> Asked:
    """Queue what `told` reads; values: merchant, store (None: all of them) and last, the day."""
    names = ("balances", "worth", "lapsed", "programs")
    return Asked(day, values["store"] is not None, *(line.run(SQL[name], dict(values)) for name in names))


def told(asked: Asked) -> Outstanding:
    """Return what is outstanding at the end of the day; of the cards made in a store, or of all."""
    balances, worth = ({row["program_id"]: row for row in found.all()} for found in (asked.balances, asked.worth))
    for row in asked.lapsed.all():
        _take_off(row, balances.get(row["program_id"]), None if asked.here else worth.get(row["program_id"]))
    programs = {row["id"]: row for row in asked.programs.all()}
    return Outstanding(
        on=asked.day, stamps=_sum(balances, "held_stamps"), points=_sum(balances, "held_points"),
        points_debt=_sum(balances, "held_debt"), rewards=None if asked.here else _sum(worth, "ready"),
        points_cents=sum(_points_cents(programs[key], row["held_points"]) for key, row in balances.items()),
        stamps_cents=_together(
            _cards_cents(Fraction(row["held_stamps"], programs[key]["stamps_target"]), worth.get(key))
            for key, row in balances.items()
        ),
        rewards_cents=None if asked.here else _together(_cards_cents(Fraction(r["ready"]), r) for r in worth.values()),
        sales_cents=_sum(worth, "sold_cents"), cards=_sum(balances, "made"),
        cards_ever=_sum(balances, "made_ever"),
    )  # fmt: skip


def _take_off(lapsed: Row, balance: Row | None, worth: Row | None) -> None:
    """Take what nobody can claim any more off the sums of a program."""
    if balance is not None:
        balance["held_stamps"] -= lapsed["stamps"]
        balance["held_points"] -= lapsed["points"]
        balance["held_debt"] -= lapsed["debt"]
    if worth is not None:
        worth["ready"] -= lapsed["rewards"]


def _sum(rows: dict[UUID, Row], name: str) -> int:
    return sum(row[name] for row in rows.values())


def _points_cents(program: Row, points: int) -> int:
    """Estimate points by what was spent for them, at today's rate."""
    if not program["points_per_euro_num"]:
        return 0
    unit = 10 ** money.exponent(program["currency"])
    spent = Fraction(points * program["points_per_euro_den"] * unit, program["points_per_euro_num"])
    return _rounded(spent * RETURN)


def _cards_cents(cards: Fraction, worth: Row | None) -> int | None:
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
