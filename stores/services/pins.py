"""Staff PINs at work: check one, and keep a short session so that it is not typed 200 times a day (rules 21, 22).

A PIN counts only together with what sent it (`Subject`): a paired terminal, an API key, a signed-in person, or a
visitor's card in the store's own-device flow. Making and changing PINs is in stores.services.staff.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core import signing
from django.db import connection

from core import tenancy
from core.errors import DomainError
from core.ids import uuid7
from stores.models import PinGuard, StaffPin
from stores.queries import pins as pin_queries
from stores.queries.pins import Candidate, Case, Sender
from stores.rules import pins as rules
from stores.rules.pins import (
    SessionClaims,
    StaffPinInvalid,
    StaffPinLocked,
    StaffPinRequired,
    StaffSessionExpired,
    Strikes,
    Subject,
    VerifiedStaff,
)
from stores.services import pin_hashing
from stores.services.staff import create, revoke, rotate, unlock, update

__all__ = [
    "SessionClaims", "StaffPinInvalid", "StaffPinLocked", "StaffPinRequired", "StaffSessionExpired", "Subject",
    "VerifiedStaff", "create", "holder_of", "read_session", "revoke", "rotate", "start_session", "unlock", "update",
    "verify",
]  # fmt: skip

SALT = "stores.pins.session"
CLOCK_SKEW = timedelta(minutes=5)
NOTE_USE_EVERY = timedelta(minutes=1)
COUNT_FOR_THE_DAY = """
    INSERT INTO stores_pinguard AS g
        (id, merchant_id, subject_kind, subject_id, device, failed_attempts, lock_level, locked_until)
    VALUES (%(id)s, %(merchant)s, 'day', %(subject)s, '', %(worth)s, 0, %(end)s)
    ON CONFLICT (merchant_id, subject_kind, subject_id, device) DO UPDATE SET
        failed_attempts = CASE WHEN g.locked_until <= %(at)s THEN excluded.failed_attempts
            ELSE LEAST(g.failed_attempts + excluded.failed_attempts, 30000) END,
        locked_until = CASE WHEN g.locked_until <= %(at)s THEN excluded.locked_until ELSE g.locked_until END
