"""Promise 4: many tills on one card lose no update and wait a bounded time; with a cooldown exactly one succeeds."""

import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import psycopg

from tests.drills.found import Budget, Finding
from tests.drills.journal import Event, Line
from tests.drills.stack import Shop, Stack

TITLE = "a hot card stays correct"
PROMISE = 4
CLIENTS = 32
STAMP = "/api/v1/store/loyalty/stamp"
# The card's lock is waited for 500 ms; 32 clients stand in line for the few threads that serve.
LOCK_SECONDS, LOCK_TRIES, LINE_SECONDS = (0.45, 1.2), 3, 10.0
WINDOW_MINUTES = 1
CROWD_SECONDS = 30.0


@dataclass
class Crowd:
    """32 clients that stamp one card until they are told to stop."""

    shop: Shop
    card_id: str
    pause: float = 0.0
    events: list[Event] = field(default_factory=list)

    def press(self, seconds: float) -> "Crowd":
        """Stamp for some seconds, each with keys of its own and without trying again."""
        ends = time.monotonic() + seconds
        barrier = threading.Barrier(CLIENTS)

        def one() -> None:
            line = Line(self.shop.url, {"Authorization": f"Bearer {self.shop.api_key}"})
            barrier.wait(CROWD_SECONDS)
            while True:
                event, _ = line.send("POST", STAMP, {"card_id": self.card_id}, key=f"hot-{uuid.uuid4()}")
                self.events.append(event)
                if time.monotonic() > ends:
                    break
                time.sleep(self.pause)
            line.close()

        with ThreadPoolExecutor(CLIENTS) as pool:
            for future in [pool.submit(one) for _ in range(CLIENTS)]:
                future.result()
        return self

    @property
    def outcomes(self) -> Counter[str]:
        """How often each thing happened: 201, or the code of the refusal."""
        return Counter(event.code or str(event.status) for event in self.events)

    @property
    def times(self) -> list[float]:
        """The seconds that the answers took, in order."""
        return sorted(event.at - event.asked_at for event in self.events)


def drill(stack: Stack, budget: Budget) -> Finding:
    """Press on one card without a cooldown, hold its lock, and press again with one."""
    free = stack.shop(cards=1, stamps_target=50)
    cooling = stack.shop(cards=budget.count(10, least=3), stamps_target=50, cooldown_minutes=15)
    parts = [without_cooldown(stack, free, budget), held_lock(stack, free), with_cooldown(stack, cooling)]
    if not budget.short:
        parts.append(over_two_windows(stack))
    return Finding(all(ok for ok, _ in parts), "; ".join(text for _, text in parts))


def without_cooldown(stack: Stack, shop: Shop, budget: Budget) -> tuple[bool, str]:
    """Every accepted stamp is on the card, no other is, and nobody waits for ever."""
    crowd = Crowd(shop, shop.cards[0]).press(budget.seconds * 0.7)
    done, times = crowd.outcomes["201"], crowd.times
    given = stamps_of(stack, shop.cards[0])
    ok = given == done > 0 and set(crowd.outcomes) <= {"201", "card_busy"} and times[-1] < LINE_SECONDS
    busy = crowd.outcomes["card_busy"]
    others = {code: count for code, count in crowd.outcomes.items() if code not in {"201", "card_busy"}}
    return ok, (
        f"{CLIENTS} clients, one card: {done} accepted, {given} in the ledger, {busy} × 409 card_busy"
        f"{f', {others}' if others else ''}, p50 {times[len(times) // 2] * 1000:.0f} ms, longest {times[-1]:.1f} s"
    )


def held_lock(stack: Stack, shop: Shop) -> tuple[bool, str]:
    """Somebody holds the card for long: a till is told so after about half a second."""
    line = Line(shop.url, {"Authorization": f"Bearer {shop.api_key}"})
    line.send("GET", f"/api/v1/store/loyalty/cards/{shop.cards[0]}")
    # The machine may have been busy with something else once.
    for _ in range(LOCK_TRIES):
        with psycopg.connect(stack.superuser_dsn) as holder:
            holder.execute("SELECT FROM loyalty_card WHERE id = %s FOR UPDATE", [shop.cards[0]])
            event, _ = line.send("POST", STAMP, {"card_id": shop.cards[0]}, key=f"held-{uuid.uuid4()}")
        took = event.at - event.asked_at
        ok = (event.status, event.code) == (409, "card_busy") and LOCK_SECONDS[0] < took < LOCK_SECONDS[1]
        if ok:
            break
    line.close()
    return ok and bool(event.retry_after), f"lock held: {event.status} {event.code} after {took * 1000:.0f} ms"


def with_cooldown(stack: Stack, shop: Shop) -> tuple[bool, str]:
    """32 clients at the same moment, on card after card: one success each."""
    outcomes: Counter[str] = Counter()
    given = []
    for card_id in shop.cards:
        outcomes += Crowd(shop, card_id).press(0.3).outcomes
        given.append(stamps_of(stack, card_id))
    ok = (
        set(given) == {1} and outcomes["201"] == len(given) and set(outcomes) <= {"201", "cooldown_active", "card_busy"}
    )
    refused = sum(outcomes.values()) - outcomes["201"]
    return ok, f"cooldown: {len(given)} cards, {outcomes['201']} accepted, {refused} refused"


def over_two_windows(stack: Stack) -> tuple[bool, str]:
    """With a cooldown of a minute and no end of clients, a stamp a minute is given."""
    shop = stack.shop(cards=1, stamps_target=50, cooldown_minutes=WINDOW_MINUTES)
    Crowd(shop, shop.cards[0], pause=0.5).press(WINDOW_MINUTES * 60 + 8)
    query = "SELECT occurred_at FROM loyalty_transaction WHERE card_id = %s AND type = 'stamp_earned' ORDER BY seq"
    moments = [row[0] for row in stack.rows(query, shop.cards[0])]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    ok = len(moments) == 2 and gaps[0] >= WINDOW_MINUTES * 60
    return (
        ok,
        f"window of {WINDOW_MINUTES} min: {len(moments)} accepted, {', '.join(f'{gap:.2f}' for gap in gaps)} s apart",
    )


def stamps_of(stack: Stack, card_id: str) -> int:
    """Return the stamps that a card was given in all."""
    query = (
        "SELECT coalesce(sum(stamps_delta), 0) FROM loyalty_transaction WHERE card_id = %s AND type = 'stamp_earned'"
    )
    return int(stack.rows(query, card_id)[0][0])
