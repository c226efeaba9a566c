"""How fast we may speak to Google: one pace for all processes, kept in Redis, the urgent first.

A request waits until the gap since the last one has passed and nobody more urgent waits, nor anybody as urgent who came
before. A permission is for now: who is held up before using it asks anew, so that two of them never fall together at
Google.
"""

import random
import threading
import time
from dataclasses import dataclass, field
from secrets import token_hex

import redis

from core.outbox import connect

GAP_MICROSECONDS = 1_000_000 // 18
KEY, WAITING = "wallets:google:pace", "wallets:google:waiting"
LONGEST_SLEEP = 0.05
WAITER_MICROSECONDS = 200_000
FRESH_SECONDS = 0.03
TIMEOUT_SECONDS = 0.25
AWAY_SECONDS = 2.0
LOCAL_GAP_SECONDS = 0.25
# Who waits is known by `<rank>:<since>:<id>`, in whose order they go; who does not ask again is forgotten. Answers 0 or
# the wait in µs.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local me, gap, stay = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local free = tonumber(redis.call('GET', KEYS[1]) or '0')
if free > now + 2 * gap then
  -- Redis' clock was set back.
  free = now + gap
  redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', 5000)
end
local wait = free - now
if wait <= 0 then
  for _, other in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    if other < me then wait = gap end
  end
end
if wait > 0 then
  redis.call('ZADD', KEYS[2], now + stay, me)
  redis.call('PEXPIRE', KEYS[2], 5000)
  return wait
end
redis.call('ZREM', KEYS[2], me)
redis.call('SET', KEYS[1], string.format('%.0f', now + gap), 'PX', 5000)
return 0
"""


@dataclass
class _Shared:
    """What this process remembers: its Redis client, and its own slow pace for when Redis is away."""

    client: redis.Redis | None = None
    away_until: float = 0.0
    next_local: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


_shared = _Shared()


def take(priority: int, *, seconds: float) -> bool:
    """Wait for the permission to send one request now; False when `seconds` went by without one."""
    me, end = f"{int(priority):03}:{time.time_ns() // 1000:017}:{token_hex(4)}", time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        wait = _ask(me)
        if wait <= 0 and time.monotonic() - asked <= FRESH_SECONDS:
            return True
        if time.monotonic() + max(wait, 0) >= end:
            return False
        time.sleep(min(max(wait, 0), LONGEST_SLEEP) + random.uniform(0, 0.001))  # noqa: S311 - spreads the askers


def _ask(me: str) -> float:
    """Return 0 when the request may go now, else the seconds after which to ask again."""
    if time.monotonic() >= _shared.away_until:
        try:
            wait = _client().eval(TAKE, 2, KEY, WAITING, me, GAP_MICROSECONDS, WAITER_MICROSECONDS)
            return int(wait) / 1_000_000
        except (redis.RedisError, OSError):
            _shared.away_until = time.monotonic() + AWAY_SECONDS
    return _ask_locally()


def _ask_locally() -> float:
    """Keep to a pace that several processes may have at once without exceeding the limit together."""
    with _shared.lock:
        now = time.monotonic()
        if now < _shared.next_local:
            return _shared.next_local - now
        _shared.next_local = now + LOCAL_GAP_SECONDS
        return 0.0


def _client() -> redis.Redis:
    with _shared.lock:
        if _shared.client is None:
            _shared.client = connect(timeout=TIMEOUT_SECONDS)
        return _shared.client


def forget() -> None:
    """Begin anew in this process, for another address of Redis."""
    with _shared.lock:
        _shared.client, _shared.away_until, _shared.next_local = None, 0.0, 0.0
