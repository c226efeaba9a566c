"""Which classes at Google are ours to tell now, and one object or class out of turn when somebody waits for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from core import tenancy
from core.db import pipeline
from wallets.enums import Provider
from wallets.services.queue import Claimed

TAKE = """
    UPDATE {table} u SET state = 'inflight', claimed_at = %(at)s, claimed_version = u.wanted_version,
        attempts = LEAST(u.attempts + 1, 1000)
    WHERE u.id IN ({chosen})
    RETURNING u.id, u.merchant_id, u.{thing} AS thing_id, u.claimed_version AS version, u.attempts, u.priority,
        u.queued_at, u.claimed_at
"""
DUE_CLASSES = """
    SELECT c.id FROM wallets_googleclass c WHERE c.state = 'queued' AND c.due_at <= %(at)s
    ORDER BY c.priority, c.due_at, c.id LIMIT %(size)s FOR UPDATE SKIP LOCKED
"""
ONE_CLASS = """
    SELECT c.id FROM wallets_googleclass c WHERE c.program_id = %(thing)s AND c.state = 'queued' FOR UPDATE
"""
ONE_OBJECT = """
    SELECT q.id FROM wallets_passupdate q
    WHERE q.card_id = %(thing)s AND q.provider = %(provider)s AND q.state = 'queued' FOR UPDATE
"""


@dataclass(frozen=True, slots=True)
class ClaimedClass:
    """A class that is ours until it is settled or counts as stale. attempts counts this one."""

    id: UUID
    merchant_id: UUID
    program_id: UUID
    version: int
    attempts: int
    priority: int
    queued_at: datetime
    claimed_at: datetime


def classes(*, at: datetime, size: int) -> list[ClaimedClass]:
    """Take up to `size` due classes of all merchants."""
    sql = TAKE.format(table="wallets_googleclass", thing="program_id", chosen=DUE_CLASSES)
    with tenancy.platform(reason="wallets: claim classes of all merchants"), pipeline() as line:
        line.run("SET LOCAL synchronous_commit = off")
        rows = line.run(sql, {"at": at, "size": size})
    return [ClaimedClass(program_id=row.pop("thing_id"), **row) for row in rows.all()]


def one_class(program_id: UUID, *, at: datetime) -> ClaimedClass | None:
    """Take a program's class if it is queued, due or not. Inside the merchant's scope."""
    row = _one(TAKE.format(table="wallets_googleclass", thing="program_id", chosen=ONE_CLASS), program_id, at)
    return ClaimedClass(program_id=row.pop("thing_id"), **row) if row else None


def one_object(card_id: UUID, *, at: datetime) -> Claimed | None:
    """Take a card's update if it is queued, due or not. Inside the merchant's scope."""
    row = _one(TAKE.format(table="wallets_passupdate", thing="card_id", chosen=ONE_OBJECT), card_id, at)
    return Claimed(card_id=row.pop("thing_id"), **row) if row else None


def _one(sql: str, thing: UUID, at: datetime) -> dict[str, Any] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"thing": thing, "at": at, "provider": Provider.GOOGLE.value})
        row = cursor.fetchone()
        names = [column[0] for column in cursor.description]
    return dict(zip(names, row, strict=True)) if row else None
