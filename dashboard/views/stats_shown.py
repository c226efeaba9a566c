"""A report in words, tiles, charts and tables: what the statistics page shows of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from html import escape
from itertools import groupby
from typing import Any

from babel.dates import format_skeleton, get_day_names
from babel.numbers import format_decimal
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import money
from core.templatetags import ui
from dashboard import charts
from dashboard.charts import Chart
from dashboard.queries.analytics import WEEK, Figures, Report
from dashboard.queries.audiences import STEPS
from dashboard.queries.cards import grouped
from loyalty.models import Program

# Longer periods are drawn by week, the longest by month: a phone has room for 14 bars, a desk for 31.
BY_WEEK, BY_MONTH = 31, 120
MONTHS_OF_A_PHONE = 2
SPARKS = 28


@dataclass(frozen=True, slots=True)
class Day:
    """The figures of a day, or of several together from `on`."""

    on: date
    visits: int
    stamps: int
    points: int
    rewards: int
    joined: int
    sales_cents: int


ADDED = tuple(field.name for field in fields(Day) if field.name != "on")


@dataclass(frozen=True, slots=True)
class Bar:
    """A line with a bar: its share of the longest one, in percent."""

    label: str
    count: int
    share: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step on the way to a regular: how many came so far, and their share of those who began, in percent."""

    label: str
    count: int
    share: int
    words: str
    is_reward: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of figures: what, how much, and a word beside it."""

    label: str
    value: str
    note: str = ""


class Shown:
    """What the page shows of a report; `program` is the store's, which decides what counts there."""

    def __init__(self, report: Report, program: Program | None) -> None:
        self.report = report
        everything = report.figures
        self.has_stamps = program is None or program.has_stamps or bool(everything.stamps_given)
        self.has_points = (program is not None and program.has_points) or bool(everything.points_issued)
        self.has_sales = self.has_points or bool(everything.sales)
        self.leads_with_points = self.has_points and not self.has_stamps
        self.days = [_day(on, figures) for on, figures in report.by_day]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all to show."""
        return not (self.report.members or self.report.figures.visits or self.report.before.visits)

    @property
    def has_life(self) -> bool:
        """Whether anybody came or joined in the period."""
        return bool(self.report.figures.visits or self.report.figures.new_cards)

    @property
    def tiles(self) -> list[dict[str, Any]]:
        """Return the tiles: the figure, how it changed, and its line."""
        report = self.report
        tiles = [self._tile(_("Visits"), "visits")]
        if self.has_stamps:
            tiles.append(self._tile(_("Stamps given"), "stamps_given"))
        if self.has_points:
            tiles.append(self._tile(_("Points given"), "points_issued"))
        tiles.append(self._tile(_("Rewards handed out"), "rewards_redeemed"))
        audience = report.audience
        again = _percent(audience.customers - audience.frequency[0], audience.customers)
        tiles.append({
            "label": _("Came more than once"), "value": again,
            "note": _("%(count)s customers") % {"count": grouped(audience.customers)},
        })  # fmt: skip
        return tiles

    def _tile(self, label: str, name: str) -> dict[str, Any]:
        now, before = getattr(self.report.figures, name), getattr(self.report.before, name)
        line, area = self._spark(lambda figures: getattr(figures, name))
        return {"label": label, "value": grouped(now), "line": line, "area": area, **_change(now, before)}

    def _spark(self, value: Callable[[Figures], int]) -> tuple[str, str]:
        values = [value(figures) for _, figures in self.report.by_day]
        return charts.spark(_thinned(values)) if any(values) else ("", "")

    @property
    def way(self) -> list[Step]:
        """Return the way of the cards that were made in the period, from the poster on; empty without any."""
        made, came = self.report.figures.new_cards, self.report.audience
        counts = (
            (_("Joined"), made), (_("First visit"), came.own), (_("Second visit"), came.own_again),
            (_("First reward"), self.report.first_rewards.own),
        )  # fmt: skip
        return [
            Step(label, count, min(100 * count // made, 100), _percent(count, made), is_reward=index == len(counts) - 1)
            for index, (label, count) in enumerate(counts)
        ] if made > 0 else []  # fmt: skip

    @property
    def way_sentence(self) -> str:
        """Return what the way says."""
        made, again = self.report.figures.new_cards, self.report.audience.own_again
        words = ngettext(
            "Of %(made)s new card %(again)s came a second time.", "Of %(made)s new cards %(again)s came a second time.",
            made,
        )  # fmt: skip
        return words % {"made": grouped(made), "again": grouped(again)}

    @property
    def lines(self) -> SafeString:
        """Return the rows of the table behind the chart, the newest first: a row is what a bar is."""
        currency, rows = self.report.currency, []
        for days in reversed(self._bars):
            one = _together(days)
            counts = [one.visits]
            counts += [one.stamps] * self.has_stamps + [one.points] * self.has_points + [one.rewards, one.joined]
            cells = [*map(ui.number, counts), *[ui.money(one.sales_cents, currency)] * self.has_sales]
            ends = "".join(f'<td class="end">{escape(cell)}</td>' for cell in cells)
            rows.append(f"<tr><td>{escape(self._when(days))}</td>{ends}</tr>")
        return SafeString("\n".join(rows))

    @property
    def lines_title(self) -> str:
        """Return what a row of the table is."""
        return {1: _("Day"), WEEK: _("Week"), 0: _("Month")}[self._step]

    def _when(self, days: Sequence[Day]) -> str:
        first, last = days[0].on, days[-1].on
        if self._step == 1:
            return ui.localdate(first)
        if self._step == 0:
            return str(format_skeleton("yMMMM", first, locale=money.babel_locale()))
        # On a phone it breaks behind the dash and nowhere else.
        start, end = (charts.short_day(day).replace(" ", "\N{NO-BREAK SPACE}") for day in (first, last))
        return f"{start}\N{NO-BREAK SPACE}– {end}"

    @property
    def chart_title(self) -> str:
        """Return what the chart of the period shows."""
        words = {
            (False, 1): _("Stamps per day"), (False, WEEK): _("Stamps per week"), (False, 0): _("Stamps per month"),
            (True, 1): _("Points per day"), (True, WEEK): _("Points per week"), (True, 0): _("Points per month"),
        }  # fmt: skip
        return words[self.leads_with_points, self._step]

    @property
    def _step(self) -> int:
        days = self.report.period.days
        return 1 if days <= BY_WEEK else WEEK if days <= BY_MONTH else 0

    @cached_property
    def _bars(self) -> list[list[Day]]:
        """The days behind each bar, the oldest first; the last week is a whole one, the first month seldom."""
        if self._step:
            ends = range(len(self.days), 0, -self._step)
            return [self.days[max(0, end - self._step) : end] for end in ends][::-1]
        return [list(days) for _month_of, days in groupby(self.days, key=lambda day: (day.on.year, day.on.month))]

    @property
    def charts(self) -> list[Chart]:
        """Return the chart of the period, once for desks and once for phones."""
        value: Callable[[Day], int] = (lambda day: day.points) if self.leads_with_points else (lambda day: day.stamps)
        bars = [(days[0].on, sum(map(value, days))) for days in self._bars]
        if self._step == 1:
            return charts.pair(bars, latest=WEEK)
        if self._step == WEEK:
            return charts.named([(charts.short_day(first), total) for first, total in bars], every=(2, 4))
        return charts.named([(_month(first), total) for first, total in bars], every=(1, MONTHS_OF_A_PHONE))

    @property
    def is_by_day(self) -> bool:
        """Whether the chart has a bar for each day, the last week's marked."""
        return self._step == 1

    @property
    def hours(self) -> list[tuple[str, int]]:
        """Return the visits by hour, from the first hour with any to the last."""
        found = self.report.hours
        busy = [hour for hour, count in enumerate(found) if count]
        return [(f"{hour}", found[hour]) for hour in range(busy[0], busy[-1] + 1)] if busy else []

    @property
    def hour_charts(self) -> list[Chart]:
        """Return the chart of the hours."""
        return charts.named(self.hours, every=(2, 2), wide=charts.HALF)

    @property
    def weekdays(self) -> list[Bar]:
        """Return the visits by weekday."""
        names = get_day_names("wide", locale=money.babel_locale())
        return _bars([(names[day].capitalize(), sum(hours)) for day, hours in enumerate(self.report.weekdays)])

    @property
    def busiest(self) -> str:
        """Return the sentence about the busiest hour of the week, empty without visits."""
        week = self.report.weekdays
        best = max((count, -day, -hour) for day, hours in enumerate(week) for hour, count in enumerate(hours))
        if not best[0]:
            return ""
        day, hour = -best[1], -best[2]
        name = get_day_names("wide", locale=money.babel_locale())[day]
        return _("Busiest: %(day)s, %(start)s to %(end)s") % {"day": name, "start": hour, "end": (hour + 1) % 24}

    @property
    def frequency(self) -> list[Bar]:
        """Return how many customers came how often."""
        return _bars([
            (_often(low, high), count) for (low, high), count in zip(STEPS, self.report.audience.frequency, strict=True)
        ])  # fmt: skip

    @property
    def customers(self) -> list[Fact]:
        """Return who came, and what they are worth."""
        report, audience = self.report, self.report.audience
        facts = [
            Fact(_("Cards in use"), grouped(report.members)),
            Fact(_("Customers who came"), grouped(audience.customers)),
            Fact(_("of these new"), grouped(audience.new)),
            Fact(_("of these returning"), grouped(audience.returning)),
            Fact(_("Visits per customer"), _decimal(audience.often(report.figures.visits))),
        ]
        if self.has_sales:
            facts.append(Fact(_("Average purchase"), self._money(report.figures.average_spend_cents)))
            facts.append(
                Fact(_("A card has brought so far"), self._money(report.lifetime_value_cents), _("on average"))
            )
        return facts

    @property
    def rewards(self) -> list[Fact]:
        """Return how rewards are used."""
        report, first = self.report, self.report.first_rewards
        facts = [
            Fact(_("Rewards earned"), grouped(report.figures.rewards_issued)),
            Fact(_("Rewards handed out"), grouped(report.figures.rewards_redeemed)),
        ]
        if self.has_points:
            facts.append(Fact(_("Points redeemed"), grouped(report.figures.points_redeemed)))
            facts.append(Fact(_("Points expired"), grouped(report.figures.points_expired)))
        if first.median_days is not None:
            words = ngettext("%(count)s day", "%(count)s days", int(first.median_days))
            value = words % {"count": _decimal(first.median_days)}
            facts.append(Fact(_("Until the first reward"), value, _("half of the cards")))
        return facts

    @property
    def outstanding(self) -> list[Fact]:
        """Return what customers hold at the end of the period, and the estimate of its cost."""
        out = self.report.outstanding
        facts = []
        if self.has_stamps:
            facts.append(Fact(_("Stamps on cards"), grouped(out.stamps), self._about(out.stamps_cents, out.stamps)))
        if self.has_points:
            facts.append(Fact(_("Points on cards"), grouped(out.points), self._about(out.points_cents, out.points)))
        if out.rewards is not None:
            facts.append(Fact(_("Rewards ready"), grouped(out.rewards), self._about(out.rewards_cents, out.rewards)))
        if out.liability_cents:
            facts.append(Fact(_("Together, estimated"), self._money(out.liability_cents)))
        return facts

    def _about(self, cents: int | None, count: int) -> str:
        return _("about %(amount)s") % {"amount": self._money(cents)} if cents and count else ""

    def _money(self, cents: int | None) -> str:
        return "–" if cents is None else money.show(cents, self.report.currency)


