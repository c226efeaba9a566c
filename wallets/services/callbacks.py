"""What Google reports of its holders: that a card was added or removed. Taken once per nonce; proves no delivery.

Messages come late, twice and in any order, and do not say when they were sent; "del" only means that somebody removed
it (pitfall 44). So each counts when it arrives, and Google is asked afterwards who holds the object.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection

from core import outbox, tenancy
from core.ids import uuid7
from loyalty.models import Card
from wallets.enums import CallbackEvent
from wallets.models import GoogleClass, GooglePass
from wallets.providers.google.callbacks import BadMessage, Message

TOPIC_REPORTED = "wallets.google_reported"
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
    """Note what Google reports. A nonce that was taken has no effect, an object that we do not know neither.

    Raises BadMessage where the class is another one than the object's.
    """
    found = tenancy.lookup("google_object", message.object_id)
    if not found:
        return Outcome.UNKNOWN
    merchant_id, pass_id = found[0]
    with tenancy.scope(merchant_id):
        row = GooglePass.objects.select_for_update(of=("self",)).get(pk=pass_id)
        program = Card.objects.filter(pk=row.card_id).values("program_id")
        if not GoogleClass.objects.filter(program_id__in=program, class_id=message.class_id).exists():
            raise BadMessage("the class is another one than the object's")
        if not _take(row, message, at):
            return Outcome.REPEATED
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


def _apply(row: GooglePass, message: Message, at: datetime) -> None:
    saved = message.event == CallbackEvent.SAVED
    if row.saved != saved:
        row.saved, row.saved_at = saved, at if saved else None
        row.save(update_fields=["saved", "saved_at"])
    outbox.publish(TOPIC_REPORTED, merchant_id=row.merchant_id, card_id=str(row.card_id))
