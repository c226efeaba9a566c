"""A merchant's home: today in one sentence, what happened just now, and the step that helps most."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard import charts
from dashboard.queries import cards, days, lately, setup, timeline, worth
from dashboard.queries.days import Day
from dashboard.queries.lately import Lately
from dashboard.queries.worth import Sign
from dashboard.views import worth_shown
from dashboard.views.base import StoreView
from dashboard.views.worth_shown import Hint
from loyalty.models import Program, Transaction
from loyalty.queries import programs as program_queries
from loyalty.queries import reviews as review_queries
from loyalty.rules import timing
from merchants.permissions import READ

JUST_NOW = 8


@dataclass(frozen=True, slots=True)
class Step:
    """Something that would help next."""

    title: str
    text: str
    url: str
    icon: str


class Home(StoreView):
    """Today at one store."""

    template_name = "dashboard/home.html"
    section = "home"
    scope_needed = READ

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the day; a login of role staff sees its own figures only."""
        today = timing.business_date(timezone.now(), self.store.time_zone, self.store.day_start)
        program = program_queries.for_store(self.store.pk)
        if not self.desk.may_manage:
            mine = days.own_today(self.desk.user_id, self.store.pk, today)
            return self.page(today=mine, kpis=figures(mine, program), is_own=True)
        day, at = days.today(self.store.pk, today), timezone.now()
        before = lately.of(self.store, today, at=at, is_open=bool(day.stamps or day.points))
        rows = days.latest(self.store, JUST_NOW)
        lines = timeline.described(rows, today=today)
        return self.page(
            today=day,
            kpis=figures(day, program, before),
            worth=self.worth(worth.found(self.store, self.desk.stores, before, today=today, at=at)),
            activity=[self.activity(row, line) for row, line in zip(rows, lines, strict=True)],
            steps=self.steps(program),
            waiting=review_queries.count_open(self.store.pk),
        )

    def worth(self, signs: list[Sign]) -> list[Hint]:
        """Return what is worth a look in words, by the clock of the store."""
        with timezone.override(self.desk.time_zone):
            return [worth_shown.shown(sign, self.code) for sign in signs]

    def activity(self, row: Transaction, line: timeline.Line) -> dict[str, Any]:
        """Return a line of "Just now": whose card, what, where, when."""
        return {
            "url": reverse("dashboard:card", args=[self.code, row.card_id]),
            "who": cards.title(row.card),
            "what": line.title,
            "where": line.who,
            "at": line.at,
            "icon": line.icon,
            "tone": line.tone,
        }

    def steps(self, program: Program | None) -> list[Step]:
        """Return at most three steps that are not done yet, the most helpful first."""
        done = setup.state(self.store.pk)
        wanted = [
            (
                program is not None,
                _("Describe your program"),
                _("What customers collect, and what for."),
                "settings",
                "sliders",
            ),
            (done.has_staff, _("Add who works at the till"), _("Each person gets a PIN."), "staff_new", "people"),
            (done.has_terminal, _("Pair a device"), _("A phone or tablet at the till."), "terminal_new", "device"),
            (done.has_cards, _("Print the poster"), _("Customers scan it and have their card."), "posters", "poster"),
        ]
        return [
            Step(title, text, reverse(f"dashboard:{name}", args=[self.code]), icon)
            for is_done, title, text, name, icon in wanted
            if not is_done
        ][:3]


def figures(day: Day, program: Program | None, before: Lately | None = None) -> list[dict[str, Any]]:
    """Return the tiles of a day, for what the program counts, against what is usual by now."""
    tiles = []
    if program is None or program.has_stamps:
        tiles.append(_tile(_("Stamps today"), "stamps", day, before))
    if program is not None and program.has_points:
        tiles.append(_tile(_("Points today"), "points", day, before))
    tiles.append(_tile(_("Rewards handed out"), "rewards", day, before))
    tiles.append(_tile(_("New cards"), "joined", day, before))
    return tiles


def _tile(label: str, name: str, day: Day, before: Lately | None) -> dict[str, Any]:
    value = getattr(day, name)
    tile: dict[str, Any] = {"label": label, "value": cards.grouped(value)}
    if before is None:
        return tile
    values = [*before.by_day[name], value]
    line, area = charts.spark(values) if any(values) else ("", "")
    usual = before.usual.get(name)
    if usual is None or usual == value == 0:
        return {**tile, "line": line, "area": area}
    note = _("usually %(count)s by now") % {"count": cards.grouped(usual)}
    direction = "up" if value > usual else "down" if value < usual else "same"
    return {**tile, "line": line, "area": area, "note": note, "direction": direction}
