"""Promise 9: Redis is emptied, killed and away for half a minute; tills do not notice, and passes follow afterwards."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import redis

from tests.drills import phones
from tests.drills.found import Budget, Finding
from tests.drills.phones import TARGET, Wallets
from tests.drills.stack import Shop, Stack, until
from tests.stack.shop import Answer

TITLE = "Redis may vanish"
PROMISE = 9
CARDS, PAUSE = 4, 0.4
MOST_STAMPS = TARGET - 2
DELIVERED_SECONDS = 120.0
DOWN_SECONDS, DOWN_SHORT = 30.0, 5.0
BREAKER_SECONDS = 30.0
# By then a till stops, whatever became of the drill.
WORK_SECONDS = 120.0
# Five wrong PINs lock, so that the sixth shows that they were counted.
LEAST_GUESSES = 7
CLOSED = {429, 503}


@dataclass
class Till:
    """Gives stamps on some cards, in turn, until it is told to stop."""

    shop: Shop
    cards: list[str]
    given: Counter[str] = field(default_factory=Counter)
    refused: list[Answer] = field(default_factory=list)
    slowest: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self.deadline = time.monotonic() + WORK_SECONDS
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()

    def work(self, card: str) -> None:
        """Stamp one card; it never gets so many that a reward would start it anew."""
        while not self.over.wait(PAUSE) and self.given[card] < MOST_STAMPS and time.monotonic() < self.deadline:
            answer = self.shop.stamp(card)
            self.slowest = max(self.slowest, answer.seconds)
            if answer.status == 201:
                self.given[card] = answer.body["stamp_count"]
            else:
                self.refused.append(answer)


def drill(stack: Stack, budget: Budget) -> Finding:
    """Stamp all the time: while Redis is emptied, killed, away, and back."""
    down = DOWN_SHORT if budget.short else DOWN_SECONDS
    shop = stack.shop(cards=1, stamps_target=TARGET)
    wallets = Wallets(stack, shop)
    # More cards than one needs, since each takes only so many stamps in the time that Redis is away.
    cards = [wallets.add(kind) for _ in range(CARDS // 2 if budget.short else CARDS) for kind in ("apple", "google")]
    till = Till(shop, cards)
    open_before = until(lambda: phones.pair(shop) == 302, BREAKER_SECONDS)
    with ThreadPoolExecutor(len(cards)) as pool, till:
        work = [pool.submit(till.work, card) for card in cards]
        time.sleep(1)
        _line(stack.redis_url).flushall()
        time.sleep(1)
        with away(stack):
            began = time.monotonic()
            till_then = sum(till.given.values())
            reads, pairings, guesses = while_away(shop, lambda began=began: time.monotonic() - began < down)
            without = sum(till.given.values()) - till_then
        returned = time.monotonic()
        time.sleep(1)
        till.over.set()
        for one in work:
            one.result(WORK_SECONDS)
    behind = until(lambda: not wallets.behind(till.given), DELIVERED_SECONDS)
    took = time.monotonic() - returned
    open_after = until(lambda: phones.pair(shop) == 302, BREAKER_SECONDS)
    # A pass may be up to date by a later event while an earlier one still waits for its next try.
    until(lambda: not _unsent(stack, shop), DELIVERED_SECONDS)
    left = _unsent(stack, shop)
    ok = (
        not till.refused and without > 0 and behind and not left and open_before and open_after
        and set(reads) == {200} and set(pairings) <= CLOSED and guesses[403] <= 5 and guesses[423] > 0
    )  # fmt: skip
    figure = (
        f"{down:.0f} s away: {sum(till.given.values())} stamps, {without} of them without Redis, {len(till.refused)} "
        f"refused, the slowest {till.slowest * 1000:.0f} ms; {len(cards)} passes "
        f"{'up to date' if behind else wallets.behind(till.given)} {took:.1f} s after its return, "
        f"events left: {_told(left) or 'none'}; meanwhile reads {_told(reads)}, pairing {_told(pairings)} "
        f"({'open' if open_before else 'closed'} before, {'open' if open_after else 'closed'} after), "
        f"wrong PINs {_told(guesses)}"
    )
    return Finding(ok, figure)


def while_away(shop: Shop, going_on: Callable[[], bool]) -> tuple[Counter[int], Counter[int], Counter[int]]:
    """Read, pair and guess as long as Redis is away; returns the statuses of each."""
    reads, pairings, guesses = Counter[int](), Counter[int](), Counter[int]()
    while going_on() or sum(guesses.values()) < LEAST_GUESSES:
        reads[shop.call("store/loyalty/cards").status] += 1
        pairings[phones.pair(shop)] += 1
        wrong = f"{100_007 + 7 * sum(guesses.values()):06}"
        guesses[shop.call("store/loyalty/pins/verify", {"staff_pin": wrong}, X_Terminal="guesser").status] += 1
        time.sleep(PAUSE)
    return reads, pairings, guesses


@contextlib.contextmanager
def away(stack: Stack) -> Iterator[None]:
    """Kill Redis, and keep its successor, which knows nothing, behind a closed door while the block runs."""
    door = Path(stack.redis_url.removeprefix("unix://").partition("?")[0])
    closed = door.with_suffix(".away")
    killed = stack.kill("valkey")
    # The launcher starts another one at once, and says so when it answers.
    stack.wait_for(lambda: stack.processes().get("valkey", killed) != killed, 20, "another Valkey")
    door.rename(closed)
    try:
        with _line(f"unix://{closed}") as line:
            line.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            line.execute_command("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes")
            line.flushall()
        yield
    finally:
        closed.rename(door)


def _unsent(stack: Stack, shop: Shop) -> Counter[str]:
    """Return how many events of the shop are in which state but sent."""
    sql = "SELECT state, count(*) FROM core_outboxevent WHERE merchant_id = %s AND state <> 'sent' GROUP BY state"
    return Counter(dict(stack.rows(sql, shop.merchant_id)))


def _line(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=5)


def _told(statuses: Counter[Any]) -> str:
    return ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))
