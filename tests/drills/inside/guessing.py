"""Promise 13 from inside: days of guesses at tills, by a clock that jumps to the next try that is let through.

argon2id costs next to nothing here, as in tests/promises/test_13_guessing.py; locks and counters are the product's.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

from django.db import connections

from stores.services import pin_hashing
from tests.support import guessing
from tests.support.guessing import DAY, Shop, alone, insider, mixed, named, patient, spend

THREADS = 4
USUAL: dict[str, int] = {}
RULES = (USUAL, {"pin_max_failed_attempts": 20, "pin_lockout_minutes": 1}, {"pin_max_failed_attempts": 1})


def main(*, base: str, short: bool, sprayed: int) -> dict[str, Any]:
    """Guess at one till in every way, then at one till each of many merchants; chances are those of a worst day."""
    pin_hashing._hasher = guessing.cheap_hasher()
    pin_hashing._NOBODY = pin_hashing._hasher.hash(b"nobody")
    ways = (alone, insider) if short else (alone, named, mixed, insider, patient)
    days = list(product(ways, RULES[:1] if short else RULES))
    with ThreadPoolExecutor(THREADS) as pool:
        single = list(pool.map(lambda day: _closing(lambda: _spent(*day)), days))
        many = list(pool.map(lambda _: _closing(_burst), range(sprayed)))
        whole = list(pool.map(lambda _: _closing(lambda: _spent(mixed, USUAL, days=1)), range(max(2, sprayed // 100))))
    crowd = _spent(insider, USUAL, people=40)
    return {
        "ways": len(days), "tries": sum(tries for tries, _ in single), "chance": max(chance for _, chance in single),
        "chance of 40 people": crowd[1], "sprayed": len(many), "sprayed tries": sorted(set(many)),
        "sprayed a day": sorted({tries for tries, _ in whole}), "sprayed chance": max(chance for _, chance in whole),
        "most": guessing.MOST,
    }  # fmt: skip


def _spent(way: Any, allowed: dict[str, int], *, days: int = 2, people: int = 3) -> tuple[int, float]:
    shop = Shop.make(people=people, **allowed)
    spend(shop, way, days=days)
    return len(shop.tried), shop.chance()


def _burst() -> int:
    """Guess at another merchant's till until it is locked; returns how many tries were let through."""
    shop = Shop.make()
    while alone(shop) == [None] and len(shop.tried) < 1000:
        shop.at += DAY / 100_000
    return len(shop.tried)


def _closing(work: Any) -> Any:
    try:
        return work()
    finally:
        connections.close_all()
