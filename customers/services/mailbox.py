"""The one way in which mails leave: queued as rows with what caused them, claimed, sent, recorded.

queued → inflight → sent, dropped (may not go any more) or failed (after the last try). Whether a mail may go is asked
when it goes, so a withdrawal or an erasure stops what waits, too. The network is used outside of any transaction; a
mail that a crash left inflight is sent again, under the same Message-ID.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPSenderRefused
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from core import outbox, tenancy
from customers.enums import MailKind, MailState, Purpose
from customers.models import Mail
from customers.services import letters
from customers.services.letters import Deferred, Dropped

logger = logging.getLogger(__name__)

TOPIC = "customers.mail_queued"
# Mails with a link that a person waits for; all others need a consent.
ASKED_FOR = frozenset({MailKind.CONFIRM, MailKind.KNOWN, MailKind.RECOVER, MailKind.CARD})
BATCH = 5
SHARE = 20
STALE = timedelta(minutes=10)
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 900, 3600, 14400))
MAX_ATTEMPTS = len(PAUSES) + 1
PERMANENT = 500

# One mail of each merchant, then the second of each: a flood of one merchant makes nobody else wait.
CLAIM = """
    WITH RECURSIVE waiting AS (
        (SELECT merchant_id FROM customers_mail WHERE state = 'queued' ORDER BY merchant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT m.merchant_id FROM customers_mail m
                WHERE m.state = 'queued' AND m.merchant_id > w.merchant_id ORDER BY m.merchant_id LIMIT 1)
        FROM waiting w WHERE w.merchant_id IS NOT NULL
    ), turns AS (
        SELECT q.id, q.due_at, row_number() OVER (PARTITION BY w.merchant_id ORDER BY q.due_at, q.id) AS turn
        FROM waiting w CROSS JOIN LATERAL (
            SELECT m.id, m.due_at FROM customers_mail m
            WHERE m.merchant_id = w.merchant_id AND m.state = 'queued' AND m.due_at <= %(at)s
            ORDER BY m.due_at, m.id LIMIT %(share)s
        ) q
    ), chosen AS (
        SELECT m.id FROM customers_mail m
        WHERE m.id = ANY (ARRAY(SELECT t.id FROM turns t ORDER BY t.turn, t.due_at, t.id LIMIT %(size)s))
            AND m.state = 'queued'
        FOR UPDATE SKIP LOCKED
    )
    UPDATE customers_mail m SET state = 'inflight', claimed_at = %(at)s, attempts = LEAST(m.attempts + 1, 1000)
    FROM chosen WHERE m.id = chosen.id
    RETURNING m.id, m.merchant_id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that is ours to send until it counts as stale."""

    id: UUID
    merchant_id: UUID


def queue(
    *, merchant_id: UUID, customer_id: UUID, kind: str, event: str, facts: dict[str, Any], at: datetime,
    due_at: datetime | None = None,
) -> bool:  # fmt: skip
    """Queue a mail in the caller's transaction; False when one for the same event was queued before.

    facts: what the text is about, never a name or an address. Reward news go only to customers who agreed to them.
    """
    purpose = "" if kind in ASKED_FOR else Purpose.SERVICE
    try:
        with tenancy.scope(merchant_id), transaction.atomic():
            Mail.objects.create(
                customer_id=customer_id, kind=kind, purpose=purpose, event=event, facts=facts, due_at=due_at or at
            )
    except IntegrityError as error:
        if "customers_mail_once" not in str(error):
            raise
        return False
    if due_at is None or due_at <= at:
        outbox.publish(TOPIC, merchant_id=merchant_id)
    return True


def claim(*, at: datetime, size: int = BATCH) -> list[Claimed]:
    """Take up to `size` due mails, in turns among the merchants; each stays ours until `deliver` or the rescue."""
    with tenancy.platform(reason="mailbox: claim due mails of all merchants"), connection.cursor() as cursor:
        cursor.execute(CLAIM, {"at": at, "size": size, "share": SHARE})
        return [Claimed(*row) for row in cursor.fetchall()]


def rescue(*, at: datetime) -> int:
    """Queue again what a worker claimed and never settled; returns how many."""
    with tenancy.platform(reason="mailbox: rescue mails that a worker left behind"):
        stale = Mail.objects.filter(state=MailState.INFLIGHT, claimed_at__lt=at - STALE)
        return int(stale.update(state=MailState.QUEUED, claimed_at=None, due_at=at))


def deliver(claimed: Claimed, *, at: datetime) -> str:
    """Send one claimed mail, or drop or put it off where it may not go now; returns the state it is left in."""
    with tenancy.scope(claimed.merchant_id):
        mail = Mail.objects.select_for_update(of=("self",)).filter(pk=claimed.id, state=MailState.INFLIGHT).first()
        if mail is None:
            return ""
        try:
            message = letters.write(mail, at=at)
        except Dropped as why:
            return _settle(mail, MailState.DROPPED, last_error=str(why), sent_at=None)
        except Deferred as later:
            return _settle(mail, MailState.QUEUED, due_at=later.until, attempts=mail.attempts - 1, sent_at=None)
    try:
        message.send()
    except Exception as error:  # noqa: BLE001 - whatever one mail carries must not stop the others
        logger.warning("mail %s (%s) was not sent: %s", mail.pk, mail.kind, _in_short(error))
        return _refused(mail, error, at)
    with tenancy.scope(claimed.merchant_id):
        return _settle(mail, MailState.SENT, sent_at=at, last_error="")


def _refused(mail: Mail, error: Exception, at: datetime) -> str:
    """Try again later, or give up: after the last try, or where the other side said no for good."""
    with tenancy.scope(mail.merchant_id):
        if mail.attempts >= MAX_ATTEMPTS or _for_good(error):
            return _settle(mail, MailState.FAILED, last_error=_in_short(error), sent_at=None)
        due_at = at + PAUSES[mail.attempts - 1]
        return _settle(mail, MailState.QUEUED, last_error=_in_short(error), due_at=due_at, sent_at=None)


def _settle(mail: Mail, state: str, **values: Any) -> str:
    """Write what became of a mail, unless somebody else took it over meanwhile; returns the state."""
    mine = Mail.objects.filter(pk=mail.pk, state=MailState.INFLIGHT, claimed_at=mail.claimed_at)
    mine.update(state=state, claimed_at=None, **values)
    return state


def _for_good(error: Exception) -> bool:
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= PERMANENT for code, _text in error.recipients.values())
    return isinstance(error, SMTPDataError | SMTPSenderRefused) and error.smtp_code >= PERMANENT


def _in_short(error: Exception) -> str:
    """Name an error without its words: they hold the address."""
    code = getattr(error, "smtp_code", None)
    if isinstance(error, SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()), (None, b""))[0]
    name = type(error).__name__ if isinstance(error, SMTPException | OSError) else "not sendable"
    return f"{name} {code}" if code is not None else name
