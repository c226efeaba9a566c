"""Counters of a fixed window of time: tests that count begin when enough of it is left."""

import time

from core import throttling


def whole(period: int, seconds: int = 10) -> None:
    """Return when the window of `period` seconds lasts for so many seconds more."""
    if (left := throttling.seconds_left(period)) < seconds:
        time.sleep(left)
