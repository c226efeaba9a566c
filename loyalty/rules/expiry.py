"""When points expire by inactivity, and when customers are warned (rule 13): dates and values, no database, no clock.

Points are valid through the end of a local day in the merchant's zone: the day of the customer's last earn or redeem
plus the program's days, but not before `expiry_not_before`, which a change of the rules sets so that everybody can be
warned. Only a running program lets points expire: who cannot earn (draft, pause, end) loses nothing meanwhile.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from loyalty.rules import timing
from loyalty.rules.states import CardState
from merchants.enums import UNPAID, MerchantStatus

# Days before the last valid day on which a customer is told, the earliest first.
WARNINGS = (30, 7)
NOTICE = timedelta(days=WARNINGS[0])
DAY = timedelta(days=1)
# Late or suspended for longer than this, a merchant's cards do not work, and nothing on them expires (rule 5).
GRACE = timedelta(days=60)
STOPPED = UNPAID


def is_stopped(status: str, since: datetime, at: datetime) -> bool:
    """Tell whether a merchant's cards do not work: closed, or late or suspended for more than 60 days."""
    return status == MerchantStatus.CLOSED or (status in STOPPED and at - since > GRACE)


class Expiring(Protocol):
    """What expiry needs to know of a program, whether it is a row or plain rules."""

    @property
    def status(self) -> str:
        """Where the program stands."""

    @property
    def has_points(self) -> bool:
        """Whether it counts points."""

    @property
    def points_expiration_days(self) -> int:
        """Days of silence after which points expire, 0 for never."""

    @property
    def expiry_not_before(self) -> date | None:
        """The first last day there may be."""


def local_date(at: datetime, time_zone: str) -> date:
    """Return the date on the wall of a time zone."""
    return at.astimezone(timing.zone(time_zone)).date()


def end_of(day: date, time_zone: str) -> datetime:
    """Return the instant (UTC) at which a local day is over; a day of a clock change has 23 or 25 hours."""
    return datetime.combine(day + timedelta(days=1), time(0), tzinfo=timing.zone(time_zone)).astimezone(UTC)


def applies(program: Expiring) -> bool:
    """Tell whether points of the program expire at the moment."""
    return program.points_expiration_days > 0 and program.status == "active" and program.has_points


def last_day(last_activity_on: date, program: Expiring) -> date | None:
    """Return the last day on which a card's points are valid, None when they do not expire (now)."""
    if not applies(program):
        return None
    by_silence = last_activity_on + timedelta(days=program.points_expiration_days)
    return max(by_silence, program.expiry_not_before or by_silence)


def expired_on(card: CardState, program: Expiring, today: date) -> date | None:
    """Return the last day on which the card's points were valid when that is over, else None; no points, no expiry."""
    last = last_day(card.last_activity_on, program)
    return last if last is not None and last < today and card.points_balance > 0 else None


def extends(visit: date, last: date, program: Expiring) -> bool:
    """Tell whether a visit on a day would have moved the last valid day beyond `last`."""
    return visit + timedelta(days=program.points_expiration_days) > last


def warning(last: date, today: date, program: Expiring) -> int | None:
    """Return which warning fits today: 30 or 7 days before the last day, None for none.

    A late look finds the one that fits best. Where points live no longer than a warning's lead there is no such
    warning: it would follow each visit.
    """
    left = (last - today).days
    fitting = [days for days in WARNINGS if 0 <= left <= days < program.points_expiration_days]
    return min(fitting, default=None)


def not_before(today: date) -> date:
    """Return the first last day that leaves everybody the time to be warned."""
    return today + NOTICE


def comes_sooner(old_days: int, new_days: int) -> bool:
    """Tell whether a change of points_expiration_days lets points expire that would not have expired yet."""
    return new_days > 0 and (old_days == 0 or new_days < old_days)


def with_notice(last_activity_on: date, program: Expiring, today: date) -> date:
    """Return the day to count silence from so that the points on a card live for the notice at least.

    For points that come onto a card by other means than its customer's visit (an adjustment, a card that was frozen):
    they extend nothing, and do not vanish unannounced.
    """
    if not program.points_expiration_days:
        return last_activity_on
    return max(last_activity_on, today + NOTICE - timedelta(days=program.points_expiration_days))
