"""The one place where requests are counted, and where it is decided what happens when Redis is away.

`allow` counts a hit in a fixed window. Open: without Redis everything passes (reads, enrolment must not stop because a
counter is away). Closed: without Redis nothing passes (guessing). PIN counters do not come here: they live in
PostgreSQL.
"""

import threading
import time
from dataclasses import dataclass

import redis
from django.conf import settings

from core.outbox import connect

TIMEOUT_SECONDS = 0.05
BREAKER_SECONDS = 5.0
STEPS = 50
MOST_SHARES = 10_000


@dataclass(slots=True)
class _Share:
    """What a process knows of a window's counter, and how many hits of its own it has not told yet."""

    window: int
    known: int
    step: int
    untold: int = 0


class _Counter:
    """One client per process; after a failure Redis is left alone for a while."""

    def __init__(self) -> None:
        self._client: redis.Redis | None = None
        self._away_until = 0.0
        self._lock = threading.Lock()
        self._shares: dict[str, _Share] = {}

    def step(self, name: str, period: int, limit: float) -> int | None:
        """Count one hit, telling Redis of several at once while the limit is far; returns what is known of the window.

        A step is a fiftieth of what is left, so each process passes the limit by two in a hundred at the very most.
        """
        window = int(time.time()) // period
        with self._lock:
            share = self._shares.get(name)
            untold = 1
            if share is not None and share.window == window:
                share.untold += 1
                if share.untold < share.step:
                    return share.known + share.untold
                untold, share.untold = share.untold, 0
        count = self.hit(name, period, untold)
        if count is not None:
            with self._lock:
                if len(self._shares) >= MOST_SHARES:
                    self._shares.clear()
                meanwhile = self._shares.get(name)
                untold = meanwhile.untold if meanwhile is not None and meanwhile.window == window else 0
                self._shares[name] = _Share(window, count, max(1, int(limit - count) // STEPS), untold)
        return count

    def hit(self, name: str, period: int, hits: int = 1) -> int | None:
        """Count hits and return their number in this window; None when Redis is away."""
        if time.monotonic() < self._away_until:
            return None
        try:
            with self._lock:
                if self._client is None:
                    self._client = connect(timeout=TIMEOUT_SECONDS)
            window = int(time.time()) // period
            key = f"core:throttle:{name}:{window}"
            line = self._client.pipeline(transaction=False)
            line.incrby(key, hits)
            line.expire(key, period * 2)
            return int(line.execute()[0])
        except (redis.RedisError, OSError):
            self._away_until = time.monotonic() + BREAKER_SECONDS
            return None


_counter = _Counter()


def allow(
    name: str, *, limit: int, period: int, closed_without_redis: bool = False, in_steps: bool = False
) -> bool:  # fmt: skip
    """Count one hit on `name` and tell whether it is within `limit` per `period` seconds (scaled by the setting).

    in_steps: for limits of hundreds a second, that bound load and guard no secret: Redis is told of several at once.
    """
    scaled = limit * settings.LOYALTY_THROTTLE_SCALE
    count = _counter.step(name, period, scaled) if in_steps else _counter.hit(name, period)
    if count is None:
        return not closed_without_redis
    return count <= scaled


def seconds_left(period: int) -> int:
    """Return how long the current window of `period` seconds still lasts."""
    return period - int(time.time()) % period
