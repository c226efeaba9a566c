"""The queue of pass updates: changes raise a row's wanted version, workers claim rows in turns and settle them.

Every statement decides on columns of the row it writes, so that a change and a settlement that meet (one waits for the
other's lock and then sees the newer row) cannot lose the change. Nothing here talks to a provider.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from core import tenancy
from core.db import pipeline
from core.ids import uuid7
from wallets.enums import Priority, Provider
from wallets.models import AppleDeviceRegistration
from wallets.services import passes

SHARE = 100
STALE = timedelta(seconds=60)
PERMANENT_TRIES = 3
PAUSES = (1, 2, 4, 8)
LONG_PAUSE = 15
PATIENT_AFTER = timedelta(minutes=10)
PATIENT_PAUSE = 300
GIVE_UP_AFTER = timedelta(hours=24)
JITTER = 0.2
ERROR_LENGTH = 1000

RAISE = """
    UPDATE wallets_{provider}pass SET requested_version = requested_version + 1,
        behind_since = COALESCE(behind_since, %(at)s)
    WHERE id = %(pass)s RETURNING requested_version
"""
ENQUEUE = """
    INSERT INTO wallets_passupdate AS u (id, merchant_id, card_id, provider, state, priority, wanted_version,
        claimed_version, attempts, due_at, queued_at, last_error)
    VALUES (%(id)s, %(merchant)s, %(card)s, %(provider)s, 'queued', %(priority)s, %(version)s, 0, 0, %(at)s, %(at)s, '')
    ON CONFLICT (merchant_id, card_id, provider) DO UPDATE SET
        wanted_version = GREATEST(u.wanted_version, EXCLUDED.wanted_version),
        state = CASE u.state WHEN 'inflight' THEN 'inflight' ELSE 'queued' END,
        priority = CASE WHEN u.state IN ('queued', 'inflight') THEN LEAST(u.priority, EXCLUDED.priority)
            ELSE EXCLUDED.priority END,
        due_at = CASE WHEN u.state IN ('sent', 'failed') THEN EXCLUDED.due_at
            WHEN u.state = 'queued' AND u.attempts = 0 THEN LEAST(u.due_at, EXCLUDED.due_at) ELSE u.due_at END,
        queued_at = CASE WHEN u.state IN ('sent', 'failed') THEN EXCLUDED.queued_at ELSE u.queued_at END,
        attempts = CASE WHEN u.state IN ('sent', 'failed') THEN 0 ELSE u.attempts END
"""
# The most urgent of each merchant, then the second of each, and so on: a flood of one merchant makes nobody else wait.
CLAIM = """
    WITH RECURSIVE waiting AS (
        (SELECT merchant_id FROM wallets_passupdate
         WHERE provider = %(provider)s AND state = 'queued' ORDER BY merchant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT u.merchant_id FROM wallets_passupdate u
                WHERE u.provider = %(provider)s AND u.state = 'queued' AND u.merchant_id > w.merchant_id
                ORDER BY u.merchant_id LIMIT 1)
        FROM waiting w WHERE w.merchant_id IS NOT NULL
    ), turns AS (
        SELECT q.id, q.priority, q.due_at, row_number() OVER (
            PARTITION BY w.merchant_id ORDER BY q.priority, q.due_at, q.id) AS turn
        FROM waiting w CROSS JOIN LATERAL (
            SELECT u.id, u.priority, u.due_at FROM wallets_passupdate u
            WHERE u.provider = %(provider)s AND u.merchant_id = w.merchant_id AND u.state = 'queued'
                AND u.due_at <= %(at)s
            ORDER BY u.priority, u.due_at, u.id LIMIT %(share)s
        ) q
    ), chosen AS (
        SELECT u.id FROM wallets_passupdate u
        WHERE u.id = ANY (ARRAY(SELECT t.id FROM turns t ORDER BY t.priority, t.turn, t.due_at, t.id LIMIT %(size)s))
            AND u.state = 'queued'
        FOR UPDATE SKIP LOCKED
    )
    UPDATE wallets_passupdate u SET state = 'inflight', claimed_at = %(at)s, claimed_version = u.wanted_version,
        attempts = LEAST(u.attempts + 1, 1000)
    FROM chosen WHERE u.id = chosen.id
    RETURNING u.id, u.merchant_id, u.card_id, u.claimed_version AS version, u.attempts, u.priority, u.queued_at,
        u.claimed_at
"""
SETTLE = """
    UPDATE {table} u SET
        state = CASE WHEN u.wanted_version > u.claimed_version OR r.outcome IN ('retry', 'later') THEN 'queued'
            ELSE r.outcome END,
        attempts = CASE r.outcome WHEN 'retry' THEN u.attempts WHEN 'later' THEN GREATEST(u.attempts - 1, 0)
            ELSE 0 END,
        due_at = CASE WHEN r.outcome IN ('retry', 'later') THEN r.due_at ELSE %(at)s END,
        queued_at = CASE WHEN r.outcome IN ('retry', 'later') THEN u.queued_at ELSE u.claimed_at END,
        settled_at = CASE WHEN r.outcome IN ('retry', 'later') THEN u.settled_at ELSE %(at)s END,
        last_error = CASE r.outcome WHEN 'sent' THEN '' WHEN 'later' THEN u.last_error ELSE r.error END,
        claimed_at = NULL
    FROM unnest(%(ids)s::uuid[], %(claims)s::timestamptz[], %(outcomes)s::text[], %(dues)s::timestamptz[],
        %(errors)s::text[]) AS r(id, claimed_at, outcome, due_at, error)
    WHERE u.id = r.id AND u.state = 'inflight' AND u.claimed_at = r.claimed_at
