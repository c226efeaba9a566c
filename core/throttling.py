"""The one place where requests are counted, and where it is decided what happens when Redis is away.

`allow` counts a hit in a fixed window. Open: without Redis everything passes (reads, enrolment must not stop because a
counter is away). Closed: without Redis nothing passes (guessing). PIN counters do not come here: they live in
PostgreSQL.
"""

import threading
import time

import redis
from django.conf import settings

from core.outbox import connect

TIMEOUT_SECONDS = 0.05
BREAKER_SECONDS = 5.0


class _Counter:
    """One client per process; after a failure Redis is left alone for a while."""

    def __init__(self) -> None:
        self._client: redis.Redis | None = None
        self._away_until = 0.0
        self._lock = threading.Lock()

    def hit(self, name: str, period: int) -> int | None:
        """Count one hit and return the number in this window; None when Redis is away."""
        if time.monotonic() < self._away_until:
            return None
        try:
            with self._lock:
                if self._client is None:
                    self._client = connect(timeout=TIMEOUT_SECONDS)
            window = int(time.time()) // period
            key = f"core:throttle:{name}:{window}"
            line = self._client.pipeline(transaction=False)
            line.incr(key)
            line.expire(key, period * 2)
            return int(line.execute()[0])
        except (redis.RedisError, OSError):
            self._away_until = time.monotonic() + BREAKER_SECONDS
            return None


_counter = _Counter()


def allow(name: str, *, limit: int, period: int, closed_without_redis: bool = False) -> bool:
    """Count one hit on `name` and tell whether it is within `limit` per `period` seconds (scaled by the setting)."""
    count = _counter.hit(name, period)
    if count is None:
        return not closed_without_redis
    return count <= limit * settings.LOYALTY_THROTTLE_SCALE


def seconds_left(period: int) -> int:
    """Return how long the current window of `period` seconds still lasts."""
    return period - int(time.time()) % period
