"""Staff PINs at work: check one, and keep a short session so that it is not typed 200 times a day (DOMAIN.md 21, 22).

A PIN counts only together with what sent it (`Subject`): a paired terminal, an API key, a signed-in person, or a
visitor's card in the store's own-device flow. Making and changing PINs is in stores.services.staff.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import connection

from core import tenancy
from core.errors import DomainError
from core.ids import uuid7
from stores.models import PinGuard, StaffPin
from stores.queries import pins as pin_queries
from stores.queries.pins import Candidate, Case
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
    "VerifiedStaff", "create", "read_session", "revoke", "rotate", "start_session", "unlock", "update", "verify",
]  # fmt: skip

SALT = "stores.pins.session"
CLOCK_SKEW = timedelta(minutes=5)
NOTE_USE_EVERY = timedelta(minutes=1)
COUNT_FOR_THE_DAY = """
    INSERT INTO stores_pinguard AS g
        (id, merchant_id, subject_kind, subject_id, device, failed_attempts, lock_level, locked_until)
    VALUES (%(id)s, %(merchant)s, 'day', %(subject)s, '', 1, 0, %(end)s)
    ON CONFLICT (merchant_id, subject_kind, subject_id, device) DO UPDATE SET
        failed_attempts = CASE WHEN g.locked_until <= %(at)s THEN 1 ELSE LEAST(g.failed_attempts + 1, 30000) END,
        locked_until = CASE WHEN g.locked_until <= %(at)s THEN excluded.locked_until ELSE g.locked_until END
"""


def verify(
    *, merchant_id: UUID, store_id: UUID, subject: Subject, pin: str, staff_id: UUID | None, at: datetime
) -> VerifiedStaff:
    """Check a PIN, of a named staff member or alone, and count what is wrong (DOMAIN.md 21).

    A wrong PIN for a named person counts on that person; one that is nobody's counts on what sent it. Limits are
    looked at before anything is hashed, under locks that put parallel tries in a line. The counters commit here, so
    it must be called outside of any scope. Raises StaffPinInvalid (also for an unknown person) and StaffPinLocked.
    """
    if tenancy.current_merchant_id() is not None or tenancy.in_platform():
        raise RuntimeError("pins.verify commits its counters itself: call it outside of any scope")
    with tenancy.scope(merchant_id):
        outcome = _try(merchant_id, store_id, subject, pin, staff_id, at)
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


def _try(
    merchant_id: UUID, store_id: UUID, subject: Subject, pin: str, staff_id: UUID | None, at: datetime
) -> VerifiedStaff | DomainError:
    pin = pin if rules.is_pin(pin) else ""  # nobody has an empty PIN: it goes the way of a wrong one
    buckets = pin_hashing.buckets(merchant_id, pin)
    case = pin_queries.read_case(
        merchant_id=merchant_id, store_id=store_id, subject=subject, staff_id=staff_id, buckets=buckets
    )
    named = case.candidates[0] if staff_id and case.candidates else None
    locked_until = _locked_until(case, named, at)
    if locked_until is not None:
        return StaffPinLocked(locked_until=locked_until, at=at, zone=case.zone)
    found = _matching(case.candidates, pin)
    if found is None:
        return _count(case, merchant_id, subject, named, at)
    if found.strikes.locked_until is not None and found.strikes.is_locked(at):
        return StaffPinLocked(locked_until=found.strikes.locked_until, at=at, zone=case.zone)
    _forgive(case, merchant_id, subject, found, pin, at)
    return VerifiedStaff(found.id, found.name, found.version)


def _locked_until(case: Case, named: Candidate | None, at: datetime) -> datetime | None:
    """Return when the next try may be made, None when it may be made now."""
    ends = [case.sender.locked_until] if case.sender.is_locked(at) else []
    if case.day.failed >= rules.DAY_BUDGET * case.limit and case.day.is_locked(at):
        ends.append(case.day.locked_until)
    if named is not None and named.strikes.is_locked(at):
        ends.append(named.strikes.locked_until)
    return max((end for end in ends if end is not None), default=None)


def _matching(candidates: list[Candidate], pin: str) -> Candidate | None:
    if not candidates:
        pin_hashing.waste(pin)
    return next((row for row in candidates if pin_hashing.matches(row.pin_hash, row.pepper_id, pin)), None)


def _count(
    case: Case, merchant_id: UUID, subject: Subject, named: Candidate | None, at: datetime
) -> StaffPinInvalid:  # fmt: skip
    """Count a wrong PIN on the named person, or else on its sender, and on the sender's day."""
    if named is not None and subject.kind in rules.INSIDE:
        strikes = rules.after_wrong_pin(named.strikes, at=at, limit=case.limit, minutes=case.minutes)
        StaffPin.objects.filter(pk=named.id).update(
            failed_attempts=strikes.failed, locked_until=strikes.locked_until
        )  # fmt: skip
    else:
        strikes = rules.after_nobodys_pin(case.sender, at=at, limit=case.limit, minutes=case.minutes)
        PinGuard.objects.update_or_create(
            merchant_id=merchant_id, subject_kind=subject.kind, subject_id=subject.id, device=subject.device,
            defaults={
                "failed_attempts": strikes.failed, "lock_level": strikes.level, "locked_until": strikes.locked_until
            },
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT_FOR_THE_DAY,
            {"id": uuid7(), "merchant": merchant_id, "subject": subject.id, "at": at, "end": at + rules.DAY},
        )
    return StaffPinInvalid(attempts_remaining=0 if strikes.locked_until else case.limit - strikes.failed)


def _forgive(
    case: Case, merchant_id: UUID, subject: Subject, staff: Candidate, pin: str, at: datetime
) -> None:  # fmt: skip
    """Clear the strikes after a right PIN, note the use, and renew a hash made with an older pepper."""
    if case.sender != Strikes():
        PinGuard.objects.filter(
            merchant_id=merchant_id, subject_kind=subject.kind, subject_id=subject.id, device=subject.device
        ).delete()
    changes: dict[str, object] = {}
    if staff.strikes != Strikes():
        changes |= {"failed_attempts": 0, "locked_until": None}
    if pin_hashing.is_outdated(staff.pin_hash, staff.pepper_id):
        fresh = pin_hashing.make(merchant_id, pin)
        changes |= {"pin_hash": fresh.pin_hash, "pin_bucket": fresh.pin_bucket, "pepper_id": fresh.pepper_id}
    if changes or staff.last_used_at is None or at - staff.last_used_at >= NOTE_USE_EVERY:
        # The version keeps a PIN that was changed meanwhile from getting the old hash back.
        StaffPin.objects.filter(pk=staff.id, version=staff.version).update(last_used_at=at, **changes)
