"""Many cards, each on an iPhone of its own and at Google, and what the fakes of both saw of them."""

import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import redis

from tests.drills.phones import enroll
from tests.drills.stack import Shop, Stack
from tests.fakes.iphone import VirtualIPhone
from tests.stack.shop import FakePhone, ask

THREADS = 6
# Tasks of other drills may stand before ours.
QUEUES = ("default", "wallets")
OPEN = """
    SELECT count(*) FROM wallets_passupdate WHERE merchant_id = %s AND state IN ('queued', 'inflight')
"""
# An event that cannot be published at all is tried again for minutes; it holds nobody else up.
UNSENT = """
    SELECT count(*) FROM core_outboxevent WHERE merchant_id = %s AND state IN ('queued', 'inflight') AND last_error = ''
"""
LAST = "SELECT extract(epoch FROM max(settled_at)) FROM wallets_passupdate WHERE merchant_id = %s"
STATES = "SELECT card_id::text, provider, state, attempts FROM wallets_passupdate WHERE merchant_id = %s"
OBJECTS = "SELECT card_id::text, object_id FROM wallets_googlepass WHERE merchant_id = %s"
LISTENING = """
    SELECT p.card_id::text FROM wallets_appledeviceregistration r JOIN wallets_applepass p ON p.id = r.apple_pass_id
    WHERE r.merchant_id = %s
"""


@dataclass
class Devices:
    """The cards of a shop. token: of the device that holds a card."""

    stack: Stack
    shop: Shop
    token: dict[str, str] = field(default_factory=dict)
    given: Counter[str] = field(default_factory=Counter)
    refused: int = 0

    def __post_init__(self) -> None:
        env = self.stack.run()["environment"]
        self.google = env["LOYALTY_GOOGLE_API_BASE"]
        self.phone = FakePhone(env["LOYALTY_GOOGLE_CALLBACK_KEYS_URL"].rsplit("/", 2)[0])

    @property
    def cards(self) -> list[str]:
        """The cards, in the order of their making."""
        return list(self.token)

    def add(self, count: int) -> None:
        """Enrol customers who put the card on a phone of their own."""
        with ThreadPoolExecutor(THREADS) as pool:
            for card, token in pool.map(lambda _: self._one(), range(count)):
                self.token[card] = token

    def _one(self) -> tuple[str, str]:
        made, token = enroll(self.shop), secrets.token_hex(32)
        iphone = VirtualIPhone(f"drill-{token[:20]}", token)
        held = iphone.add(made["wallet"]["apple_url"])
        iphone.close()
        assert held.registered, iphone.log
        return str(made["card"]["id"]), token

    def stamp_all(self) -> None:
        """Give every card a stamp."""
        with ThreadPoolExecutor(THREADS) as pool:
            for card, answer in zip(self.cards, pool.map(self.shop.stamp, self.cards), strict=True):
                self.given[card] += answer.status == 201
                self.refused += answer.status != 201

    def waiting(self) -> int:
        """Return how much is still open: events that nobody heard, tasks that wait, and pass updates."""
        with redis.Redis.from_url(self.stack.redis_url, socket_timeout=5) as broker:
            tasks = sum(int(broker.llen(name)) for name in QUEUES)
        return tasks + sum(int(self.stack.rows(query, self.shop.merchant_id)[0][0]) for query in (OPEN, UNSENT))

    def settle(self, seconds: float) -> float:
        """Wait until nothing is open; returns the seconds that it took, or those that were allowed."""
        began, quiet = time.monotonic(), 0
        while quiet < 3 and time.monotonic() - began < seconds:
            quiet = 0 if self.waiting() else quiet + 1
            time.sleep(0.5)
        return time.monotonic() - began

    def last_settled(self) -> float:
        """Return when the last update was done, in seconds of the clock."""
        return float(self.stack.rows(LAST, self.shop.merchant_id)[0][0] or 0)

    def states(self, provider: str) -> dict[str, tuple[str, int]]:
        """Return state and tries of the update of each card."""
        rows = self.stack.rows(STATES, self.shop.merchant_id)
        return {card: (state, attempts) for card, kind, state, attempts in rows if kind == provider}

    def listening(self) -> set[str]:
        """Return the cards that a device is registered for."""
        return {row[0] for row in self.stack.rows(LISTENING, self.shop.merchant_id)}

    def pushed(self) -> Counter[str]:
        """Return how many pushes Apple took, by card."""
        taken = _told(f"{self.phone.url}/pushes")
        return Counter({card: taken.get(token, 0) for card, token in self.token.items()})

    def objects(self) -> dict[str, str]:
        """Return the stamps that Google shows, by card."""
        kept: dict[str, Any] = _told(f"{self.google}/_fake/state")["loyaltyObject"]
        names = self.stack.rows(OBJECTS, self.shop.merchant_id)
        return {card: _shown(kept.get(name, {})) for card, name in names if card in self.token}

    def written(self, since: float) -> Counter[str]:
        """Return how many writes Google took since a moment, by card."""
        names = {name: card for card, name in self.stack.rows(OBJECTS, self.shop.merchant_id)}
        seen = _told(f"{self.google}/_fake/requests")["requests"]
        taken = (one["path"].rpartition("/")[2] for one in seen
                 if one["at"] > since and one["status"] == 200 and one["method"] in ("PATCH", "PUT"))  # fmt: skip
        return Counter(names[name] for name in taken if name in names)

    def faults(self, apple: dict[str, Any], google: dict[str, Any]) -> None:
        """Let Apple and Google answer otherwise from now on."""
        self.phone.act("apns", **apple)
        assert ask(f"{self.google}/_fake/faults", google).status == 200


def _told(address: str) -> dict[str, Any]:
    """Ask a fake, again if a busy machine let it be silent."""
    answer = ask(address)
    if answer.status != 200:
        answer = ask(address)
    assert answer.status == 200, answer
    return answer.body


def _shown(body: dict[str, Any]) -> str:
    return str(body.get("loyaltyPoints", {}).get("balance", {}).get("string", ""))
