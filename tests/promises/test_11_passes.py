"""Promises 11 and 12 for passes, small: workers die in mid batch, providers answer everything they can; nobody is lost.

Larger: tests/bench/pushes.py (10,000 pushes), tests/bench/wallet_lag.py (a whole stack under load),
tests/stack/test_wallets.py (outages of a whole stack), tests/wallets/google/test_storm.py (Google's part).
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from core import tenancy
from loyalty.models import Card
from tests.fakes import credentials
from tests.fakes.apns import FakeApns
from tests.support.world import World
from tests.wallets.pipeline.phones import Phones
from wallets.models import PassUpdate
from wallets.providers.apple import apns as client
from wallets.services import apple_push, queue

CARDS, BATCH, KILLS = 100, 20, 3
LATENCY = 0.02
MOST_BATCHES = 120
GONE, BROKEN, LIMITED, FAILING = range(2), range(2, 4), range(4, 10), range(10, 16)


@pytest.fixture
def apns(settings: Any, tmp_path: Path) -> Iterator[FakeApns]:
    """Yield a push service with the latency of the promise, wired in."""
    files = credentials.prepare(tmp_path, pass_type="pass.example.promise", team="PROMISE123")
    settings.LOYALTY_APPLE_PASS_TYPE_ID, settings.LOYALTY_APPLE_TEAM_ID = "pass.example.promise", "PROMISE123"
    settings.LOYALTY_APPLE_WWDR_CERT_PATH = str(files.intermediate)
    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(files.signer)
    settings.LOYALTY_APPLE_SIGNER_KEY_PATH = str(files.signer_key)
    settings.LOYALTY_GOOGLE_ISSUER_ID = ""
    with FakeApns(files.apns_certificate, files.apns_key, files.clients, latency=LATENCY) as server:
        settings.LOYALTY_APPLE_APNS_URL, settings.LOYALTY_APPLE_APNS_CA_PATH = server.url, str(files.apns_ca)
        yield server
        client.forget()


@pytest.fixture
def phones(real_db: Any, apns: FakeApns) -> Phones:
    """Return a shop at this moment's time: processes of their own read the clock."""
    return Phones(World.make(at=timezone.now()))


@pytest.mark.slow
def test_promise_11_providers_that_answer_everything_they_can(phones: Phones, apns: FakeApns) -> None:
    cards = changed_cards(phones)
    since = int((phones.at + timedelta(days=1)).timestamp() * 1000)
    for number in GONE:
        apns.answer(f"token-d{number}", 410, "Unregistered", timestamp=since)
    for number in BROKEN:
        apns.answer(f"token-d{number}", 413, "PayloadTooLarge")
    for number in LIMITED:
        apns.answer(f"token-d{number}", 429, "TooManyRequests", times=1)
    for number in FAILING:
        apns.answer(f"token-d{number}", 500, "InternalServerError", times=2)
    apns.goodbye_after = 40

    settle(phones)

    taken = Counter(apns.tokens)
    lost = [number for number in range(CARDS) if number not in {*GONE, *BROKEN} and not taken[f"token-d{number}"]]
    doubled = sum(times - 1 for times in taken.values())
    assert not lost
    assert doubled <= CARDS * 0.001, f"{doubled} doubled"
    assert all(phones.device(f"d{number}") is None for number in GONE)
    states = states_of(phones)
    for number in BROKEN:
        assert (states[cards[number].pk].state, states[cards[number].pk].attempts) == ("failed", 3)
    assert Counter(row.state for row in states.values()) == {"sent": CARDS - len(BROKEN), "failed": len(BROKEN)}


@pytest.mark.slow
def test_promise_11_workers_that_are_killed_in_mid_batch(phones: Phones, apns: FakeApns) -> None:
    cards = changed_cards(phones)
    for _ in range(KILLS):
        kill_a_worker_in_mid_batch(apns)
    assert any(row.state == "inflight" for row in states_of(phones).values()), "nobody died in the middle"
    phones.at = timezone.now() + queue.STALE + timedelta(seconds=1)
    assert queue.rescue(at=phones.at)

    settle(phones)

    taken = Counter(apns.tokens)
    assert [number for number in range(CARDS) if not taken[f"token-d{number}"]] == []
    assert sum(times - 1 for times in taken.values()) <= KILLS * BATCH, "at most what the dead had in hand"
    assert {row.state for row in states_of(phones).values()} == {"sent"}
    assert all(phones.told(card)[f"d{n}"] == phones.pass_of(card).requested_version for n, card in enumerate(cards))


def test_promise_12_a_batch_is_pushed_side_by_side(phones: Phones, apns: FakeApns) -> None:
    """10,000 in 10 s on four cores is tests/bench/pushes.py; here one process on a machine that may be busy."""
    changed_cards(phones)

    began = time.monotonic()
    settle(phones, size=500)
    took = time.monotonic() - began

    assert len(set(apns.tokens)) == CARDS
    assert took < CARDS * LATENCY, f"{took:.1f} s: as slow as one after the other"


def changed_cards(phones: Phones) -> list[Card]:
    """Return cards on a phone each, all of which just changed."""
    cards = [phones.card(f"d{number}") for number in range(CARDS)]
    for card in cards:
        phones.note(card)
    return cards


def settle(phones: Phones, *, size: int = BATCH) -> None:
    """Push until nothing is open; the clock runs ahead to what is due next."""
    for _ in range(MOST_BATCHES):
        apple_push.push_batch(clock=phones.clock, size=size)
        due = queue.next_due(provider="apple")
        if due is None:
            return
        phones.at = max(phones.at, due)
    raise AssertionError("it never came to rest")


def kill_a_worker_in_mid_batch(apns: FakeApns) -> None:
    """Let a process of its own push, and kill it once the first of its pushes arrived."""
    connections.close_all()
    client.forget()
    before = len(apns.pushes)
    worker = os.fork()
    if worker == 0:  # pragma: no cover - the child
        try:
            while apple_push.push_batch(clock=timezone.now, size=BATCH):
                pass
        finally:
            os._exit(0)
    try:
        deadline = time.monotonic() + 20
        while len(apns.pushes) == before and time.monotonic() < deadline:
            time.sleep(0.001)
    finally:
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)


def states_of(phones: Phones) -> dict[Any, PassUpdate]:
    """Return the rows of the queue by card."""
    with tenancy.scope(phones.world.merchant_id):
        return {row.card_id: row for row in PassUpdate.objects.filter(provider="apple")}
