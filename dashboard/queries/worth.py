"""What is worth a look at a store: what an owner would want to know and does not see in today's figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from core import ids
from core.db import pipeline
from dashboard.queries.lately import DAYS, SQL, Lately
from loyalty.rules import timing
from stores.models import Store

MOST = 3
WEEK = timedelta(days=7)
# Longer than anything can be undone after it was recorded: a day, which a till without a line may tell three days late.
UNDOABLE = timedelta(days=5)
# A person stands out who undid so much in a week, and so many times what the others did on average.
UNDONE, TIMES = 5, 3
# A week is thin that has so many visits less than the three before it had on average, if those had some.
THIN, SOME = 0.75, 10
READY = 10
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Sign:
    """kind: pin_locked, undid, thin_week, silent_till, no_new_cards, rewards_ready; the rest as the kind needs it.

    usual: what count is held against; 0 where there is nothing to hold it against.
    """

    kind: str
    name: str = ""
    key: UUID | str = ""
    count: int = 0
    usual: int = 0
    at: datetime | None = None


def found(store: Store, stores: Sequence[Store], lately: Lately, *, today: date, at: datetime) -> list[Sign]:
    """Return at most three signs, the most urgent first. One round trip, however big the merchant is."""
    values = {
        "merchant": store.merchant_id, "store": store.pk, "at": at, "week": at - WEEK, "most": MOST,
        "since": today - timedelta(days=DAYS), "first": ids.first_of(at - WEEK - UNDOABLE),
    }  # fmt: skip
    names = ("locked", "undone", "silent", "joined", "ready")
    with pipeline() as line:
        asked = [line.run(SQL[name], values) for name in names]
    locked, undone, silent, joined, ready = (answer.all() for answer in asked)
    signs = [
        *_locked(locked), *_undid(undone), *_thin(lately), *_silent(silent),
        *_without_new_cards(stores, joined, today), *_ready(ready),
    ]  # fmt: skip
    return signs[:MOST]


def _locked(rows: Rows) -> Iterator[Sign]:
    return (Sign("pin_locked", row["name"], row["id"], at=row["locked_until"]) for row in rows)


def _undid(rows: Rows) -> Iterator[Sign]:
    """Yield who undid far more than the others this week."""
    if not rows:
        return
    first, *others = rows
    usual = round(sum(row["count"] for row in others) / max(len(others), 1))
    if first["count"] >= UNDONE and first["count"] >= TIMES * usual:
        yield Sign("undid", first["name"], first["id"], first["count"], usual)


def _thin(lately: Lately) -> Iterator[Sign]:
    *before, last = lately.sums("visits")
    usual = round(sum(before) / len(before))
    if usual >= SOME and last < usual * THIN:
        yield Sign("thin_week", count=last, usual=usual)


def _silent(rows: Rows) -> Iterator[Sign]:
    """Yield a device that is paired and has not been seen for a week."""
    return (Sign("silent_till", row["name"], row["id"], at=row["seen"]) for row in rows)


def _without_new_cards(stores: Sequence[Store], rows: Rows, today: date) -> Iterator[Sign]:
    """Yield a store where people come and nobody joins: its poster is missing. A store has its first four weeks."""
    silent_ids = {row["store_id"] for row in rows if row["visits"] and not row["joined"]}
    since = today - timedelta(days=DAYS)
    silent = [store for store in stores if store.pk in silent_ids and _opened(store) <= since]
    if silent:
        yield Sign("no_new_cards", silent[0].name, silent[0].code)


def _opened(store: Store) -> date:
    return timing.business_date(store.created_at, store.time_zone, store.day_start)


def _ready(rows: Rows) -> Iterator[Sign]:
    """Yield the rewards that are ready and were not collected, on cards that somebody can still show."""
    waiting = sum(row["ready"] - row["lapsed"] for row in rows)
    if waiting >= READY:
        yield Sign("rewards_ready", count=waiting)
