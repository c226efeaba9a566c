"""Wallets on a whole stack with `FAKES=1`: passes follow stamps, and outages lose nothing and slow nobody.

The tests share one running stack and its phone, to which the first one adds a card of each wallet.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty_platform.launcher.process import group_members
from tests.fakes import credentials
from tests.stack.harness import Stack, stack_folder
from tests.stack.shop import FakePhone, Shop, ask, until

pytestmark = pytest.mark.stack

TOKEN = "a-token-for-the-figures"
APPLE_SECONDS = GOOGLE_SECONDS = 2.0
# What an outage may leave behind is tried again within this time once it is over.
RECOVERY_SECONDS = 30.0
OUTAGE_SECONDS = 5.0
# A stamp never waits for a wallet: the slowest of a calm stack and a busy machine stays far below.
STAMP_SECONDS = 1.0


class Scene:
    """The stack, its shop, its phone, and one card that is in both wallets."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.shop = Shop(stack).open()
        self.phone = FakePhone(stack.run()["environment"]["LOYALTY_GOOGLE_CALLBACK_KEYS_URL"].rsplit("/", 2)[0])
        enrolled = self.shop.enroll()
        self.card_id = enrolled["card"]["id"]
        self.given = 0
        for wallet in ("apple_url", "google_url"):
            self.phone.act("add", address=enrolled["wallet"][wallet])

    def stamp(self) -> None:
        """Give a stamp; it is accepted at once, whatever is broken."""
        answer = self.shop.stamp(self.card_id)
        assert answer.status == 201, answer
        assert answer.seconds < STAMP_SECONDS, answer
        self.given = answer.body["stamp_count"]

    def shows(self, kind: str) -> bool:
        """Tell whether a wallet shows what was given."""
        return self.phone.stamps(kind) == f"{self.given}/10"

    def assert_follows(self, seconds: float, *kinds: str) -> None:
        """Fail unless the wallets show what was given within a time."""
        for kind in kinds or ("apple", "google"):
            until(lambda kind=kind: self.shows(kind), seconds, f"{self.given} stamps in {kind}: {self.phone.state()}")

    def pushes(self) -> int:
        """Return how often the phone was pushed."""
        return int(self.phone.cards("apple")[0]["pushes"])


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """Yield a stack with fakes and a card in both wallets."""
    with Stack(stack_folder(), env={"FAKES": "1", "METRICS_TOKEN": TOKEN}) as stack:
        yield Scene(stack.start())


def test_it_works(scene: Scene) -> None:
    assert "Phone " in scene.stack.output
    assert scene.shows("apple"), scene.phone.state()
    assert scene.shows("google"), scene.phone.state()


def test_a_stamp_shows_on_the_iphone_and_in_the_google_object_within_two_seconds(scene: Scene) -> None:
    scene.stamp()

    scene.assert_follows(APPLE_SECONDS, "apple")
    scene.assert_follows(GOOGLE_SECONDS, "google")


def test_ten_quick_stamps_are_two_pushes_at_most(scene: Scene) -> None:
    time.sleep(2.5)
    before = scene.pushes()

    began = time.monotonic()
    for _ in range(10):
        scene.stamp()
    took = time.monotonic() - began

    scene.assert_follows(10)
    time.sleep(2.5)
    assert scene.pushes() - before <= 2 + int(took / 2), f"in {took:.1f} s"


@pytest.mark.parametrize("provider", ["apple", "google"])
def test_a_provider_that_is_away_loses_nothing_and_slows_no_stamp(scene: Scene, provider: str) -> None:
    other = "google" if provider == "apple" else "apple"
    scene.phone.act("fault", provider=provider, fault="down", seconds=OUTAGE_SECONDS)
    began = time.monotonic()
    while time.monotonic() - began < OUTAGE_SECONDS - 1:
        scene.stamp()
        time.sleep(0.5)

    scene.assert_follows(APPLE_SECONDS + 3, other)

    scene.assert_follows(RECOVERY_SECONDS, provider)


def test_workers_that_are_killed_in_mid_batch_lose_nothing(scene: Scene) -> None:
    masters = [pid for name, pid in scene.stack.processes().items() if name in {"worker", "wallets", "apple", "google"}]
    for _ in range(3):
        scene.stamp()
        for master in masters:
            for child in set(group_members(master)) - {master}:
                os.kill(child, signal.SIGKILL)
        scene.stamp()

    scene.assert_follows(90)


def test_valkey_that_dies_loses_nothing_and_slows_no_stamp(scene: Scene) -> None:
    killed = scene.stack.kill("valkey")
    for _ in range(3):
        scene.stamp()
    scene.stack.wait_for(lambda: scene.stack.processes()["valkey"] != killed, 20, "new Valkey")
    scene.stamp()

    scene.assert_follows(RECOVERY_SECONDS)


def test_a_certificate_is_swapped_while_pushing(scene: Scene) -> None:
    files = credentials.Files(Path(scene.stack.run()["environment"]["LOYALTY_APPLE_SIGNER_CERT_PATH"]).parent)
    settings = scene.stack.run()["environment"]
    scene.stamp()
    new = credentials.rotate(
        files, pass_type=settings["LOYALTY_APPLE_PASS_TYPE_ID"], team=settings["LOYALTY_APPLE_TEAM_ID"]
    )
    for _ in range(3):
        scene.stamp()
        time.sleep(0.7)

    scene.assert_follows(RECOVERY_SECONDS)
    until(lambda: signer_of(scene) == f"{new.serial_number:x}", 20, "pass signed with the new certificate")
    refused = [entry for entry in scene.phone.state()["log"] if entry["bad"] and " 403" in entry["text"]]
    assert not refused, refused


def test_metrics_of_all_processes_are_shown(scene: Scene) -> None:
    """Counted in the workers, read from the web process, and the queue is empty."""
    figures = figures_of(scene.stack)

    assert figures['wallet_pushes_total{provider="apple",result="accepted"}'] >= 1
    assert figures['wallet_pushes_total{provider="google",result="accepted"}'] >= 1
    assert figures["wallet_fetch_lag_seconds_count"] >= 1
    assert figures["wallet_accept_lag_seconds_count"] >= 1
    until(lambda: waiting(scene.stack) == 0, 20, "empty queue")


def figures_of(stack: Stack) -> dict[str, float]:
    """Return what /metrics says of the wallets."""
    text = ask(f"{stack.url}/metrics", Authorization=f"Bearer {TOKEN}").body["text"]
    lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith("wallet_")]
    return {name: float(value) for name, _, value in lines}


def waiting(stack: Stack) -> float:
    """Return how many rows of the queues are open."""
    figures = figures_of(stack)
    return sum(figures[name] for name in figures if "wallet_queue_rows" in name)


def signer_of(scene: Scene) -> str:
    """Return the serial number of the certificate that signed the pass on the phone."""
    return str(scene.phone.cards("apple")[0]["signer"])