"""


def verify(
    *, merchant_id: UUID, store_id: UUID, subject: Subject, pin: str, staff_id: UUID | None, at: datetime,
    through: Sequence[Subject] = (),
) -> VerifiedStaff:  # fmt: skip
    """Check a PIN, of a named staff member or alone, and count what is wrong (rule 21).

    A wrong PIN for a named person counts on that person; one that is nobody's counts on what sent it, and on what it
    came through (`through`: a visitor's address). Limits are looked at before anything is hashed, under locks that put
    parallel tries in a line. The counters commit here, so it must be called outside of any scope. Raises
    StaffPinInvalid (also for an unknown person) and StaffPinLocked.
    """
    if tenancy.current_merchant_id() is not None or tenancy.in_platform():
        raise RuntimeError("pins.verify commits its counters itself: call it outside of any scope")
    with tenancy.scope(merchant_id):
        outcome = _try(merchant_id, store_id, (subject, *through), pin, staff_id, at)
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def start_session(
    *, staff: VerifiedStaff, merchant_id: UUID, subject: Subject, at: datetime
) -> tuple[str, datetime]:  # fmt: skip
    """Return a signed token that stands for the PIN, and when it ends: 15 minutes, on this sender only."""
    ends = at + rules.SESSION_LENGTH
    claims = [
        str(merchant_id), subject.kind, str(subject.id), subject.device, str(staff.id), staff.version,
        int(at.timestamp()), int(ends.timestamp()),
    ]  # fmt: skip
    return signing.dumps(claims, salt=SALT), datetime.fromtimestamp(int(ends.timestamp()), UTC)


def read_session(token: str, *, merchant_id: UUID, subject: Subject, at: datetime) -> SessionClaims:
    """Return what a session token claims; the caller compares the version with the staff member's row.

    Raises StaffSessionExpired for a token that is over, of another sender or merchant, or not ours.
    """
    try:
        merchant, kind, sender, device, staff_id, version, begins, ends = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise StaffSessionExpired from error
    if [merchant, kind, sender, device] != [str(merchant_id), subject.kind, str(subject.id), subject.device]:
        raise StaffSessionExpired
    if not begins - CLOCK_SKEW.total_seconds() <= at.timestamp() < ends:
        raise StaffSessionExpired
    return SessionClaims(UUID(staff_id), version)


def holder_of(token: str, *, merchant_id: UUID) -> UUID | None:
    """Return whose session a token is, over or not, None when it is none of ours: to name somebody, never to trust."""
    try:
        merchant, _kind, _sender, _device, staff_id, *_rest = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return UUID(staff_id) if merchant == str(merchant_id) else None


def _try(
    merchant_id: UUID, store_id: UUID, subjects: Sequence[Subject], pin: str, staff_id: UUID | None, at: datetime
) -> VerifiedStaff | DomainError:
    pin = pin if rules.is_pin(pin) else ""  # nobody has an empty PIN: it goes the way of a wrong one
    buckets = pin_hashing.buckets(merchant_id, pin)
    case = pin_queries.read_case(
        merchant_id=merchant_id, store_id=store_id, subjects=subjects, staff_id=staff_id, buckets=buckets
    )
    named = case.candidates[0] if staff_id and case.candidates else None
    locked_until = _locked_until(case, named, at)
    if locked_until is not None:
        return StaffPinLocked(locked_until=locked_until, at=at, zone=case.zone)
    found = _matching(case.candidates, pin)
    if found is None:
        return _count(case, merchant_id, named, at)
    if found.strikes.locked_until is not None and found.strikes.is_locked(at):
        return StaffPinLocked(locked_until=found.strikes.locked_until, at=at, zone=case.zone)
    _forgive(case, merchant_id, found, pin, at)
    return VerifiedStaff(found.id, found.name, found.version)


def _locked_until(case: Case, named: Candidate | None, at: datetime) -> datetime | None:
    """Return when the next try may be made, None when it may be made now."""
    ends = [sender.strikes.locked_until for sender in case.senders if sender.strikes.is_locked(at)]
    days = [sender.day for sender in case.senders if sender.day.failed >= rules.day_budget(case.limit)]
    ends += [day.locked_until for day in days if day.is_locked(at)]
    if named is not None and named.strikes.is_locked(at):
        ends.append(named.strikes.locked_until)
    return max((end for end in ends if end is not None), default=None)


def _matching(candidates: list[Candidate], pin: str) -> Candidate | None:
    if not candidates:
        pin_hashing.waste(pin)
    return next((row for row in candidates if pin_hashing.matches(row.pin_hash, row.pepper_id, pin)), None)


def _count(case: Case, merchant_id: UUID, named: Candidate | None, at: datetime) -> StaffPinInvalid:
    """Count a wrong PIN on the named person, or else on its senders, and on each sender's day."""
    left = []
    if named is not None and case.senders[0].subject.kind in rules.INSIDE:
        strikes = rules.after_wrong_pin(named.strikes, at=at, limit=case.limit, minutes=case.minutes)
        StaffPin.objects.filter(pk=named.id).update(
            failed_attempts=strikes.failed, locked_until=strikes.locked_until
        )  # fmt: skip
        left.append(0 if strikes.locked_until else case.limit - strikes.failed)
    else:
        left += [_count_on(sender, case, merchant_id, at) for sender in case.senders]
    with connection.cursor() as cursor:
        for sender in case.senders:
            values: dict[str, Any] = {"id": uuid7(), "merchant": merchant_id, "subject": sender.subject.id, "at": at}
            worth = rules.worth(sender.subject, named=named is not None, people=case.people)
            cursor.execute(COUNT_FOR_THE_DAY, {**values, "end": at + rules.DAY, "worth": worth})
    return StaffPinInvalid(attempts_remaining=min(left))


def _count_on(sender: Sender, case: Case, merchant_id: UUID, at: datetime) -> int:
    """Count a wrong PIN on what sent it; return how many tries are left there."""
    limit = case.limit * rules.share(sender.subject)
    strikes = rules.after_nobodys_pin(sender.strikes, at=at, limit=limit, minutes=case.minutes)
    PinGuard.objects.update_or_create(
        merchant_id=merchant_id, **_guard(sender.subject),
        defaults={
            "failed_attempts": strikes.failed, "lock_level": strikes.level, "locked_until": strikes.locked_until
        },
    )  # fmt: skip
    return 0 if strikes.locked_until else limit - strikes.failed


def _guard(subject: Subject) -> dict[str, str | UUID]:
    return {"subject_kind": subject.kind, "subject_id": subject.id, "device": subject.device}


def _forgive(case: Case, merchant_id: UUID, staff: Candidate, pin: str, at: datetime) -> None:
    """Clear the strikes after a right PIN, note the use, and renew a hash made with an older pepper."""
    for sender in case.senders:
        if sender.strikes != Strikes():
            PinGuard.objects.filter(merchant_id=merchant_id, **_guard(sender.subject)).delete()
    changes: dict[str, object] = {}
    if staff.strikes != Strikes():
        changes |= {"failed_attempts": 0, "locked_until": None}
    if pin_hashing.is_outdated(staff.pin_hash, staff.pepper_id):
        fresh = pin_hashing.make(merchant_id, pin)
        changes |= {"pin_hash": fresh.pin_hash, "pin_bucket": fresh.pin_bucket, "pepper_id": fresh.pepper_id}
    if changes or staff.last_used_at is None or at - staff.last_used_at >= NOTE_USE_EVERY:
        # The version keeps a PIN that was changed meanwhile from getting the old hash back.
        StaffPin.objects.filter(pk=staff.id, version=staff.version).update(last_used_at=at, **changes)
