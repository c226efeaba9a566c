"""A merchant's home: today in one sentence, what happened just now, and the step that helps most."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard.queries import cards, days, setup, timeline
from dashboard.queries.days import Day
from dashboard.views.base import StoreView
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
        day = days.today(self.store.pk, today)
        rows = days.latest(self.store.pk, JUST_NOW)
        lines = timeline.described(rows, today=today)
        return self.page(
            today=day,
            kpis=figures(day, program),
            activity=[self.activity(row, line) for row, line in zip(rows, lines, strict=True)],
            steps=self.steps(program),
            waiting=review_queries.count_open(self.store.pk),
        )

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


def figures(day: Day, program: Program | None) -> list[dict[str, Any]]:
    """Return the tiles of a day, for what the program counts."""
    tiles = []
    if program is None or program.has_stamps:
        tiles.append({"label": _("Stamps today"), "value": cards.grouped(day.stamps)})
    if program is not None and program.has_points:
        tiles.append({"label": _("Points today"), "value": cards.grouped(day.points)})
    tiles.append({"label": _("Rewards handed out"), "value": cards.grouped(day.rewards)})
    tiles.append({"label": _("New cards"), "value": cards.grouped(day.joined)})
    return tiles
