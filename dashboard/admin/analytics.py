"""The platform in figures: how it grows, what it gives, whether it is well, and the merchants."""

from typing import Any

from babel.core import Locale
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import money
from core.admin import health
from core.errors import ValidationFailed
from core.templatetags.ui import number
from dashboard.admin import drawn
from dashboard.admin.pages import Choice, PlatformPage
from dashboard.queries import periods, platform_days, platform_lists
from dashboard.queries.periods import Period
from dashboard.queries.platform_days import Days
from merchants.enums import MerchantStatus

PRESETS = (7, 28, 90, 365)
USUAL = 28
# What of the address the table's own form keeps.
KEPT = ("period", "from", "to", "country")


class Analytics(PlatformPage):
    """The page."""

    template_name = "admin/platform/analytics.html"

    def get(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show it for a period and a country."""
        at, countries = timezone.now(), platform_days.countries()
        country = self.asked("country") if self.asked("country") in countries else ""
        period, preset, wrong = self.period()
        days = platform_days.of(period, country=country, at=at)
        late = platform_days.passes_late(at, country)
        return self.show(
            title=_("Analytics"), days=days, period=period, wrong=wrong, tiles=_tiles(days, late),
            charts=_charts(days), health=health.panel(at), periods=self.presets(preset), chosen=not preset,
            countries=_countries(countries, country), **self.merchants(country),
        )  # fmt: skip

    def merchants(self, country: str) -> dict[str, Any]:
        """Return the table of merchants, and what its form passes on."""
        search, status, after = self.asked("q"), self.asked("status"), self.asked("after")
        page = platform_lists.merchants(
            search=search, country=country, status=status, after=after, at=timezone.now()
        )  # fmt: skip
        return {
            "lines": page.lines, "search": search,
            "statuses": [Choice(str(label), value, active=value == status) for value, label in MerchantStatus.choices],
            "kept": {name: self.asked(name) for name in KEPT if self.asked(name)},
            "following": f"{self.address(after=page.after)}#merchants" if page.after else "",
            "first": f"{self.address(after='')}#merchants" if after else "",
        }  # fmt: skip

    def period(self) -> tuple[Period, int | None, str]:
        """Return the period of the address, the preset that it is, and what is wrong with days that nobody can mean."""
        today = platform_days.today(timezone.now())
        preset = next((days for days in PRESETS if str(days) == self.asked("period")), USUAL)
        if not (self.asked("from") or self.asked("to")):
            return periods.ending(today, preset), preset, ""
        try:
            return periods.read(self.asked("from"), self.asked("to"), today=today), None, ""
        except ValidationFailed as error:
            told = " ".join(str(text) for found in error.errors.values() for _code, text in found)
            return periods.ending(today, preset), preset, told

    def presets(self, preset: int | None) -> list[Choice]:
        """Return the switch of the period."""
        words = {7: _("7 days"), 28: _("4 weeks"), 90: _("3 months"), 365: _("Year")}
        fresh = {"from": "", "to": "", "after": ""}
        return [
            Choice(words[days], str(days), self.address(period=str(days), **fresh), preset == days) for days in PRESETS
        ]


def _tiles(days: Days, late: int) -> list[dict[str, Any]]:
    """Return the four figures, each with a word beside it."""
    given = _("%(count)s in this time") % {"count": number(days.total.stamps_given)}
    return [
        {"key": "merchants", "label": _("Merchants"), "value": number(days.merchants),
         "note": _new(days.total.new_merchants)},
        {"key": "cards", "label": _("Cards"), "value": number(days.cards),
         "note": _new(days.total.new_cards)},
        {"key": "stamps", "label": _("Stamps today"), "value": number(days.today.stamps_given),
         "note": f"{given} · {_change(days.total.stamps_given, days.before.stamps_given)}"},
        {"key": "late", "label": _("Passes late"), "value": number(late), "tone": "bad" if late else "ok",
         "url": health.to_list("wallets_passupdate"),
         "note": _("more than a minute, or given up") if late else _("all phones are up to date")},
    ]  # fmt: skip


def _new(count: int) -> str:
    return _("+%(count)s in this time") % {"count": number(count)} if count else _("none new in this time")


def _change(now: int, before: int) -> str:
    if not before:
        return _("nothing before")
    percent = (abs(now - before) * 200 + before) // (2 * before)
    sign = "+" if now >= before else "−"
    return _("%(change)s %% on before") % {"change": f"{sign}{number(percent)}"}


def _charts(days: Days) -> dict[str, drawn.Drawn]:
    """Return the charts by what they show."""

    def of(name: str) -> list[tuple[Any, int]]:
        return [(day, getattr(figures, name)) for day, figures in days.by_day]

    return {
        "stamps": drawn.stamps(of("stamps_given"), wide=drawn.BESIDE),
        "cards": drawn.cards(of("new_cards"), wide=drawn.BESIDE),
        "merchants": drawn.merchants(of("new_merchants"), wide=drawn.BESIDE),
    }


def _countries(codes: list[str], chosen: str) -> list[Choice]:
    names = Locale.parse(money.babel_locale()).territories
    found = [Choice(str(names.get(code, code)), code, active=code == chosen) for code in codes]
    return sorted(found, key=lambda choice: choice.label)
