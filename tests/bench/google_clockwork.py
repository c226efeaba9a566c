"""Google's queue in a time of its own: the product's claims, settlements and pace, driven by a clock that jumps.

Real are the queue's statements in a real PostgreSQL (`queue.claim`, `queue.settle`, `google_claims.one_object`,
ENQUEUE) and the pace's script in a real Valkey, which is told the time instead of asking for it. Played are the threads
of one worker (`google_push`: so many at once, the next claim when half of them are done), woken by each change, and
Google, who answers after a while.
"""

import heapq
import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import redis

from core import tenancy
from wallets.enums import Priority, Provider
from wallets.providers.google import pace
from wallets.services import google_claims, google_push, queue, statements
from wallets.services.google_exchange import PATIENCE_SECONDS
from wallets.services.queue import Claimed, Settlement

BEGINNING = datetime(2026, 5, 20, 12, tzinfo=UTC)
ASKS = "local time = redis.call('TIME')\nlocal now = time[1] * 1000000 + time[2]\n"
ANSWER_SECONDS = 0.15
POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A card of a merchant changes at a moment (in seconds)."""

    at: float
    merchant: UUID
    card: UUID
    priority: int


@dataclass(frozen=True, slots=True)
class Told:
    """A change that Google knows, and after how long."""

    change: Change
    seconds: float


@dataclass
class Clockwork:
    """The simulation. told: what arrived; requests: when Google was asked."""

    database: psycopg.Connection[Any]
    valkey: redis.Redis
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    now: float = 0.0
    told: list[Told] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)
    _open: dict[UUID, list[Change]] = field(default_factory=lambda: defaultdict(list))
    _held: dict[UUID, list[Change]] = field(default_factory=dict)
    _versions: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    _waiting: list[Claimed] = field(default_factory=list)
    _pending: int = 0
    _asking: int = 0
    _looking: bool = False

    def __post_init__(self) -> None:
        assert ASKS in pace.TAKE, "the pace asks for the time in another way than this simulation knows"
        self._script = self.valkey.register_script(pace.TAKE.replace(ASKS, "local now = tonumber(ARGV[4])\n"))
        self.valkey.delete(pace.KEY, pace.WAITING)

    def run(self, changes: Iterable[Change]) -> None:
        """Play until everything has arrived."""
        left = sorted(changes)
        total = len(left)
        by_moment: dict[float, list[Change]] = defaultdict(list)
        for change in left:
            by_moment[change.at].append(change)
        for moment, group in by_moment.items():
            self._at(moment, partial(self._enqueue, group))
        self._at(0.0, self._work)
        while self._events and len(self.told) < total:
            self.now, _number, act = heapq.heappop(self._events)
            act()
        assert len(self.told) == total, f"{total - len(self.told)} changes never arrived"

    def _at(self, moment: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), act))

    def _time(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.now)

    def _enqueue(self, changes: list[Change]) -> None:
        values = []
        for change in changes:
            self._versions[change.card] += 1
            self._open[change.card].append(change)
            values.append({
                "id": uuid4(), "merchant": change.merchant, "card": change.card, "provider": "google",
                "version": self._versions[change.card], "priority": change.priority, "at": self._time(),
            })  # fmt: skip
        with self.database.cursor() as cursor:
            cursor.executemany(statements.ENQUEUE, values)
        for change in changes:
            if change.priority == Priority.SAVE:
                self._save(change)
        if not self._pending:
            self._work()

    def _save(self, change: Change) -> None:
        """Take the card out of turn, as a web process does for somebody who waits."""
        with tenancy.scope(change.merchant):
            claim = google_claims.one_object(change.card, at=self._time())
        if claim is not None:
            self._held[claim.id] = self._open.pop(claim.card_id, [])
            self._ask(claim, self.now, Priority.SAVE, of_the_worker=False)

    def _work(self) -> None:
        """Claim when half of what the worker holds is done; look again in a moment."""
        if self._pending <= google_push.ROOM // 2:
            room = google_push.ROOM - self._pending
            for claim in queue.claim(provider=Provider.GOOGLE, at=self._time(), size=room):
                self._held[claim.id] = self._open.pop(claim.card_id, [])
                self._pending += 1
                self._waiting.append(claim)
            self._begin()
        if not self._pending and not self._looking:
            # For what is due later: a second change of a card waits for a moment.
            self._looking = True
            self._at(self.now + POLL_SECONDS, self._look)

    def _look(self) -> None:
        self._looking = False
        self._work()

    def _begin(self) -> None:
        while self._waiting and self._asking < google_push.THREADS:
            claim = self._waiting.pop(0)
            self._asking += 1
            self._ask(claim, self.now, claim.priority, of_the_worker=True)

    def _ask(self, claim: Claimed, since: float, priority: int, *, of_the_worker: bool) -> None:
        me = f"{int(priority):03}:{int(since * 1e6):017}:{claim.id.hex[:8]}"
        ends = since + PATIENCE_SECONDS

        def ask() -> None:
            micro = 10**12 + int(self.now * 1e6)
            wait = int(self._script(
                keys=[pace.KEY, pace.WAITING], args=[me, pace.GAP_MICROSECONDS, pace.WAITER_MICROSECONDS, micro]
            )) / 1e6  # fmt: skip
            if wait <= 0:
                self.requests.append(self.now)
                self._at(self.now + ANSWER_SECONDS, lambda: self._done(claim, "sent", of_the_worker=of_the_worker))
            elif self.now + wait >= ends:
                self._done(claim, "later", of_the_worker=of_the_worker)
            else:
                self._at(self.now + min(wait, pace.LONGEST_SLEEP) + self.chance.uniform(0, 0.001), ask)

        ask()

    def _done(self, claim: Claimed, outcome: str, *, of_the_worker: bool) -> None:
        queue.settle([Settlement(claim.id, claim.claimed_at, outcome, self._time())], at=self._time())
        held = self._held.pop(claim.id)
        if outcome == "sent":
            self.told += [Told(change, self.now - change.at) for change in held]
        else:
            self._open[claim.card_id] = [*held, *self._open[claim.card_id]]
        if of_the_worker:
            self._pending -= 1
            self._asking -= 1
            self._begin()
            self._work()
