"""Rules of staff PINs: what a PIN looks like, who sent it, how long a lock lasts. No database, no clock."""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.functional import lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError

MIN_DIGITS, MAX_DIGITS, OFFERED_DIGITS = 4, 8, 6
# Four and five digits work, with a warning: a day of tries finds them more often than we promise for six.
WARN_BELOW_DIGITS = 6
SESSION_LENGTH = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=24)
# Wrong PINs that one key or terminal may send in 24 hours, in multiples of the merchant's limit, whatever happens in
# between: right PINs of one's own, other names, other tills of the same key.
DAY = timedelta(hours=24)
DAY_BUDGET = 40
# However generous a merchant's own limit is: promise 13 holds for six digits whatever is set.
MOST_A_DAY = 200
# Only what a manager has let in may lock a person's PIN; a visitor's phone locks nothing but itself.
INSIDE = frozenset({"api_key", "terminal", "user"})
# An address is shared by every phone in the shop: it may send so many times what one phone may.
SHARED = {"address": 4}

_FORM = re.compile(r"[0-9]{4,8}")
_SILLY = frozenset(
    {"2580", "0852", "1122", "1313", "2211", "4455", "6969", "5683", "11223344", "112233", "123321", "12344321"}
    | {"112233", "332211", "123123", "321321", "159753", "147258", "789456", "147258369", "159357", "1234554321"}
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What sent a PIN: a terminal, an API key (with the till it names), a person's session, a visitor's card."""

    kind: str
    id: UUID
    device: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", self.device.replace("\x00", "")[:64])


@dataclass(frozen=True, slots=True)
class VerifiedStaff:
    """A staff member who has just typed the right PIN; `version` is that of the PIN."""

    id: UUID
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class SessionClaims:
    """What a PIN session says; it holds only while the staff member's PIN still has this version."""

    staff_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Strikes:
    """Wrong tries so far and the lock they led to; `level` counts the locks since the last right PIN."""

    failed: int = 0
    level: int = 0
    locked_until: datetime | None = None

    def is_locked(self, at: datetime) -> bool:
        """Tell whether nothing may be tried now."""
        return self.locked_until is not None and at < self.locked_until


class StaffPinRequired(DomainError):
    """The operation needs a PIN or a PIN session and got none."""

    code, status = "staff_pin_required", 403
    message = _("Enter your PIN.")


class StaffSessionExpired(StaffPinRequired):
    """The PIN session is over, belongs to something else or was never one of ours."""

    message = _("Your PIN session is over. Enter your PIN again.")


class StaffPinInvalid(DomainError):
    """Wrong PIN, or no such person: the answer is the same."""

    code, status = "staff_pin_invalid", 403

    def __init__(self, *, attempts_remaining: int) -> None:
        super().__init__(message=_wrong(attempts_remaining), attempts_remaining=attempts_remaining)


class StaffPinLocked(DomainError):
    """Too many wrong tries; nothing is tried before `locked_until`."""

    code, status = "staff_pin_locked", 423

    def __init__(self, *, locked_until: datetime, at: datetime, zone: str) -> None:
        wait = max(1, int((locked_until - at).total_seconds()) + 1)
        super().__init__(message=_locked(locked_until, zone), retry_after=wait, locked_until=locked_until)


def is_pin(text: str) -> bool:
    """Tell whether a text has the form of a PIN: 4 to 8 digits."""
    return _FORM.fullmatch(text) is not None


def is_trivial(pin: str) -> bool:
    """Tell whether a PIN is among the first that anyone would try: 0000, 1234, 9876, 1212, 123123, 2580 …"""
    digits = [int(digit) for digit in pin]
    steps = {(after - before) % 10 for before, after in pairwise(digits)}
    if steps in ({0}, {1}, {9}) or pin in _SILLY:
        return True
    return any(pin == pin[:length] * (len(pin) // length) for length in (2, 3) if len(pin) % length == 0)


def generate() -> str:
    """Return a random PIN of six digits that is not trivial."""
    while True:
        pin = f"{secrets.randbelow(10**OFFERED_DIGITS):0{OFFERED_DIGITS}d}"
        if not is_trivial(pin):
            return pin


def day_budget(limit: int) -> int:
    """Return how many wrong PINs one sender may send in 24 hours, at a merchant's limit of tries in a row."""
    return min(DAY_BUDGET * limit, MOST_A_DAY)


def worth(subject: Subject, *, named: bool, people: int) -> int:
    """Return how many tries of its day a wrong PIN costs its sender: at a till without a name, one per person it met.

    A till shows the names, so a PIN alone is rare there. A POS sends nothing else, and many tills through one key.
    """
    return max(1, people) if subject.kind in ("terminal", "user") and not named else 1


def share(subject: Subject) -> int:
    """Return how many times the merchant's limit of wrong PINs a sender may use up."""
    return SHARED.get(subject.kind, 1)


def after_wrong_pin(strikes: Strikes, *, at: datetime, limit: int, minutes: int) -> Strikes:
    """Return a person's strikes after a wrong PIN: at the limit a lock of `minutes`, then a fresh start."""
    over = strikes.locked_until is not None and not strikes.is_locked(at)
    failed = 1 if over else strikes.failed + 1
    if failed >= limit:
        return Strikes(failed=failed, locked_until=at + timedelta(minutes=minutes))
    return Strikes(failed=failed)


def after_nobodys_pin(strikes: Strikes, *, at: datetime, limit: int, minutes: int) -> Strikes:
    """Return a sender's strikes after a PIN that is nobody's: each lock lasts twice the one before, 24 h at most."""
    failed = strikes.failed + 1
    if failed < limit:
        return Strikes(failed=failed, level=strikes.level)
    doublings = min(strikes.level, 16)
    length = min(timedelta(minutes=minutes) * 2**doublings, LONGEST_LOCK)
    return Strikes(failed=0, level=strikes.level + 1, locked_until=at + length)


def _wrong_text(remaining: int) -> str:
    if remaining <= 0:
        return gettext("Wrong PIN. No tries left for now.")
    return ngettext("Wrong PIN. %(count)d try left.", "Wrong PIN. %(count)d tries left.", remaining) % {
        "count": remaining
    }


def _locked_text(locked_until: datetime, zone: str) -> str:
    local = locked_until.astimezone(ZoneInfo(zone) if zone else UTC)
    return gettext("Too many wrong PINs. Try again at %(time)s.") % {"time": f"{local:%H:%M}"}


# Written in the language that is active when somebody reads the error.
_wrong: Any = lazy(_wrong_text, str)
_locked: Any = lazy(_locked_text, str)
