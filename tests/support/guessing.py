"""Somebody who guesses PINs at a till, as fast as the locks let them, by a clock that is moved to the next try.

What counts are the tries that were compared with a hash in the worst 24 hours. The chance follows from them: a try
under a name meets one PIN, a try of a PIN alone may meet any of the people of the store.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from argon2 import PasswordHasher, Type

from core.ids import uuid7
from merchants.models import Merchant
from stores.models import StaffPin, Store
from stores.rules import pins as rules
from stores.services import pins
from stores.services.pins import Subject
from tests.factories.merchants import MerchantFactory
from tests.factories.stores import StaffPinFactory, StoreFactory

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(hours=24)
MOST = 0.001
PINS = ["482193", "735960", "604817"]
INSIDER = PINS[0]


def cheap_hasher() -> PasswordHasher:
    """Return argon2id at next to no cost: a day of tries is counted and a PIN space walked through."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)


@cache
def space() -> int:
    """How many PINs of six digits there are: the trivial ones are nobody's, and whoever guesses knows it."""
    return sum(not rules.is_trivial(f"{number:06}") for number in range(10**6))


@dataclass
class Shop:
    """A till in a store with three people, and somebody who guesses at it all day and night."""

    merchant: Merchant
    store: Store
    people: list[StaffPin]
    at: datetime = NOON
    subject: Subject = field(default_factory=lambda: Subject("terminal", uuid7()))
    tried: list[tuple[datetime, int]] = field(default_factory=list)
    wrong: Iterator[int] = field(default_factory=lambda: itertools.count(100_007, 7))

    @classmethod
    def make(cls, *, people: int = len(PINS), **allowed: Any) -> "Shop":
        word = uuid7().hex[-12:]
        merchant = MerchantFactory(allowed=allowed, slug=f"cafe-{word}")
        store = StoreFactory(merchant=merchant, code=f"store-{word}")
        pins = [*PINS, *(f"2{number:04}9" for number in range(len(PINS), people))]
        return cls(merchant, store, [StaffPinFactory(merchant=merchant, pin=pin) for pin in pins])

    def guess(self, who: StaffPin | None = None) -> datetime | None:
        """Try a PIN that is nobody's; return when the next try is let through, None when at once."""
        pin = f"{next(self.wrong):06}"
        assert pin not in PINS
        assert not pin.startswith("2")
        try:
            self._send(pin, who)
        except pins.StaffPinInvalid:
            self.tried.append((self.at, 1 if who else len(self.people)))
            return None
        except pins.StaffPinLocked as locked:
            return locked.facts["locked_until"]  # type: ignore[no-any-return]
        raise AssertionError("a wrong PIN opened the till")

    def own(self) -> None:
        """Type a right PIN, as somebody who works there can; it may be locked."""
        try:
            self._send(INSIDER, None)
        except pins.StaffPinLocked:
            return

    def chance(self) -> float:
        """Return the chance of having found a PIN in the worst 24 hours."""
        starts = [at for at, _ in self.tried]
        return max(sum(met for at, met in self.tried if start <= at < start + DAY) for start in starts) / space()

    def _send(self, pin: str, who: StaffPin | None) -> None:
        pins.verify(
            merchant_id=self.merchant.pk, store_id=self.store.pk, subject=self.subject, pin=pin,
            staff_id=who.pk if who else None, at=self.at,
        )  # fmt: skip


def alone(shop: Shop) -> list[datetime | None]:
    """Send PINs without a name."""
    return [shop.guess()]


def named(shop: Shop) -> list[datetime | None]:
    """Go round the names on the till."""
    return [shop.guess(person) for person in shop.people]


def mixed(shop: Shop) -> list[datetime | None]:
    """Names and PINs alone in turn."""
    return [*alone(shop), *named(shop)]


def insider(shop: Shop) -> list[datetime | None]:
    """Wipe the strikes away with one's own PIN before each guess."""
    shop.own()
    return alone(shop)


def patient(shop: Shop) -> list[datetime | None]:
    """One try first, so that the day ends early; then all that a day allows at its end and at the next one's start."""
    if not shop.tried:
        shop.guess(shop.people[0])
        shop.at += timedelta(hours=18)
    return insider(shop)


def spend(shop: Shop, way: Callable[[Shop], list[datetime | None]], days: int = 2) -> None:
    """Guess for some days, each time as soon as anything is let through."""
    end = shop.at + days * DAY
    while shop.at < end:
        waits = way(shop)
        if None not in waits:
            shop.at = min(wait for wait in waits if wait is not None)
