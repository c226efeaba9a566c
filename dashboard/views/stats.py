"""The statistics of a period: one store or all of them, on a page and as a file."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import csv
from core.errors import ValidationFailed
from dashboard.forms.base import show_error
from dashboard.forms.stats import PeriodForm
from dashboard.queries import analytics, periods
from dashboard.queries.analytics import NAMES, Report
from dashboard.queries.periods import Period
from dashboard.services import rollups
from dashboard.views import stats_shown
from dashboard.views.base import StoreView
from dashboard.views.frame import Entry
from loyalty.queries import programs as program_queries
from loyalty.rules import timing

PRESETS = (7, 28, 90, 365)
USUAL = 28
ALL = "all"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. preset: the number of days up to today, None for days that were chosen."""

    period: Period
    preset: int | None
    everywhere: bool
    form: PeriodForm

    def address(self, name: str, code: str, **changes: str) -> str:
        """Return the address of these statistics, with something changed (empty: left out)."""
        days = {"days": str(self.preset)} if self.preset else self.chosen
        wanted = {**days, "stores": ALL if self.everywhere else "", **changes}
        query = urlencode({key: value for key, value in wanted.items() if value})
        return f"{reverse(name, args=[code])}?{query}"

    @property
    def chosen(self) -> dict[str, str]:
        """The two days as the address writes them."""
        return {"from": self.period.first.isoformat(), "to": self.period.last.isoformat()}


class StatsView(StoreView):
    """What the page and the file share."""

    section = "stats"
    chooser_to = "dashboard:stats"

    def asked(self) -> Asked:
        """Read the address; days that nobody can mean become the usual ones, and the form says why."""
        wanted, today = self.request.GET, self.today()
        everywhere = wanted.get("stores") == ALL and len(self.desk.stores) > 1
        first, last = wanted.get("from", "").strip(), wanted.get("to", "").strip()
        preset = next((days for days in PRESETS if str(days) == wanted.get("days")), USUAL)
        usual = periods.ending(today, preset)
        if not (first or last):
            form = PeriodForm(initial={"from": usual.first.isoformat(), "to": usual.last.isoformat()})
            return Asked(usual, preset, everywhere, form)
        form = PeriodForm({"from": first, "to": last})
        form.is_valid()
        try:
            return Asked(periods.read(first, last, today=today), None, everywhere, form)
        except ValidationFailed as error:
            show_error(form, error)
            return Asked(usual, preset, everywhere, form)

    def today(self) -> Any:
        """Return the store's business day."""
        return timing.business_date(timezone.now(), self.store.time_zone, self.store.day_start)

    def report(self, asked: Asked) -> Report:
        """Return the report, up to this moment: what the tills wrote since the last minute is counted first."""
        if self.desk.looks_until is None:
            rollups.catch_up(merchant_id=self.merchant_id, at=timezone.now())
        return analytics.report(asked.period, store=None if asked.everywhere else self.store)


class Stats(StatsView):
    """The page."""

    template_name = "dashboard/stats.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the figures."""
        asked = self.asked()
        report = self.report(asked)
        shown, today = stats_shown.Shown(report, program_queries.for_store(self.store.pk)), self.today()
        return self.page(
            report=report, shown=shown, series=shown.days, form=asked.form, today=today,
            standing_on=min(report.outstanding.on, today), everywhere=asked.everywhere,
            periods=self.periods(asked), places=self.places(asked),
            file_url=asked.address("dashboard:stats_file", self.code),
            hidden={"stores": ALL} if asked.everywhere else {},
        )  # fmt: skip

    def periods(self, asked: Asked) -> list[Entry]:
        """Return the switch of the period."""
        words = {7: _("7 days"), 28: _("4 weeks"), 90: _("3 months"), 365: _("Year")}
        here = "dashboard:stats"
        return [
            Entry(asked.address(here, self.code, days=str(days), **{"from": "", "to": ""}), words[days],
                  active=asked.preset == days)
            for days in PRESETS
        ]  # fmt: skip

    def places(self, asked: Asked) -> list[Entry]:
        """Return the switch between this store and all of them, where there are several."""
        if len(self.desk.stores) < 2:
            return []
        here = "dashboard:stats"
        return [
            Entry(asked.address(here, self.code, stores=""), self.store.name, active=not asked.everywhere),
            Entry(asked.address(here, self.code, stores=ALL), _("All stores"), active=asked.everywhere),
        ]


class StatsFile(StatsView):
    """The days of the period as a file."""

    def get(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Write one line a day; the columns are named as in the API."""
        asked = self.asked()
        rows = [[day, *(getattr(figures, name) for name in NAMES)] for day, figures in self.report(asked).by_day]
        place = self.desk.merchant.slug if asked.everywhere else self.code
        name = f"{place}-statistics-{asked.period.first}-{asked.period.last}.csv"
        return csv.response(name, csv.stream(["date", *NAMES], rows))