"""
RESCUE = """
    UPDATE {table} SET state = 'queued', claimed_at = NULL, due_at = %(at)s
    WHERE id IN (SELECT id FROM {table} WHERE state = 'inflight' AND claimed_at < %(before)s FOR UPDATE SKIP LOCKED)
    RETURNING id
"""
UPDATES, CLASSES = "wallets_passupdate", "wallets_googleclass"


@dataclass(frozen=True, slots=True)
class Claimed:
    """An update that is ours until it is settled or counts as stale. attempts counts this one."""

    id: UUID
    merchant_id: UUID
    card_id: UUID
    version: int
    attempts: int
    priority: int
    queued_at: datetime
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed row: "sent", "failed", "retry" (a try was used up) or "later" (none was)."""

    id: UUID
    claimed_at: datetime
    outcome: str
    due_at: datetime | None = None
    error: str = ""


def request_apple(*, merchant_id: UUID, card_id: UUID, at: datetime, priority: Priority = Priority.STAMP) -> bool:
    """Note that a card changed; queue a push when a device listens. Inside the merchant's scope.

    Returns whether something was queued. The pass's row is locked first, as a registration does: whoever comes second
    sees the other, so a change between download and registration is told in either order.
    """
    row = passes.apple(card_id)
    version = _raise_version(Provider.APPLE, row.pk, at)
    if not AppleDeviceRegistration.objects.filter(apple_pass_id=row.pk).exists():
        return False
    enqueue(
        merchant_id=merchant_id, card_id=card_id, provider=Provider.APPLE, version=version, priority=priority, at=at
    )
    return True


def request_google(*, merchant_id: UUID, card_id: UUID, at: datetime, priority: Priority = Priority.STAMP) -> bool:
    """Note that a card changed and queue its object. Inside the merchant's scope."""
    row = passes.google(card_id)
    version = _raise_version(Provider.GOOGLE, row.pk, at)
    enqueue(
        merchant_id=merchant_id, card_id=card_id, provider=Provider.GOOGLE, version=version, priority=priority, at=at
    )
    return True


def enqueue(
    *, merchant_id: UUID, card_id: UUID, provider: str, version: int, priority: int, at: datetime
) -> None:  # fmt: skip
    """Queue a pass's update, or let the row that is there want the newer version. Inside the merchant's scope."""
    values: dict[str, Any] = {
        "id": uuid7(), "merchant": merchant_id, "card": card_id, "provider": str(provider), "version": version,
        "priority": int(priority), "at": at,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(ENQUEUE, values)


def claim(*, provider: str, at: datetime, size: int, share: int = SHARE) -> list[Claimed]:
    """Take up to `size` due updates, the urgent first, in turns among the merchants."""
    values = {"provider": str(provider), "at": at, "size": size, "share": share}
    with tenancy.platform(reason="wallets: claim pass updates of all merchants"), pipeline() as line:
        line.run("SET LOCAL synchronous_commit = off")
        rows = line.run(CLAIM, values)
    found = [Claimed(**row) for row in rows.all()]
    return sorted(found, key=lambda update: (update.priority, update.queued_at, update.id))


def settle(settlements: Sequence[Settlement], *, at: datetime, table: str = UPDATES) -> None:
    """Write down what became of claimed rows. One that was wanted anew meanwhile is queued again at once."""
    if not settlements:
        return
    values = {
        "at": at,
        "ids": [row.id for row in settlements],
        "claims": [row.claimed_at for row in settlements],
        "outcomes": [row.outcome for row in settlements],
        "dues": [row.due_at or at for row in settlements],
        "errors": [row.error[:ERROR_LENGTH] for row in settlements],
    }
    with tenancy.platform(reason="wallets: settle pass updates of all merchants"), pipeline() as line:
        line.run("SET LOCAL synchronous_commit = off")
        line.run(SETTLE.format(table=table), values)


def rescue(*, at: datetime) -> int:
    """Queue again what a worker claimed more than a minute ago and never settled; returns how many."""
    found = 0
    with tenancy.platform(reason="wallets: rescue updates that a worker left behind"), connection.cursor() as cursor:
        for table in (UPDATES, CLASSES):
            cursor.execute(RESCUE.format(table=table), {"at": at, "before": at - STALE})
            found += cursor.rowcount
    return found


def after_fault(
    *, row_id: UUID, claimed_at: datetime, queued_at: datetime, attempts: int, at: datetime, lasting: bool, error: str,
    retry_after: float | None = None,
) -> Settlement:  # fmt: skip
    """Decide what follows a fault: another try after 1, 2, 4, 8, 15, 15 … s, every 5 minutes after ten, or the end.

    lasting: a fault that will not pass by itself; it is over after three tries. Others are given up after a day.
    """
    over = attempts >= PERMANENT_TRIES if lasting else at - queued_at >= GIVE_UP_AFTER
    if over:
        return Settlement(row_id, claimed_at, "failed", error=error)
    seconds = _pause(attempts, waited=at - queued_at)
    seconds = max(seconds * random.uniform(1 - JITTER, 1 + JITTER), retry_after or 0)  # noqa: S311 - spreads load
    return Settlement(row_id, claimed_at, "retry", at + timedelta(seconds=seconds), error)


def _pause(attempts: int, *, waited: timedelta) -> float:
    if waited >= PATIENT_AFTER:
        return PATIENT_PAUSE
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else LONG_PAUSE


def _raise_version(provider: str, pass_id: UUID, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(RAISE.format(provider=str(provider)), {"pass": pass_id, "at": at})
        return int(cursor.fetchone()[0])
