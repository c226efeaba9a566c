"""A store's last four weeks for its home page: a line for each tile, and what is usual by this time of the day.

The usual is what the same weekday had, on average of the weeks that had any: as much of it as of its visits had come
by now. On a weekday that never had any (an open Sunday) it is that of all days. Read from the rollups, which lack at
most the last minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from dashboard.models.rollups import HOURS
from dashboard.queries import recount
from loyalty.rules import timing
from stores.models import Store

DAYS, WEEK = 28, 7
# By the names of dashboard.queries.days.Day.
SUMS = {
    "stamps": "d.stamps_given",
    "points": "d.points_earned - d.points_refunded",
    "rewards": "d.stamp_rewards_redeemed + d.points_rewards_redeemed",
    "joined": "d.new_cards",
    "visits": "d.visits",
}
SQL = recount.statements("home.sql")
ROWS = (
    SQL["lately"]
    .replace("{sums}", ", ".join(f"COALESCE(sum({what}), 0)::bigint AS {name}" for name, what in SUMS.items()))
    .replace("{hours}", ", ".join(f"COALESCE(sum(d.visits_by_hour[{hour}]), 0)" for hour in range(1, HOURS + 1)))
)


@dataclass(slots=True)
class Lately:
    """by_day: the figures of the days before today, the oldest first; usual: by now, empty when nothing tells."""

    by_day: dict[str, list[int]]
    usual: dict[str, int] = field(default_factory=dict)

    def sums(self, name: str) -> list[int]:
        """Return a figure of the four weeks before this day, the oldest week first."""
        values = self.by_day[name]
        return [sum(values[start : start + WEEK]) for start in range(0, DAYS, WEEK)]


def of(store: Store, today: date, *, at: datetime, is_open: bool = True) -> Lately:
    """Return the four weeks before today, and what is usual at `at`; is_open: something happened today. One query."""
    found = {row["day"]: row for row in _rows(store, today)}
    days = [today - timedelta(days=number) for number in range(DAYS, 0, -1)]
    by_day = {name: [_value(found.get(day), name) for day in days] for name in SUMS}
    alike = [found[day] for day in days if day in found and day.weekday() == today.weekday()]
    return Lately(by_day, _usual(alike or (list(found.values()) if is_open else []), store, at))


def _rows(store: Store, today: date) -> Sequence[dict[str, Any]]:
    values = {"merchant": store.merchant_id, "store": store.pk, "since": today - timedelta(days=DAYS), "today": today}
    return recount.ask(ROWS, values)


def _value(row: dict[str, Any] | None, name: str) -> int:
    return int(row[name]) if row else 0


def _usual(alike: Sequence[dict[str, Any]], store: Store, at: datetime) -> dict[str, int]:
    """Return the average of days, as far as their visits had come by this time."""
    hours = [sum(row["hours"][hour] for row in alike) for hour in range(HOURS)]
    if not sum(hours):
        return {}
    share = _come(hours, store, at) / sum(hours)
    return {name: round(sum(_value(row, name) for row in alike) * share / len(alike)) for name in SUMS}


def _come(hours: Sequence[int], store: Store, at: datetime) -> float:
    """Return how many visits had come by the time of `at`, counted from the hour in which the business day starts."""
    here = at.astimezone(timing.zone(store.time_zone))
    start = store.day_start.hour
    full = sum(hours[(start + number) % HOURS] for number in range((here.hour - start) % HOURS))
    return full + hours[here.hour] * here.minute / 60
