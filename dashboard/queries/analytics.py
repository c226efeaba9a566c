"""The report of a period: what happened, who came, what stands. It reads rollups, never the ledger.

Everything counts as the rollups do: what was undone counts for nothing, refunds are taken off their sales. A customer
is a card; a new one is a card that was made in the period. With a store, what happened there is told; members and
what is outstanding are then those of the cards that were made there.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce, ExtractIsoWeekDay

from dashboard.models import DayFigures, RollupState
from dashboard.models.rollups import HOURS
from dashboard.queries import audiences, outstanding
from dashboard.queries.audiences import Audience, FirstRewards
from dashboard.queries.outstanding import Outstanding
from dashboard.queries.periods import Period
from dashboard.queries.sums import Sums
from loyalty.enums import CardStatus
from loyalty.models import Card
from merchants.models import Merchant
from stores.models import StaffPin, Store

WEEK = 7


@dataclass(slots=True)
class Figures(Sums):
    """Sums over rollup rows. Money in minor units; points_earned is net of voids and refunds."""

    visits: int = 0
    new_cards: int = 0
    stamps_given: int = 0
    rewards_issued: int = 0
    rewards_redeemed: int = 0
    points_issued: int = 0
    points_redeemed: int = 0
    points_expired: int = 0
    points_refunded: int = 0
    sales: int = 0
    sales_cents: int = 0

    @property
    def average_spend_cents(self) -> int | None:
        """What a sale brought on average, rounded half up; None without one."""
        return _share(self.sales_cents, self.sales)

    @property
    def points_redemption_rate(self) -> float | None:
        """Points spent per point given in the same time."""
        return ratio(self.points_redeemed, self.points_issued)

    @property
    def rewards_redemption_rate(self) -> float | None:
        """Rewards handed out per reward that became ready in the same time."""
        return ratio(self.rewards_redeemed, self.rewards_issued)


NAMES = Figures.names()
# A reward for points is issued and handed out at once.
SUMS: dict[str, Any] = {
    **{name: F(name) for name in NAMES},
    "points_issued": F("points_earned") - F("points_refunded") + F("points_adjusted"),
    "rewards_issued": F("rewards_issued") + F("points_rewards_redeemed"),
    "rewards_redeemed": F("stamp_rewards_redeemed") + F("points_rewards_redeemed"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """The figures of one store or one person; key and name are None for what nobody's PIN stood behind."""

    key: str | None
    name: str | None
    figures: Figures


@dataclass(slots=True)
class Report:
    """The report. weekdays: visits by weekday (Monday first) and hour of the store's clock."""

    period: Period
    store: Store | None
    currency: str
    as_of: datetime | None
    members: int
    figures: Figures
    audience: Audience
    before: Figures
    audience_before: Audience
    by_day: list[tuple[date, Figures]]
    weekdays: list[list[int]]
    by_store: list[Part]
    by_staff: list[Part]
    outstanding: Outstanding
    lifetime_value_cents: int | None
    first_rewards: FirstRewards

    @property
    def hours(self) -> list[int]:
        """Visits by hour of the day."""
        return [sum(row[hour] for row in self.weekdays) for hour in range(HOURS)]


def report(period: Period, *, store: Store | None = None) -> Report:
    """Return the report of a period, of one store or of all; inside the merchant's scope."""
    merchant = Merchant.objects.get()
    state = RollupState.objects.values("covered_until", "version").first() or {"covered_until": None, "version": 0}
    rows = _rows(period, store)
    days = {day: figures for (day,), figures in _grouped(rows, "day")}
    by_day = [(day, days.get(day, Figures())) for day in period.each()]
    by_store, by_staff = _parts(rows)
    standing = outstanding.at(period.last, store_id=store.pk if store else None)
    version = (merchant.pk, state["version"])
    return Report(
        period=period, store=store, currency=merchant.currency, as_of=state["covered_until"],
        members=members(store), figures=Figures.total(days.values()), audience=audiences.of(period, store, version),
        before=Figures.total(figures for _, figures in _grouped(_rows(period.before, store))),
        audience_before=audiences.of(period.before, store, version), by_day=by_day, weekdays=_weekdays(rows),
        by_store=by_store, by_staff=by_staff, outstanding=standing,
        lifetime_value_cents=_share(standing.sales_cents, standing.cards),
        first_rewards=audiences.rewarded(period, store, version),
    )  # fmt: skip


def members(store: Store | None) -> int:
    """Return how many cards are in use now (active or frozen): those that were made, less the few that are not."""
    made = outstanding.cards_made(store.pk if store else None)
    gone = Card.objects.exclude(status=CardStatus.ACTIVE).filter(status__in=(CardStatus.CLOSED, CardStatus.MERGED))
    return made - (gone.filter(enrolled_store=store) if store else gone).count()


def store_of(code: str) -> Store | None:
    """Return the merchant's store of this code, closed ones too; None when it has none."""
    return Store.objects.filter(code=code).first()


def ratio(part: int, whole: int) -> float | None:
    """Return a share with four digits behind the point, None of nothing."""
    return part * 10_000 // whole / 10_000 if whole > 0 else None


def _share(total: int, count: int) -> int | None:
    return (2 * total + count) // (2 * count) if count > 0 else None


def _rows(period: Period, store: Store | None) -> "QuerySet[DayFigures]":
    rows = DayFigures.objects.filter(day__range=(period.first, period.last))
    return rows.filter(store_id=store.pk) if store else rows


def _grouped(rows: "QuerySet[DayFigures]", *by: str) -> list[tuple[tuple[Any, ...], Figures]]:
    """Return the sums of rows by some of their columns."""
    sums = {f"sum_{name}": Coalesce(Sum(expression), 0) for name, expression in SUMS.items()}
    found = rows.values(*by).annotate(**sums).values_list(*by, *sums) if by else [rows.aggregate(**sums).values()]
    return [(tuple(row)[: len(by)], Figures(*map(int, tuple(row)[len(by) :]))) for row in found]


def _parts(rows: "QuerySet[DayFigures]") -> tuple[list[Part], list[Part]]:
    """Return the figures by store and by person, those with the most visits first."""
    stores: dict[UUID | None, Figures] = {}
    people: dict[UUID | None, Figures] = {}
    for (store_id, staff_id), figures in _grouped(rows, "store_id", "staff_id"):
        stores.setdefault(store_id, Figures()).add(figures)
        people.setdefault(staff_id, Figures()).add(figures)
    places = {row.pk: row for row in Store.objects.filter(pk__in=filter(None, stores))}
    names = dict(StaffPin.objects.filter(pk__in=filter(None, people)).values_list("pk", "name"))
    by_store = [
        Part(places[key].code, places[key].name, figures) for key, figures in stores.items() if key in places
    ]  # fmt: skip
    by_staff = [Part(str(key) if key else None, names.get(key), figures) for key, figures in people.items()]
    return _busiest(by_store), _busiest([part for part in by_staff if part.figures.visits or part.key])


def _busiest(parts: list[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (-part.figures.visits, part.name or ""))


def _weekdays(rows: "QuerySet[DayFigures]") -> list[list[int]]:
    sums = {f"at_{hour}": Coalesce(Sum(f"visits_by_hour__{hour}"), 0) for hour in range(HOURS)}
    week = [[0] * HOURS for _ in range(WEEK)]
    found = rows.annotate(weekday=ExtractIsoWeekDay("day")).values("weekday").annotate(**sums)
    for weekday, *hours in found.values_list("weekday", *sums):
        week[weekday - 1] = hours
    return week
