"""The platform's days: what all merchants, or those of a country, gave. From the rollups, in the platform's scope."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from dashboard.models import DayBalance, DayFigures
from dashboard.queries import kept, platform_lists
from dashboard.queries.periods import Period
from dashboard.queries.sums import Sums
from dashboard.queries.versions import Versions
from merchants.enums import MerchantStatus
from merchants.models import Merchant
from wallets.queries import overviews

KEPT_SECONDS = 60
CACHE_KEY = "platform-days-1"


@dataclass(slots=True)
class Figures(Sums):
    """Sums of a day, or of several."""

    stamps_given: int = 0
    points_earned: int = 0
    visits: int = 0
    new_cards: int = 0
    rewards_redeemed: int = 0
    new_merchants: int = 0


NAMES = Figures.names()
SUMS: dict[str, Any] = {
    "stamps_given": Sum("stamps_given"),
    "points_earned": Sum(F("points_earned") - F("points_refunded")),
    "visits": Sum("visits"),
    "new_cards": Sum("new_cards"),
    "rewards_redeemed": Sum(F("stamp_rewards_redeemed") + F("points_rewards_redeemed")),
}


@dataclass(frozen=True, slots=True)
class Days:
    """A period of the platform. merchants: those that are not closed; cards: made so far; as_of: when it was read."""

    period: Period
    country: str
    as_of: datetime
    merchants: int
    cards: int
    by_day: list[tuple[date, Figures]]
    total: Figures
    before: Figures
    today: Figures


def of(period: Period, *, country: str, at: datetime) -> Days:
    """Return the figures; a minute old as a rule, `as_of` says how old the oldest part is. Four queries."""
    key = f"{CACHE_KEY}-{period.first}-{period.last}-{country or 'all'}"
    kept = cache.get(key)
    if kept is None:
        kept = _read(period, country, at)
        cache.set(key, kept, KEPT_SECONDS)
    days = {date.fromisoformat(day): Figures(*values) for day, values in kept["days"]}
    by_day = [(day, days.get(day, Figures())) for day in period.each()]
    return Days(
        period=period, country=country, as_of=datetime.fromisoformat(kept["as_of"]), merchants=kept["merchants"],
        cards=kept["cards"], by_day=by_day, total=Figures.total(figures for _day, figures in by_day),
        before=Figures.total(days[day] for day in period.before.each() if day in days),
        today=days.get(today(at), Figures()),
    )  # fmt: skip


def today(at: datetime) -> date:
    """Return the platform's own day."""
    return at.astimezone(_clock()).date()


def countries() -> list[str]:
    """Return the countries that merchants are in. One query."""
    return list(Merchant.objects.order_by("country").values_list("country", flat=True).distinct())


def passes_late(at: datetime, country: str) -> int:
    """Return how many passes show an old state, counted up to a bound. One query."""
    late = platform_lists.late_passes(at)
    return overviews.bounded(late.filter(merchant__country=country) if country else late)


def _read(period: Period, country: str, at: datetime) -> dict[str, Any]:
    """Read everything at once, in a shape that a cache keeps."""
    here = _merchants(country)
    days = {day: Figures() for day in (*period.before.each(), *period.each(), today(at))}
    wanted = Q(day__range=(period.before.first, period.last)) | Q(day=today(at))
    for row in _of(DayFigures.objects.all(), here).filter(wanted).values("day").annotate(**_renamed()):
        days[row["day"]] = Figures(**{name: int(row[f"sum_{name}"] or 0) for name in SUMS})
    for day, count in _joined(here, min(days)):
        if day in days:
            days[day].new_merchants = count
    minute = Versions(int(at.timestamp()) // KEPT_SECONDS)
    made = kept.answer(kept.Question("platform_cards", None, (country,)), minute)
    return {
        "as_of": min(at, made.as_of or at).isoformat(), "cards": made.value,
        "merchants": here.exclude(status=MerchantStatus.CLOSED).count(),
        "days": [(day.isoformat(), [getattr(figures, name) for name in NAMES]) for day, figures in days.items()],
    }  # fmt: skip


def _cards(country: str) -> int:
    """Return how many cards were made: of all days, so a big platform's worker counts them ahead (see kept.py)."""
    return int(_of(DayBalance.objects.all(), _merchants(country)).aggregate(made=Sum("cards"))["made"] or 0)


def _merchants(country: str) -> "QuerySet[Merchant]":
    return Merchant.objects.filter(country=country) if country else Merchant.objects.all()


def _renamed() -> dict[str, Any]:
    """Return the sums under names that no column has."""
    return {f"sum_{name}": expression for name, expression in SUMS.items()}


def _joined(here: "QuerySet[Merchant]", since: date) -> Iterable[tuple[date, int]]:
    """Return how many merchants signed up on which of the platform's days."""
    rows = here.annotate(on=TruncDate("created_at", tzinfo=_clock())).filter(on__gte=since)
    return rows.order_by().values_list("on").annotate(Count("pk"))


def _of(rows: "QuerySet[Any]", here: "QuerySet[Merchant]") -> "QuerySet[Any]":
    """Name the merchants: the unique indexes begin with the merchant and go on with the day."""
    return rows.filter(merchant_id__in=here.order_by().values("pk"))


def _clock() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


kept.COUNTERS["platform_cards"] = kept.Counter(_cards, int)
