"""Rollups: counted from the ledger, a business day at a time and always whole, so that doing it twice changes nothing.

`refresh` runs every 20 seconds and counts the days anew to which something was added, or in which something was
corrected, since the last time. `rebuild` counts everything. Both hold a lock of the merchant's rollups, so two workers
never meet; who finds it taken leaves the merchant to the other.
"""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import tenancy
from core.db import Pipeline, pipeline
from dashboard.models import RollupState
from dashboard.queries import kept, platform, recount
from dashboard.queries.recount import Days, Table
from dashboard.queries.versions import Versions
from merchants.models import Merchant

logger = logging.getLogger(__name__)

REASON = "rollups: which merchants have rows in the ledger that their statistics lack"
# A sweep looks this far back, for the row that a watermark should never miss.
SWEPT = timedelta(hours=26)
# Slow counts begin for so long after a worker took them up; the one that is under way may take longer.
RENEWING_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: the days counted anew (None: all of them)."""

    days: Days


def refresh(*, merchant_id: UUID, at: datetime, since: datetime | None = None) -> Refreshed | None:
    """Bring a merchant's rollups up to date; None when somebody else is at it.

    since: count the days anew of everything recorded since then, beside what is due anyway.
    """
    with tenancy.scope(merchant_id):
        return _refresh(merchant_id, at, since)


def catch_up(*, merchant_id: UUID, at: datetime) -> None:
    """Refresh for somebody who looks, unless nothing was recorded since somebody else did."""
    with tenancy.scope(merchant_id):
        if not recount.is_current(merchant_id):
            _refresh(merchant_id, at)


def rebuild(*, merchant_id: UUID, at: datetime) -> None:
    """Count all of a merchant's rollups anew, from the first ledger row to the last; waits for who is at it."""
    with tenancy.scope(merchant_id):
        state = _waited_for(merchant_id, at)
        with _counting(merchant_id, None) as line:
            recount.cover(line, state, None)


def recount_days(*, merchant_id: UUID, days: Days, at: datetime) -> None:
    """Count some business days anew (None: all), whatever the watermark says; waits for who is at it."""
    with tenancy.scope(merchant_id):
        # The first rewards of these days' cards may have other days.
        versions = _waited_for(merchant_id, at).versions.changed(None, at)
        with _counting(merchant_id, days):
            pass
        RollupState.objects.update(version=versions.number, changes=json.loads(versions.written()))


def refresh_waiting(*, at: datetime, back: timedelta | None = None) -> int:
    """Refresh every merchant that has something new, the longest waiting first; returns how many it did.

    back: a sweep, which counts the days anew of everything that was recorded so long ago or since. A merchant whose
    refresh fails is logged, and the others go on.
    """
    with tenancy.platform(reason=REASON):
        wanted = list(Merchant.objects.values_list("pk", flat=True)) if back else recount.waiting()
    done = 0
    for merchant_id in wanted:
        try:
            found = refresh(merchant_id=merchant_id, at=at, since=at - back if back else None)
        except Exception:
            logger.exception("rollups of merchant %s failed", merchant_id)
            continue
        done += found is not None
    return done


def renew_kept(*, at: datetime, seconds: float = RENEWING_SECONDS) -> int:
    """Count anew what is asked for and takes too long for a page; returns how many counts.

    seconds: nothing begins later than that; those who are left wait for the next time, and come first then. A merchant
    whose counts fail is logged, and the others go on.
    """
    deadline = time.monotonic() + seconds
    with tenancy.platform(reason=REASON):
        done = platform.renew(at, deadline=deadline)
    for merchant_id in kept.askers():
        if time.monotonic() >= deadline:
            break
        kept.take_turn(merchant_id)
        try:
            done += _renew_of(merchant_id, deadline)
        except Exception:
            logger.exception("counts of merchant %s failed", merchant_id)
    return done


def _renew_of(merchant_id: UUID, deadline: float) -> int:
    with tenancy.scope(merchant_id):
        state = RollupState.objects.first()
        if state is None:
            return 0
        versions = Versions.read(state.version, json.dumps(state.changes))
        return kept.renew(merchant_id, versions, until=state.covered_until, deadline=deadline)