def _day(on: date, figures: Figures) -> Day:
    return Day(
        on, figures.visits, figures.stamps_given, figures.points_issued, figures.rewards_redeemed, figures.new_cards,
        figures.sales_cents,
    )  # fmt: skip


def _together(days: Sequence[Day]) -> Day:
    sums = (sum(getattr(day, name) for day in days) for name in ADDED)
    return days[0] if len(days) == 1 else Day(days[0].on, *sums)


def _change(now: int, before: int) -> dict[str, str]:
    """Return the change against the period before in words, with its direction."""
    if now == before:
        return {"note": _("same as before"), "direction": "same"} if now else {"note": "", "direction": ""}
    if not before:
        return {"note": _("nothing before"), "direction": ""}
    percent = (abs(now - before) * 200 + before) // (2 * before)
    sign = "+" if now > before else "−"
    words = _("%(change)s %% on before") % {"change": f"{sign}{grouped(percent)}"}
    return {"note": words, "direction": "up" if now > before else "down"}


def _bars(values: Sequence[tuple[str, int]]) -> list[Bar]:
    longest = max((count for _, count in values), default=0) or 1
    return [Bar(label, count, 100 * count // longest) for label, count in values]


def _often(low: int, high: int | None) -> str:
    if low == high == 1:
        return _("Once")
    if low == high == 2:
        return _("Twice")
    if high is None:
        return _("%(low)s times and more") % {"low": low}
    return _("%(low)s to %(high)s times") % {"low": low, "high": high}


def _thinned(values: Sequence[int]) -> list[int]:
    """Return at most SPARKS values, each the sum of as many neighbours."""
    size = -(-len(values) // SPARKS)
    return [sum(values[start : start + size]) for start in range(len(values) % size, len(values), size)]


def _percent(part: int, whole: int) -> str:
    return _("%(share)s %%") % {"share": (200 * part + whole) // (2 * whole)} if whole else "–"


def _decimal(value: float | None) -> str:
    return "–" if value is None else str(format_decimal(value, locale=money.babel_locale()))


def _month(day: date) -> str:
    return str(format_skeleton("MMM", day, locale=money.babel_locale()))
