"""A store's last four weeks for its home page: a line for each tile, and what is usual by this time of the day.

The usual is what the same weekday had, on average of the weeks that had any: as much of it as of its visits had come
by now. On a weekday that never had any (an open Sunday) it is that of all days. Read from the rollups, which lack at
most the last minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from dashboard.models import DayFigures
from dashboard.models.rollups import HOURS
from loyalty.rules import timing
from stores.models import Store

DAYS, WEEK = 28, 7
# By the names of dashboard.queries.days.Day.
SUMS: dict[str, Any] = {
    "stamps": F("stamps_given"),
    "points": F("points_earned") - F("points_refunded"),
    "rewards": F("stamp_rewards_redeemed") + F("points_rewards_redeemed"),
    "joined": F("new_cards"),
    "visits": F("visits"),
}


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
    hours = {f"at_{hour}": Coalesce(Sum(f"visits_by_hour__{hour}"), 0) for hour in range(HOURS)}
    sums = {f"sum_{name}": Coalesce(Sum(expression), 0) for name, expression in SUMS.items()}
    rows = DayFigures.objects.filter(store_id=store.pk, day__range=(today - timedelta(days=DAYS), today))
    return list(rows.exclude(day=today).values("day").annotate(**hours, **sums))


def _value(row: dict[str, Any] | None, name: str) -> int:
    return int(row[f"sum_{name}"]) if row else 0


def _usual(alike: Sequence[dict[str, Any]], store: Store, at: datetime) -> dict[str, int]:
    """Return the average of days, as far as their visits had come by this time."""
    hours = [sum(int(row[f"at_{hour}"]) for row in alike) for hour in range(HOURS)]
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
