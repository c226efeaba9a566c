"""Promise 10: the database restarts at once under load; there are errors only while it is down, and they are polite."""

import contextlib
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Self

import psycopg

from tests.drills.found import Budget, Finding
from tests.drills.journal import Event, Journal, Line, compare
from tests.drills.stack import Shop, Stack, until

TITLE = "the database may restart"
PROMISE = 10
# What was asked before the database was back may be answered with an error this much later.
GRACE = 0.5
LONG_SECONDS = 10.0
# A database that recovered writes a checkpoint before its first commit, as fast as the disk is.
AGAIN_SECONDS, NEVER = 20.0, 99.0


@dataclass
class Readers:
    """Those who look while tills stamp: a card over the API, a page, and the probe of a load balancer."""

    stack: Stack
    shop: Shop
    events: list[Event] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.closing = threading.Event()
        paths = {
            "card": f"/api/v1/store/loyalty/cards/{self.shop.cards[0]}",
            "page": f"/loyalty/{self.shop.store_code}/enroll",
            "readyz": "/readyz",
        }
        self.threads = [threading.Thread(target=self._read, args=item, daemon=True) for item in paths.items()]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        for thread in self.threads:
            thread.join(30)

    def _read(self, what: str, path: str) -> None:
        headers = {"Authorization": f"Bearer {self.shop.api_key}"} if what == "card" else {}
        line = Line(self.shop.url, headers)
        while not self.closing.wait(0.02):
            event, _ = line.send("GET", path)
            self.events.append(Event(event.asked_at, event.at, event.status, event.code, event.retry_after, what))
        line.close()


def drill(stack: Stack, budget: Budget) -> Finding:
    """Restart the database several times (immediate: every connection is cut, the log is replayed)."""
    shop = stack.shop(cards=40, stamps_target=50)
    windows = []
    with Journal(shop, tills=8) as journal, Readers(stack, shop) as readers:
        time.sleep(1)
        for number in range(budget.count(5, least=2)):
            # The first one is an outage; the others come back as quickly as the keeper can.
            windows.append(restart(stack, away=0 if number else LONG_SECONDS * budget.share))
            time.sleep(max(1.5, budget.seconds / 8))
            # The next one comes when this one is over, however long the disk takes.
            until(lambda up=windows[-1][1]: first_success(journal.events, up) < NEVER, AGAIN_SECONDS)
    stack.wait_until_healthy()
    events = [event for event in journal.events + readers.events if event.status not in {200, 201}]
    inside = [event for event in events if any(down <= event.at and event.asked_at <= up for down, up in windows)]
    polite = [event for event in inside if event.status == 503 and event.retry_after]
    outside = [
        event for event in events if event not in inside and event.code not in {"card_busy", "idempotency_in_progress"}
    ]
    rude = [event for event in inside if event not in polite and event.status != 409]
    first = [first_success(journal.events, up) for _, up in windows]
    compared = compare(stack, journal)
    down = ", ".join(f"{up - GRACE - gone:.1f}" for gone, up in windows)
    figure = (
        f"down {down} s: {len(polite)} × 503 with Retry-After; other errors {len(rude)}{kinds(rude)}, "
        f"errors while it was up {len(outside)}{kinds(outside)}; first stamp {max(first):.2f} s "
        f"after its return; {compared}"
    )
    return Finding(compared.ok and bool(polite) and not rude and not outside and max(first) < AGAIN_SECONDS, figure)


def restart(stack: Stack, *, away: float) -> tuple[float, float]:
    """End PostgreSQL as `pg_ctl stop -m immediate` does, and leave it to its keeper, who looks away for some seconds.

    Returns the moments between which there may be errors.
    """
    assert stack.process is not None
    dsn = stack.superuser_dsn
    stack.process.send_signal(signal.SIGSTOP)
    down = time.monotonic()
    try:
        stack.kill("postgres", signal.SIGQUIT)
        time.sleep(away)
    finally:
        stack.process.send_signal(signal.SIGCONT)
    time.sleep(0.1)
    while time.monotonic() - down < away + 60:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(dsn, connect_timeout=5).close()
            return down, time.monotonic() + GRACE
        time.sleep(0.02)
    raise AssertionError("the database did not come back within 60 s")


def first_success(events: list[Event], up: float) -> float:
    """Return how long after the return of the database the first stamp was accepted."""
    back = up - GRACE
    return min((event.at - back for event in list(events) if event.status == 201 and event.at > back), default=NEVER)


def kinds(events: list[Event]) -> str:
    """Name the first few of what was found."""
    seen = sorted({f"{event.what} {event.status} {event.code}".strip() for event in events})
    return f" ({', '.join(seen[:4])})" if seen else ""
