"""How long the ground floor keeps things: answers under a key 30 days, delivered events 7 days."""

from datetime import datetime, timedelta

from django.db import connection

from core import tenancy

ANSWERS = timedelta(days=30)
EVENTS = timedelta(days=7)
STEP = 5_000

# Oldest first and a bounded number at a time, so that nobody waits behind one long transaction.
OLD_ANSWERS = """
    DELETE FROM core_idempotencyrecord WHERE id IN
        (SELECT id FROM core_idempotencyrecord WHERE created_at < %s ORDER BY created_at LIMIT %s)
"""
DELIVERED = """
    DELETE FROM core_outboxevent WHERE id IN
        (SELECT id FROM core_outboxevent WHERE state = 'sent' AND created_at < %s ORDER BY id LIMIT %s)
"""


def purge(*, at: datetime) -> int:
    """Delete what is older than its time, of all merchants; returns how many rows went. Failed events stay."""
    return _delete(OLD_ANSWERS, at - ANSWERS) + _delete(DELIVERED, at - EVENTS)


def _delete(statement: str, before: datetime) -> int:
    gone = 0
    while True:
        with tenancy.platform(reason="purge: delete what is older than its time"), connection.cursor() as cursor:
            cursor.execute(statement, (before, STEP))
            count = cursor.rowcount
        gone += count
        if count < STEP:
            return gone
