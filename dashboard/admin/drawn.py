"""Days as the platform's charts: by day, by week or by month, so that a desk has 31 bars at most and a phone 14."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_skeleton
from django.utils.translation import gettext as _

from core import money
from dashboard import charts
from dashboard.charts import WIDE, Chart, Size

WEEK = 7
BY_DAY, BY_WEEK = 31, 120
MONTHS, MONTHS_OF_A_PHONE = 12, 2
# A chart beside which something else stands: a desk's column is about so wide, and its text no smaller for it.
BESIDE = Size(560, 220, 31)


Days = Sequence[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart with its name; parts: the numbers behind it, as (when, how many)."""

    key: str
    title: str
    charts: list[Chart]
    parts: list[tuple[str, int]]
    total: int


def stamps(days: Days, *, wide: Size = WIDE) -> Drawn:
    """Return the chart of stamps."""
    return _chart("stamps", (_("Stamps per day"), _("Stamps per week"), _("Stamps per month")), days, wide)


def cards(days: Days, *, wide: Size = WIDE) -> Drawn:
    """Return the chart of new cards."""
    return _chart("cards", (_("New cards per day"), _("New cards per week"), _("New cards per month")), days, wide)


def merchants(days: Days, *, wide: Size = WIDE) -> Drawn:
    """Return the chart of new merchants."""
    titles = _("New merchants per day"), _("New merchants per week"), _("New merchants per month")
    return _chart("merchants", titles, days, wide)


def _chart(key: str, titles: tuple[str, str, str], days: Days, wide: Size) -> Drawn:
    """Return the chart of a period; titles: what it shows by day, by week and by month."""
    total = sum(value for _day, value in days)
    if len(days) <= BY_DAY:
        parts = [(charts.short_day(day), value) for day, value in days]
        both = [charts.bars(days, WEEK, wide, "only-wide"), charts.bars(days, WEEK, charts.NARROW, "only-narrow")]
        return Drawn(key, titles[0], both, parts, total)
    if len(days) <= BY_WEEK:
        weeks = [days[max(0, end - WEEK) : end] for end in range(len(days), 0, -WEEK)][::-1]
        parts = [(charts.short_day(week[0][0]), sum(value for _day, value in week)) for week in weeks]
        return Drawn(key, titles[1], charts.named(parts, every=(2, 4), wide=wide), parts, total)
    months: dict[tuple[int, int], int] = {}
    for day, value in days:
        months[day.year, day.month] = months.get((day.year, day.month), 0) + value
    parts = [(_month(date(year, month, 1)), value) for (year, month), value in months.items()]
    # The thirteenth month is the first one again, and there is no room for its name.
    named = [(name if number < MONTHS else "", value) for number, (name, value) in enumerate(parts)]
    return Drawn(key, titles[2], charts.named(named, every=(1, MONTHS_OF_A_PHONE), wide=wide), parts, total)


def _month(day: date) -> str:
    return str(format_skeleton("MMM", day, locale=money.babel_locale()))
