"""Figures of the last weeks: this store, and all of the merchant."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard import charts
from dashboard.queries import cards, days
from dashboard.views.base import StoreView
from dashboard.views.frame import Entry
from loyalty.models import Program
from loyalty.queries import programs as program_queries
from loyalty.queries import stats
from loyalty.queries.stats import Figures
from loyalty.rules import timing

PERIODS = {"7": 7, "28": 28}
USUAL = "28"


class Stats(StoreView):
    """What was given, day by day, and what stands today."""

    template_name = "dashboard/stats.html"
    section = "stats"
    chooser_to = "dashboard:stats"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the figures."""
        now = timezone.now()
        chosen = self.request.GET.get("days", USUAL)
        length = PERIODS.get(chosen, PERIODS[USUAL])
        today = timing.business_date(now, self.store.time_zone, self.store.day_start)
        series = days.each(today - timedelta(days=length - 1), today, self.store.pk)
        program = program_queries.for_store(self.store.pk)
        found = stats.figures(self.store.pk, now)
        counts_points = program is not None and not program.has_stamps
        return self.page(
            kpis=tiles(found["store"], program),
            everywhere=tiles(found["merchant"], program) if len(self.desk.stores) > 1 else [],
            charts=charts.pair([(day.on, day.points if counts_points else day.stamps) for day in series], latest=7),
            chart_title=_("Points per day") if counts_points else _("Stamps per day"),
            series=series,
            first=series[0].on,
            today=today,
            has_stamps=program is None or program.has_stamps,
            has_points=program is not None and program.has_points,
            periods=self.periods(length),
        )

    def periods(self, length: int) -> list[Entry]:
        """Return the switch of the period."""
        here = reverse("dashboard:stats", args=[self.code])
        words = {7: _("7 days"), 28: _("4 weeks")}
        return [
            Entry(f"{here}?days={value}", words[number], active=number == length) for value, number in PERIODS.items()
        ]


def tiles(figures: Figures, program: Program | None) -> list[dict[str, str]]:
    """Return the tiles of one place, for what the program counts."""
    wanted = [(_("Cards"), figures.active_cards, _("%(count)s new in 30 days") % {"count": figures.new_members_30d})]
    if program is None or program.has_stamps:
        wanted.append((_("Stamps given"), figures.stamps_given, ""))
    if program is not None and program.has_points:
        spent = _("%(count)s spent") % {"count": cards.grouped(figures.points_redeemed)}
        wanted.append((_("Points given"), figures.points_issued, spent))
        wanted.append((_("Points on cards"), figures.points_outstanding, ""))
    wanted.append((_("Rewards handed out"), figures.rewards_redeemed, ""))
    return [{"label": label, "value": cards.grouped(value), "note": note} for label, value, note in wanted]
