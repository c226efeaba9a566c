"""Hashes of staff PINs: argon2id over HMAC(pepper, PIN), and five bits that narrow the candidates.

The pepper lives in the environment, never in the database: whoever has only a dump cannot try PINs. A full blind index
beside the hash would undo argon2id the day the pepper leaks, so only five bits of it are kept.
"""

import hashlib
import hmac
import os
import re
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from django.conf import settings

from core.slots import HostSlots

# OWASP's minimum for argon2id: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
# Nobody's hash, of the same cost: checking a PIN against it takes the time of a real check and always fails.
_NOBODY = f"$argon2id$v=19$m=19456,t=2,p=1${'bm9ib2R5LW5vLXNhbHQ'}${'bm9ib2R5' * 5}bm8"
# Each hash takes 19 MiB and one core: never more than half the cores of the host at once.
_slots = HostSlots("loyalty-pin-hashing", max(1, (os.cpu_count() or 1) // 2))
BUCKETS = 32
MARK_SECONDS = 15 * 60
MAX_MARKS = 4096
_NAMED = re.compile(r"([A-Za-z0-9_.-]{1,16}):(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pepper:
    """A secret that every PIN is mixed with; the id stands in the rows made with it."""

    id: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class Hashed:
    """What a row keeps of a PIN."""

    pin_hash: str
    pin_bucket: int
    pepper_id: str


class _Marks:
    """PINs that this process has lately found right, as keyed hashes in memory, so that a till need not wait twice."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def _name(self, pin_hash: str, pin: str) -> bytes:
        return hmac.digest(self._key, f"{pin_hash}\x00{pin}".encode(), "sha256")

    def knows(self, pin_hash: str, pin: str) -> bool:
        with self._lock:
            return self._until.get(self._name(pin_hash, pin), 0.0) > time.monotonic()

    def add(self, pin_hash: str, pin: str) -> None:
        with self._lock:
            self._until[self._name(pin_hash, pin)] = time.monotonic() + MARK_SECONDS
            while len(self._until) > MAX_MARKS:
                self._until.popitem(last=False)


_marks = _Marks()


def peppers() -> tuple[Pepper, ...]:
    """Return the configured peppers, the current one first. Each is a secret, or `id:secret`."""
    return _parse(tuple(settings.LOYALTY_PIN_PEPPERS))


@lru_cache(maxsize=8)
def _parse(values: tuple[str, ...]) -> tuple[Pepper, ...]:
    found = []
    for value in values:
        named = _NAMED.fullmatch(value)
        if named:
            found.append(Pepper(named[1], named[2].encode()))
        else:
            digest = hashlib.sha256(b"name of a pepper" + value.encode()).hexdigest()
            found.append(Pepper(digest[:8], value.encode()))
    return tuple(found)


def bucket(pepper: Pepper, merchant_id: UUID, pin: str) -> int:
    """Return five bits of HMAC(pepper, merchant ‖ PIN)."""
    return hmac.digest(pepper.secret, b"bucket" + merchant_id.bytes + pin.encode(), "sha256")[0] % BUCKETS


def buckets(merchant_id: UUID, pin: str) -> list[tuple[str, int]]:
    """Return (pepper id, bucket) for each configured pepper: where rows with this PIN can be."""
    return [(pepper.id, bucket(pepper, merchant_id, pin)) for pepper in peppers()]


def make(merchant_id: UUID, pin: str) -> Hashed:
    """Hash a PIN under the current pepper."""
    pepper = peppers()[0]
    with _slots.taken():
        pin_hash = _hasher.hash(_peppered(pepper, pin))
    return Hashed(pin_hash, bucket(pepper, merchant_id, pin), pepper.id)


def matches(pin_hash: str, pepper_id: str, pin: str) -> bool:
    """Tell whether a PIN is the hashed one. Costs a hash, except for a PIN that was right here a moment ago."""
    if _marks.knows(pin_hash, pin):
        return True
    pepper = next((known for known in peppers() if known.id == pepper_id), None)
    if pepper is None:
        waste(pin)
        return False
    try:
        with _slots.taken():
            _hasher.verify(pin_hash, _peppered(pepper, pin))
    except (VerificationError, InvalidHashError):
        return False
    _marks.add(pin_hash, pin)
    return True


def waste(pin: str) -> None:
    """Spend the time of one hash, so that "nobody" takes as long as "wrong"."""
    try:
        with _slots.taken():
            _hasher.verify(_NOBODY, _peppered(peppers()[0], pin))
    except VerificationError:
        return


def is_outdated(pin_hash: str, pepper_id: str) -> bool:
    """Tell whether a hash is to be made anew at its next use: an older pepper or older parameters."""
    return pepper_id != peppers()[0].id or _hasher.check_needs_rehash(pin_hash)


def _peppered(pepper: Pepper, pin: str) -> bytes:
    return hmac.digest(pepper.secret, b"pin" + pin.encode(), "sha256")
