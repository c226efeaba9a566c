"""How an event of the outbox changes hands: queued → inflight → sent, back to queued, or failed.

All of it is platform work on its own short transactions. They need not be durable at once: what a crash forgets is
done a second time, and consumers are idempotent.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core import tenancy
from core.db import Pipeline, pipeline

BATCH = 200
SHARE = 50
STALE = timedelta(seconds=60)
RECALLED = timedelta(minutes=5)
RECALL_STEP = 5_000
MAX_ATTEMPTS = 10
LONGEST_PAUSE = timedelta(seconds=30)
ERROR_LENGTH = 500

# One row of each merchant, then the second of each, and so on: a flood of one merchant makes nobody else wait. The
# merchants are found by hopping along the index, so that the flood is not walked through either.
CLAIM = """
    WITH RECURSIVE waiting AS (
        (SELECT merchant_id FROM core_outboxevent WHERE state = 'queued' ORDER BY merchant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT o.merchant_id FROM core_outboxevent o
                WHERE o.state = 'queued' AND o.merchant_id > w.merchant_id ORDER BY o.merchant_id LIMIT 1)
        FROM waiting w WHERE w.merchant_id IS NOT NULL
    ), turns AS (
        SELECT q.id, row_number() OVER (PARTITION BY w.merchant_id ORDER BY q.id) AS turn
        FROM waiting w CROSS JOIN LATERAL (
            SELECT o.id FROM core_outboxevent o
            WHERE o.merchant_id = w.merchant_id AND o.state = 'queued' AND (o.retry_at IS NULL OR o.retry_at <= %(at)s)
            ORDER BY o.id LIMIT %(share)s
        ) q
    ), chosen AS (
        SELECT o.id FROM core_outboxevent o
        WHERE o.id = ANY (ARRAY(SELECT t.id FROM turns t ORDER BY t.turn, t.id LIMIT %(size)s)) AND o.state = 'queued'
        FOR UPDATE SKIP LOCKED
    )
    UPDATE core_outboxevent e SET state = 'inflight', claimed_at = %(at)s, attempts = LEAST(e.attempts + 1, 1000)
    FROM chosen WHERE e.id = chosen.id
    RETURNING e.id, e.merchant_id, e.topic, e.payload, e.attempts
"""
SENT = "UPDATE core_outboxevent SET state = 'sent', last_error = '' WHERE id = ANY (%s) AND state = 'inflight'"
GIVEN_BACK = """
    UPDATE core_outboxevent SET state = 'queued', claimed_at = NULL, attempts = GREATEST(attempts - 1, 0)
    WHERE id = ANY (%s) AND state = 'inflight'
"""
REFUSED = """
    UPDATE core_outboxevent SET state = %s, retry_at = %s, last_error = %s, claimed_at = NULL
    WHERE id = %s AND state = 'inflight'
"""
SWEEP = """
    UPDATE core_outboxevent SET state = 'queued', claimed_at = NULL
    WHERE id IN (SELECT id FROM core_outboxevent WHERE state = 'inflight' AND claimed_at < %s FOR UPDATE SKIP LOCKED)
    RETURNING id
"""
RECALL = """
    WITH recent AS (
        SELECT id, state, claimed_at FROM core_outboxevent WHERE id < %(below)s ORDER BY id DESC LIMIT %(step)s
    ), recalled AS (
        UPDATE core_outboxevent e SET state = 'queued', claimed_at = NULL
        FROM recent WHERE e.id = recent.id AND recent.state = 'sent' AND recent.claimed_at > %(since)s RETURNING e.id
    )
    SELECT min(id) AS below, (SELECT count(*) FROM recalled) AS found,
        bool_and(state = 'failed' OR (state = 'sent' AND claimed_at <= %(since)s)) AS all_old
    FROM recent
"""


@dataclass(frozen=True, slots=True)
class Event:
    """A claimed event; attempts counts this one."""

    id: int
    merchant_id: UUID
    topic: str
    payload: dict[str, Any]
    attempts: int


@dataclass(slots=True)
class Outcome:
    """What became of a batch: sent, refused (with the reason; `lasting` ones count towards giving up), not tried."""

    sent: list[int] = field(default_factory=list)
    refused: list[tuple[Event, str, bool]] = field(default_factory=list)
    untried: list[int] = field(default_factory=list)


def claim(*, at: datetime, size: int = BATCH) -> list[Event]:
    """Take up to `size` events in turns among the merchants; each counts as inflight until `settle` or the sweep."""
    with _own_transaction("relay: claim events of all merchants") as line:
        rows = line.run(CLAIM, {"at": at, "size": size, "share": SHARE})
    events = (Event(**{**row, "payload": json.loads(row["payload"])}) for row in rows.all())
    return sorted(events, key=lambda event: event.id)


def settle(outcome: Outcome, *, at: datetime) -> None:
    """Write down what became of a batch.

    A refused event waits 1, 2, 4 … 30 s; after ten lasting refusals it is failed and stays for a person to see.
    """
    with _own_transaction("relay: settle events of all merchants") as line:
        if outcome.sent:
            line.run(SENT, (outcome.sent,))
        if outcome.untried:
            line.run(GIVEN_BACK, (outcome.untried,))
        for event, error, lasting in outcome.refused:
            state = "failed" if lasting and event.attempts >= MAX_ATTEMPTS else "queued"
            line.run(REFUSED, (state, at + pause(event.attempts), error[:ERROR_LENGTH], event.id))


def pause(attempts: int) -> timedelta:
    """Return how long an event waits after so many attempts."""
    return min(timedelta(seconds=2 ** min(attempts - 1, 10)), LONGEST_PAUSE)


def sweep(*, at: datetime) -> int:
    """Queue again what a relay claimed more than a minute ago and never settled; returns how many."""
    with _own_transaction("sweep: rescue events that a relay left behind") as line:
        rows = line.run(SWEEP, (at - STALE,))
    return len(rows.all())


def recall(*, at: datetime) -> int:
    """Queue again what was sent in the last five minutes: the broker lost its queues. Returns how many."""
    found, below = 0, 2**63 - 1
    while True:
        with _own_transaction("relay: send again what the broker lost") as line:
            rows = line.run(RECALL, {"below": below, "step": RECALL_STEP, "since": at - RECALLED})
        row = rows.one() or {}
        found += row["found"]
        if row["below"] is None or row["all_old"]:
            return found
        below = row["below"]


@contextmanager
def _own_transaction(reason: str) -> Iterator[Pipeline]:
    with tenancy.platform(reason=reason), pipeline() as line:
        line.run("SET LOCAL synchronous_commit = off")
        yield line
