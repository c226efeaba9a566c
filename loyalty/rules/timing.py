"""Time: business days, daily limits and cooldowns. Instants are UTC; days are the store's own."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """Return a time zone, cached."""
    return ZoneInfo(name)


def business_date(instant: datetime, time_zone: str, day_start: time) -> date:
    """Return the store's business day of an instant: the local date, where the day turns at `day_start` by the clock.

    A day of a clock change has 23 or 25 hours and is still one day (rule 15).
    """
    local = instant.astimezone(zone(time_zone)).replace(tzinfo=None)
    return (local - _offset(day_start)).date()


def day_ends(instant: datetime, time_zone: str, day_start: time) -> datetime:
    """Return the instant (UTC) at which the business day of `instant` ends."""
    following = business_date(instant, time_zone, day_start) + timedelta(days=1)
    return datetime.combine(following, day_start, tzinfo=zone(time_zone)).astimezone(UTC)


def cooldown_ends(last_stamp_at: datetime | None, minutes: int) -> datetime | None:
    """Return when the next stamp is allowed: elapsed real time after the last accepted one; None when it is already."""
    if last_stamp_at is None or minutes == 0:
        return None
    return last_stamp_at + timedelta(minutes=minutes)


def _offset(day_start: time) -> timedelta:
    return timedelta(hours=day_start.hour, minutes=day_start.minute, seconds=day_start.second)
