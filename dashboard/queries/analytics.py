"""The report of a period: what happened, who came, what stands. It reads rollups, never the ledger.

Everything counts as the rollups do: what was undone counts for nothing, refunds are taken off their sales. A customer
is a card; a new one is a card that was made in the period. With a store, what happened there is told; members and
what is outstanding are then those of the cards that were made there.
"""

from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from core.db import pipeline
from dashboard.models.rollups import HOURS
from dashboard.queries import audiences, live, outstanding
from dashboard.queries.audiences import Audience, FirstRewards
from dashboard.queries.outstanding import Outstanding
from dashboard.queries.periods import Period
from dashboard.queries.sums import Sums
from dashboard.queries.versions import Versions
from stores.models import Store

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
_READ = itemgetter(*NAMES)
# A reward for points is issued and handed out at once.
SUMS: dict[str, str] = {
    **{name: f"d.{name}" for name in NAMES},
    "points_issued": "d.points_earned - d.points_refunded + d.points_adjusted",
    "rewards_issued": "d.rewards_issued + d.points_rewards_redeemed",
    "rewards_redeemed": "d.stamp_rewards_redeemed + d.points_rewards_redeemed",
}
COLUMNS = {
    "{figures}": ", ".join(f"COALESCE(sum({what}), 0)::bigint AS {name}" for name, what in SUMS.items()),
    "{hours}": ", ".join(f"COALESCE(sum(d.visits_by_hour[{hour}]), 0)" for hour in range(1, HOURS + 1)),
}  # fmt: skip


def _filled(statement: str) -> str:
    for place, columns in COLUMNS.items():
        statement = statement.replace(place, columns)
    return statement


SQL = {name: _filled(statement) for name, statement in outstanding.SQL.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """The figures of one store or one person; key and name are None for what nobody's PIN stood behind."""

    key: str | None
    name: str | None
    figures: Figures


@dataclass(slots=True)
class Report:
    """The report. weekdays: visits by weekday (Monday first) and hour of the store's clock.

    as_of: what was recorded before is counted, in the oldest part of it; None: nothing was counted yet.
    """

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
    """Return the report of a period, of one store or of all; inside the merchant's scope, in one round trip.

    Who came is beside that: a question each for this period and the one before, see audiences.py.
    """
    merchant_id = live.merchant_id()
    values = {"merchant": merchant_id, "store": store.pk if store else None}
    now, earlier = ({**values, "first": each.first, "last": each.last} for each in (period, period.before))
    with pipeline() as line:
        asked = {name: line.run(SQL[name], now) for name in ("state", "days", "parts", "weekdays", "gone")}
        before, held = line.run(SQL["sum"], earlier), outstanding.ask(line, period.last, now)
    state, gone = asked["state"].one() or {}, asked["gone"].one() or {}
    days = {row["day"]: _figures(row) for row in asked["days"].all()}
    by_store, by_staff = _parts(asked["parts"].all())
    standing, until = outstanding.told(held), state["covered_until"]
    versions = Versions.read(state["version"], state["changes"])
    who = audiences.of(period, store, audiences.Asked(merchant_id, versions, until))
    return Report(
        period=period, store=store, currency=state["currency"],
        as_of=_oldest(until, who.now, who.before, who.first_rewards),
        members=standing.cards_ever - gone["gone"], figures=Figures.total(days.values()),
        audience=who.now,
        before=_figures(before.one() or dict.fromkeys(NAMES, 0)),
        audience_before=who.before,
        by_day=[(day, days.get(day) or Figures()) for day in period.each()],
        weekdays=_weekdays(asked["weekdays"].all()),
        by_store=by_store, by_staff=by_staff, outstanding=standing,
        lifetime_value_cents=_share(standing.sales_cents, standing.cards),
        first_rewards=who.first_rewards,
    )  # fmt: skip


def store_of(code: str) -> Store | None:
    """Return the merchant's store of this code, closed ones too; None when it has none."""
    return Store.objects.filter(code=code).first()


def _oldest(until: datetime | None, *parts: Audience | FirstRewards) -> datetime | None:
    """Return up to when all of it is complete; a part that took long to count may be older than the rollups."""
    return min((part.as_of for part in parts if part.as_of and until), default=until)


def ratio(part: int, whole: int) -> float | None:
    """Return a share with four digits behind the point, None of nothing."""
    return part * 10_000 // whole / 10_000 if whole > 0 else None


def _share(total: int, count: int) -> int | None:
    return (2 * total + count) // (2 * count) if count > 0 else None


def _figures(row: dict[str, Any]) -> Figures:
    return Figures(*_READ(row))


def _parts(rows: list[dict[str, Any]]) -> tuple[list[Part], list[Part]]:
    """Return the figures by store and by person, those with the most visits first."""
    stores: dict[str, Part] = {}
    people: dict[UUID | None, Part] = {}
    for row in rows:
        figures, key = _figures(row), row["staff_id"]
        if row["code"] is not None:
            stores.setdefault(row["code"], Part(row["code"], row["store"], Figures())).figures.add(figures)
        people.setdefault(key, Part(str(key) if key else None, row["person"], Figures())).figures.add(figures)
    found = [part for part in people.values() if part.figures.visits or part.key]
    return _busiest(list(stores.values())), _busiest(found)


def _busiest(parts: list[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (-part.figures.visits, part.name or ""))


def _weekdays(rows: list[dict[str, Any]]) -> list[list[int]]:
    week = [[0] * HOURS for _ in range(WEEK)]
    for row in rows:
        week[row["weekday"] - 1] = row["hours"]
    return week
