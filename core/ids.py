"""Identifiers: UUID version 7, made by the application so that PostgreSQL 15 suffices."""

import secrets
import threading
import time
import uuid
from datetime import datetime

_lock = threading.Lock()
_last = (0, 0)


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7 (RFC 9562, method 1): 48 bits of Unix milliseconds, a 12-bit counter, 62 random bits.

    Ids made by one process strictly increase, also within a millisecond, so that they sort in the order of making.
    """
    global _last  # noqa: PLW0603 - the clock of this process, behind a lock
    with _lock:
        now, (ms, counter) = time.time_ns() // 1_000_000, _last
        if now > ms:
            ms, counter = now, secrets.randbits(10)
        elif counter < 0xFFF:
            counter += 1
        else:
            ms, counter = ms + 1, 0
        _last = (ms, counter)
    value = (ms & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def first_of(moment: datetime) -> uuid.UUID:
    """Return the smallest of the ids that are made at a moment: those of later rows are greater."""
    return uuid.UUID(int=max(int(moment.timestamp() * 1000), 0) << 80)
