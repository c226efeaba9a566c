"""Who came: distinct customers of a period, new and returning, how often; and how long the first reward took."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from dashboard.queries import kept
from dashboard.queries.periods import Period
from dashboard.queries.versions import Versions
from stores.models import Store

# Customers by how many visits they made in the period: from, to (None: and more).
STEPS: tuple[tuple[int, int | None], ...] = ((1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (21, None))
SEEN = """
    SELECT count(*), count(*) FILTER (WHERE c.since >= %(first)s), count(*) FILTER (WHERE {own}),
        count(*) FILTER (WHERE {own} AND c.visits > 1), {steps}
    FROM (
        SELECT p.card_id, min(p.since) AS since, sum(p.visits) AS visits FROM dashboard_presence p
        WHERE p.merchant_id = %(merchant)s AND p.day BETWEEN %(first)s AND %(last)s
            AND (%(store)s::uuid IS NULL OR p.store_id = %(store)s)
        GROUP BY p.card_id
    ) c {cards}
""".replace(
    "{steps}",
    ", ".join(
        f"count(*) FILTER (WHERE c.visits >= {low}" + (f" AND c.visits <= {high})" if high else ")")
        for low, high in STEPS
    ),
)
REWARDED = """
    SELECT count(*), count(*) FILTER (WHERE {own}), avg(c.days)::float8,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY c.days)
    FROM (
        SELECT r.card_id, r.days, r.day - r.days AS since FROM dashboard_firstreward r
        WHERE r.merchant_id = %(merchant)s AND r.day BETWEEN %(first)s AND %(last)s
            AND (%(store)s::uuid IS NULL OR r.store_id = %(store)s)
    ) c {cards}
"""
# Which of the cards were made in the period: anywhere, or in the store that is asked for.
MADE_ANYWHERE = {"{own}": "c.since >= %(first)s", "{cards}": ""}
MADE_HERE = {
    "{own}": "k.id IS NOT NULL",
    "{cards}": "LEFT JOIN loyalty_card k ON c.since >= %(first)s AND k.merchant_id = %(merchant)s"
    " AND k.id = c.card_id AND k.enrolled_store_id = %(store)s",
}


class Asked(NamedTuple):
    """Which rollups are asked: whose, which versions of them, up to when they are complete."""

    merchant_id: UUID
    versions: Versions
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Audience:
    """The customers of a period. frequency: how many came as often as each of STEPS says.

    own, own_again: of the cards that were made in the period (with a store: there) those that came, and that came
    again. as_of: up to when it counts, None where that is as far as the rollups do.
    """

    customers: int
    new: int
    own: int
    own_again: int
    frequency: tuple[int, ...]
    as_of: datetime | None = None

    @property
    def returning(self) -> int:
        """Customers whose card is older than the period."""
        return self.customers - self.new

    def often(self, visits: int) -> float | None:
        """Return how often each of them came on average, with two digits behind the point."""
        return visits * 100 // self.customers / 100 if self.customers else None


@dataclass(frozen=True, slots=True)
class FirstRewards:
    """Cards whose first reward fell into the period, and after how many days. own, as_of: as those of Audience."""

    cards: int
    own: int
    average_days: float | None
    median_days: float | None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Who:
    """Who came in a period and in the one before, and how long the first reward took in it."""

    now: Audience
    before: Audience
    first_rewards: FirstRewards


def of(period: Period, store: Store | None, rollups: Asked) -> Who:
    """Return who came; inside the merchant's scope.

    Of a merchant whose customers take long to count it may be some minutes old, and `as_of` says how old: see kept.py.
    """
    merchant_id = rollups.merchant_id
    questions = [
        kept.Question(name, merchant_id, (merchant_id, each.first, each.last, store.pk if store else None))
        for name, each in (("came", period), ("came", period.before), ("rewarded", period))
    ]
    if not rollups.versions.number:
        counts = [kept.Kept(kept.COUNTERS[each.name].count(*each.arguments)) for each in questions]
    else:
        counts = kept.answers(questions, rollups.versions, until=rollups.until)
    now, before, rewarded = counts
    return Who(_audience(now), _audience(before), FirstRewards(**{**rewarded.value, "as_of": rewarded.as_of}))


def _audience(found: kept.Kept) -> Audience:
    return Audience(**{**found.value, "frequency": tuple(found.value["frequency"]), "as_of": found.as_of})


def _count_audience(merchant_id: UUID, first: date, last: date, store_id: UUID | None) -> dict[str, Any]:
    row = _row(SEEN, Period(first, last), store_id, merchant=merchant_id)
    customers, new, own, own_again, *frequency = row
    return asdict(Audience(customers, new, own, own_again, tuple(frequency)))


def _count_rewarded(merchant_id: UUID, first: date, last: date, store_id: UUID | None) -> dict[str, Any]:
    count, own, average, median = _row(REWARDED, Period(first, last), store_id, merchant=merchant_id)
    return asdict(FirstRewards(count, own, _tenths(average), _tenths(median)))


def _later(arguments: tuple[Any, ...], asked: float, now: float) -> tuple[Any, ...]:
    """Return the same days before today for one who asked on another day; days in the past stay what they are."""
    merchant_id, first, last, store_id = arguments
    then = datetime.fromtimestamp(asked, UTC).date()
    gone = datetime.fromtimestamp(now, UTC).date() - then
    if not gone or last < then - timedelta(days=1):
        return arguments
    return merchant_id, first + gone, last + gone, store_id


def _last(arguments: tuple[Any, ...]) -> date:
    last: date = arguments[2]
    return last


kept.COUNTERS["came"] = kept.Counter(_count_audience, lambda found: int(found["customers"]), _later, _last)
# A first reward that is taken back makes another one the first, of whatever day: no last day here.
kept.COUNTERS["rewarded"] = kept.Counter(_count_rewarded, lambda found: int(found["cards"]), _later)


def _tenths(days: float | None) -> float | None:
    return None if days is None else int(days * 10 + 0.5) / 10


def _row(sql: str, period: Period, store_id: UUID | None, **values: Any) -> tuple[Any, ...]:
    for place, words in (MADE_HERE if store_id else MADE_ANYWHERE).items():
        sql = sql.replace(place, words)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"first": period.first, "last": period.last, "store": store_id, **values})
        row: tuple[Any, ...] = cursor.fetchone()
        return row
