"""What Google reports of its holders: that a card was added or removed. Taken once per nonce; proves no delivery.

Messages come late, twice and in any order. "del" only means that somebody removed it (pitfall 44): others may hold it
still, so Google is asked before it counts as gone.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection

from core import outbox, tenancy
from core.ids import uuid7
from wallets.enums import CallbackEvent
from wallets.models import GoogleCallback, GooglePass
from wallets.providers.google.callbacks import Message

TOPIC_REMOVED = "wallets.google_removed"
MARGIN = timedelta(days=7)
STEP = 5_000

TAKE = """
    INSERT INTO wallets_googlecallback (id, merchant_id, google_pass_id, nonce, event, expires_at, received_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (nonce) DO NOTHING RETURNING id
"""
OLD = """
    DELETE FROM wallets_googlecallback WHERE id IN
        (SELECT id FROM wallets_googlecallback WHERE expires_at < %s ORDER BY expires_at LIMIT %s)
"""


class Outcome(StrEnum):
    """What became of a message."""

    TAKEN = "taken"
    REPEATED = "repeated"
    UNKNOWN = "unknown"


def receive(message: Message, *, at: datetime) -> Outcome:
    """Note what Google reports. A nonce that was taken has no effect, an object that we do not know neither."""
    found = tenancy.lookup("google_object", message.object_id)
    if not found:
        return Outcome.UNKNOWN
    merchant_id, pass_id = found[0]
    with tenancy.scope(merchant_id):
        row = GooglePass.objects.select_for_update(of=("self",)).get(pk=pass_id)
        if not _take(row, message, at):
            return Outcome.REPEATED
        if not _is_overtaken(row, message):
            _apply(row, message, at)
    return Outcome.TAKEN


def purge(*, at: datetime) -> int:
    """Delete messages whose nonce cannot come again: they ended a week ago, and are refused for that."""
    gone = 0
    while True:
        with tenancy.platform(reason="wallets: old messages of Google are deleted"), connection.cursor() as cursor:
            cursor.execute(OLD, (at - MARGIN, STEP))
            count = cursor.rowcount
        gone += count
        if count < STEP:
            return gone


def _take(row: GooglePass, message: Message, at: datetime) -> bool:
    values = (uuid7(), row.merchant_id, row.pk, message.nonce, str(message.event), message.expires_at, at)
    with connection.cursor() as cursor:
        cursor.execute(TAKE, values)
        return cursor.fetchone() is not None


def _is_overtaken(row: GooglePass, message: Message) -> bool:
    """Tell whether a later message about the object came before this one; when it ends tells when it was sent."""
    others = GoogleCallback.objects.filter(google_pass_id=row.pk, expires_at__gt=message.expires_at)
    return bool(others.exists())


def _apply(row: GooglePass, message: Message, at: datetime) -> None:
    saved = message.event == CallbackEvent.SAVED
    if row.saved != saved:
        row.saved, row.saved_at = saved, at if saved else None
        row.save(update_fields=["saved", "saved_at"])
    if not saved:
        outbox.publish(TOPIC_REMOVED, merchant_id=row.merchant_id, card_id=str(row.card_id))
