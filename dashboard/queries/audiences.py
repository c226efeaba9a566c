"""Who came: distinct customers of a period, new and returning, how often; and how long the first reward took."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import connection

from dashboard.queries.periods import Period
from stores.models import Store

# Customers by how many visits they made in the period: from, to (None: and more).
STEPS: tuple[tuple[int, int | None], ...] = ((1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (21, None))
KEPT_SECONDS = 24 * 3600
SEEN = """
    SELECT count(*), count(*) FILTER (WHERE c.since >= %(first)s), {steps}
    FROM (
        SELECT p.card_id, min(p.since) AS since, sum(p.visits) AS visits FROM dashboard_presence p
        WHERE p.merchant_id = %(merchant)s AND p.day BETWEEN %(first)s AND %(last)s
            AND (%(store)s::uuid IS NULL OR p.store_id = %(store)s)
        GROUP BY p.card_id
    ) c
""".replace(
    "{steps}",
    ", ".join(
        f"count(*) FILTER (WHERE c.visits >= {low}" + (f" AND c.visits <= {high})" if high else ")")
        for low, high in STEPS
    ),
)
REWARDED = """
    SELECT count(*), avg(r.days)::float8, percentile_cont(0.5) WITHIN GROUP (ORDER BY r.days)
    FROM dashboard_firstreward r
    WHERE r.day BETWEEN %(first)s AND %(last)s AND (%(store)s::uuid IS NULL OR r.store_id = %(store)s)
"""


@dataclass(frozen=True, slots=True)
class Audience:
    """The customers of a period. frequency: how many came as often as each of STEPS says."""

    customers: int
    new: int
    frequency: tuple[int, ...]

    @property
    def returning(self) -> int:
        """Customers whose card is older than the period."""
        return self.customers - self.new

    def often(self, visits: int) -> float | None:
        """Return how often each of them came on average, with two digits behind the point."""
        return visits * 100 // self.customers / 100 if self.customers else None


@dataclass(frozen=True, slots=True)
class FirstRewards:
    """Cards whose first reward fell into the period, and after how many days."""

    cards: int
    average_days: float | None
    median_days: float | None


def of(period: Period, store: Store | None, version: tuple[UUID, int]) -> Audience:
    """Return who came; inside the merchant's scope.

    version: the merchant and the version of its rollups. Counting some hundred thousand customers takes longer than a
    page may, so the answer is kept until the rollups change.
    """
    place = store.pk if store else None
    key = f"audience:{version[0]}:{version[1]}:{period.first}:{period.last}:{place}"
    kept = cache.get(key) if version[1] else None
    if kept is not None:
        return Audience(**{**kept, "frequency": tuple(kept["frequency"])})
    row = _row(SEEN, period, place, merchant=version[0])
    found = Audience(row[0], row[1], tuple(row[2:]))
    if version[1]:
        cache.set(key, asdict(found), KEPT_SECONDS)
    return found


def rewarded(period: Period, store: Store | None) -> FirstRewards:
    """Return how long the first reward took; inside the merchant's scope."""
    count, average, median = _row(REWARDED, period, store.pk if store else None)
    return FirstRewards(count, _tenths(average), _tenths(median))


def _tenths(days: float | None) -> float | None:
    return None if days is None else int(days * 10 + 0.5) / 10


def _row(sql: str, period: Period, store_id: UUID | None, **values: Any) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"first": period.first, "last": period.last, "store": store_id, **values})
        row: tuple[Any, ...] = cursor.fetchone()
        return row
