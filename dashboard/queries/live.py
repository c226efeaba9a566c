"""Rollups with their tail: exact at once. Days that the rollups may lack are counted from the ledger there and then.

Those are few: the days of what was recorded within the last minute, none when nothing was since the rollups were
refreshed. A merchant that was never counted has only a tail.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from core import tenancy
from dashboard.models import DayBalance, DayFigures
from dashboard.queries import recount
from dashboard.queries.recount import Days

FIGURES = tuple(name for name in recount.TABLES["figures"].values if name != "visits_by_hour")
BALANCE = recount.TABLES["balance"].values
RECENT = "cards_since"
Sums = dict[str, int]


def tail() -> Days:
    """Return the business days that the rollups may lack, None for all of them; inside the merchant's scope."""
    return recount.tail(merchant_id())


def figures_by_store(days: Days) -> dict[UUID | None, Sums]:
    """Return the figures of all time by store; `days` is the tail."""
    return _by_store("figures", DayFigures.objects.all(), FIGURES, days)


def balance_by_store(days: Days, *, since: date) -> dict[UUID | None, Sums]:
    """Return what is on the cards that were made in each store, and how many since a day; `days` is the tail."""
    return _by_store("balance", DayBalance.objects.all(), BALANCE, days, since)


def total(parts: Iterable[Mapping[str, int]]) -> Sums:
    """Add up sums; a name that is nowhere counts 0."""
    sums = dict.fromkeys((*FIGURES, *BALANCE, RECENT), 0)
    for part in parts:
        for name, value in part.items():
            sums[name] += value
    return sums


def _by_store(
    name: str, rows: "QuerySet[Any]", columns: tuple[str, ...], days: Days, since: date | None = None
) -> dict[UUID | None, Sums]:
    parts: list[dict[str, Any]] = []
    if days is not None:
        kept = rows.exclude(day__in=days) if days else rows
        sums: dict[str, Any] = {f"sum_{column}": Sum(column) for column in columns}
        names = (*columns, RECENT) if since else columns
        if since:
            sums[f"sum_{RECENT}"] = Coalesce(Sum("cards", filter=Q(day__gte=since)), 0)
        found_rows = kept.values("store_id").annotate(**sums).values_list("store_id", *sums)
        parts += [dict(zip(("store_id", *names), row, strict=True)) for row in found_rows]
    if days is None or days:
        counted = recount.rows(name, merchant_id(), days)
        parts += [{**row, RECENT: row["cards"] if row["day"] >= since else 0} for row in counted] if since else counted
    columns = (*columns, RECENT) if since else columns
    found: dict[UUID | None, Sums] = {}
    for part in parts:
        place = found.setdefault(part["store_id"], dict.fromkeys(columns, 0))
        for column in columns:
            place[column] += int(part[column])
    return found


def merchant_id() -> UUID:
    """Return whose statistics are asked for: the merchant of the scope; raises NoTenantScope."""
    found = tenancy.current_merchant_id()
    if found is None:
        raise tenancy.NoTenantScope("statistics are of one merchant")
    return found


def on_day(store_id: UUID, day: date) -> Sums:
    """Return the figures of one business day of a store; inside the merchant's scope, in two queries."""
    if recount.is_current(merchant_id()):
        rows: Iterable[Mapping[str, Any]] = DayFigures.objects.filter(store_id=store_id, day=day).values(*FIGURES)
    else:
        rows = [row for row in recount.rows("figures", merchant_id(), [day]) if row["store_id"] == store_id]
    return total({name: int(row[name]) for name in FIGURES} for row in rows)