def merchants() -> list[tuple[UUID, str]]:
    """Return id and short name of every merchant, for whoever rebuilds them in turn."""
    with tenancy.platform(reason=REASON):
        return list(Merchant.objects.order_by("slug").values_list("pk", "slug"))


def _refresh(merchant_id: UUID, at: datetime, since: datetime | None = None) -> Refreshed | None:
    state = recount.locked(merchant_id, at=at, wait=False)
    if state is None:
        return None
    days: Days = None
    from_ = None
    if state.covered_until and state.same_zones:
        from_ = min(state.covered_until, since) if since else state.covered_until
        days = recount.dirty_days(merchant_id, from_)
    with _counting(merchant_id, days, from_) as line:
        recount.cover(line, state, days)
    return Refreshed(days)


def _waited_for(merchant_id: UUID, at: datetime) -> recount.State:
    state = recount.locked(merchant_id, at=at, wait=True)
    if state is None:
        raise RuntimeError(f"the lock of merchant {merchant_id} was waited for and not had")
    return state


@contextmanager
def _counting(merchant_id: UUID, days: Days, since: datetime | None = None) -> Iterator[Pipeline]:
    """Count some days anew (None: all), in one round trip with what the caller queues.

    since: of cards only those of which something was recorded since then.
    """
    if days is not None and not days:
        with pipeline() as line:
            yield line
        return
    values = recount.parameters(merchant_id, days, since)
    with recount.planned_together() as line:
        for name, table in recount.TABLES.items():
            for statement in _replacing(name, table, days):
                line.run(statement, values)
        yield line


def _replacing(name: str, table: Table, days: Days) -> list[str]:
    """Return the statements that replace a rollup.

    For some days only what differs is written: rows that are gone, new ones, changed ones, in one statement, so that it
    sees one ledger. A card's first reward has no day of its own: it is looked for anew for each card.
    """
    fresh = recount.select(name, days)
    if days is None:
        return [_filled(WIPE, table), _filled(FILL, table).replace("{fresh}", fresh)]
    of_days = ["o.day = ANY(%(days)s)"] * ("day" in table.keys)
    doomed = " AND ".join(of_days + ["o.card_id = ANY(%(touched)s::uuid[])"] * (name in recount.BY_CARD))
    return [_filled(SYNC, table).replace("{fresh}", fresh).replace("{doomed}", doomed)]


WIPE = "DELETE FROM {table} o WHERE o.merchant_id = %(merchant)s"
FILL = "INSERT INTO {table} (merchant_id, {columns}) SELECT %(merchant)s, {new} FROM ({fresh}) f"
SYNC = """
    WITH fresh AS MATERIALIZED ({fresh}), gone AS (
        DELETE FROM {table} o WHERE o.merchant_id = %(merchant)s AND {doomed}
            AND NOT EXISTS (SELECT FROM fresh f WHERE {same})
    )
    INSERT INTO {table} AS o (merchant_id, {columns}) SELECT %(merchant)s, {new} FROM fresh f
    ON CONFLICT (merchant_id, {keys}) DO UPDATE SET {changes} WHERE ({old_values}) IS DISTINCT FROM ({new_values})
"""


def _filled(statement: str, table: Table) -> str:
    """Write a table's columns into a statement."""
    return statement.format(
        table=table.name, columns=", ".join(table.columns), keys=", ".join(table.keys),
        new=", ".join(f"f.{name}" for name in table.columns),
        # "=" where it is enough: the other one cannot be hashed.
        same=" AND ".join(
            f"o.{name} {'IS NOT DISTINCT FROM' if name in table.nullable else '='} f.{name}" for name in table.keys
        ),
        changes=", ".join(f"{name} = excluded.{name}" for name in table.values),
        old_values=", ".join(f"o.{name}" for name in table.values),
        new_values=", ".join(f"excluded.{name}" for name in table.values),
        fresh="{fresh}", doomed="{doomed}",
    )  # fmt: skip
