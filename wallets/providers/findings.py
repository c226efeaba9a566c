"""What an examination of a provider's credentials finds: step by step, each fine or with one exact fault."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

# Google refuses an assertion of the future, Apple a signature that is outside the certificate's life.
CLOCK_MAY_BE_OFF = timedelta(seconds=30)
SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One step: what was looked at, what is wrong with it ("" when nothing is), and what is good to know.

    code: names the fault for tests and scripts.
    """

    what: str
    fault: str = ""
    note: str = ""
    code: str = ""

    @property
    def is_fine(self) -> bool:
        """Whether nothing is wrong."""
        return not self.fault


def clock(answered: str | None, *, at: datetime, by: str) -> Finding | None:
    """Hold our clock against the Date header of an answer; None when there is none that can be read."""
    try:
        theirs = parsedate_to_datetime(answered or "")
    except ValueError:
        return None
    if theirs.tzinfo is None:
        return None
    off = at - theirs
    if abs(off) <= CLOCK_MAY_BE_OFF:
        return Finding("clock", note=f"agrees with {by}")
    side = "ahead of" if off > timedelta() else "behind"
    fault = f"this machine's clock is {abs(off).total_seconds():.0f} s {side} {by}: switch time synchronisation on"
    return Finding("clock", fault, code="clock_off")


def life(what: str, *, not_after: datetime, at: datetime) -> Finding:
    """Tell how long something is still valid."""
    days = (not_after - at).days
    if not_after <= at:
        return Finding(what, f"expired on {not_after:%Y-%m-%d}", code="expired")
    soon = "; renew it now, see docs/wallets.md" if days < SOON_DAYS else ""
    return Finding(what, note=f"valid until {not_after:%Y-%m-%d}, {days} days{soon}")
