"""After any interleaving and a quiet end every registered device holds the newest version of every pass.

Changes, their notes, push batches, phones' requests, new tokens and removals come in any order, against the real
service, the real queue and a real push server; the clock is the machine's own, so windows are exact.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from core import tenancy
from loyalty.models import Card
from tests.fakes import credentials
from tests.fakes.apns import FakeApns
from tests.support.world import World
from tests.wallets.stateful.phones import StepPhone
from wallets.enums import UpdateState
from wallets.models import ApplePass, PassUpdate
from wallets.services import apple_push, changes, links

PASS_TYPE, TEAM = "pass.dev.stempel.stateful", "STATEFUL01"
WINDOW = timedelta(seconds=2)
CARDS, PHONES = st.integers(0, 2), st.integers(0, 2)
MOST_BATCHES = 40


class Wallets(RuleBasedStateMachine):
    """Two merchants with three cards, three phones, and a push service."""

    apns: FakeApns
    worlds: list[World]
    time: Any

    @initialize()
    def begin(self) -> None:
        """Enrol three customers; the first two phones hold their passes, the third one holds none."""
        owners = [self.worlds[0], self.worlds[0], self.worlds[1]]
        self.cards: list[tuple[World, Card]] = [(world, world.card()) for world in owners]
        self.phones = [StepPhone(f"device-{self.cards[0][1].pk}-{n}", PASS_TYPE) for n in range(3)]
        self.unheard: list[int] = []
        self.serials: dict[int, str] = {}
        self.at = {phone.name: list[Any]() for phone in self.phones}
        self.handled = len(self.apns.pushes)
        for phone, card in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2)):
            self.add(phone, card)

    @rule(card=CARDS)
    def change(self, card: int) -> None:
        """A stamp commits; who writes passes has not heard of it yet."""
        world, row = self.cards[card]
        world.stamp(row)
        self.unheard.append(card)

    @rule(card=CARDS)
    def change_and_hear(self, card: int) -> None:
        """A stamp commits and is heard of at once, as nearly always."""
        self.change(card)
        self._hear(len(self.unheard) - 1)

    @precondition(lambda self: self.unheard)
    @rule(data=st.data())
    def hear(self, data: Any) -> None:
        """The relay delivers one of the waiting events, in no order."""
        self._hear(data.draw(st.integers(0, len(self.unheard) - 1)))

    @rule(card=CARDS)
    def hear_twice(self, card: int) -> None:
        """An event is delivered once more than it should be."""
        self._note(card)

    @rule()
    def push(self) -> None:
        """A worker takes a batch."""
        self._push()

    @rule(card=CARDS)
    def push_a_change(self, card: int) -> None:
        """The whole way: a stamp, its note, a batch, and every pushed phone reacts."""
        self.change_and_hear(card)
        self._push()
        for phone in self.phones:
            if phone.pushed:
                phone.react()

    @rule(seconds=st.sampled_from([0.4, 1.2, 2.1]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.time.shift(seconds)

    @rule(phone=PHONES, card=CARDS)
    def download(self, phone: int, card: int) -> None:
        """A pass is downloaded; anything may happen before the phone registers."""
        self._download(phone, card)

    @rule(phone=PHONES, card=CARDS)
    def register(self, phone: int, card: int) -> None:
        """The phone registers, or does so again."""
        if self.serials.get(card) in self.phones[phone].passes:
            self.phones[phone].register(self.serials[card])

    @rule(phone=PHONES, card=CARDS)
    def add(self, phone: int, card: int) -> None:
        """Download and register."""
        self._download(phone, card)
        self.phones[phone].register(self.serials[card])

    @rule(phone=PHONES, card=CARDS)
    def unregister(self, phone: int, card: int) -> None:
        """Updates are turned off for a pass."""
        if self.serials.get(card) in self.phones[phone].registered:
            self.phones[phone].unregister(self.serials[card])

    @rule(phone=PHONES)
    def change_token(self, phone: int) -> None:
        """The phone has a new push token and registers all its passes with it."""
        self.phones[phone].change_token()

    @rule(phone=PHONES)
    def ask(self, phone: int) -> None:
        """The phone asks what changed: after a push, or by itself."""
        self.phones[phone].ask()

    @precondition(lambda self: any(phone.to_fetch for phone in self.phones))
    @rule(data=st.data())
    def fetch(self, data: Any) -> None:
        """The phone fetches one pass of its list."""
        phone = data.draw(st.sampled_from([phone for phone in self.phones if phone.to_fetch]), label="phone")
        phone.fetch(data.draw(st.sampled_from(sorted(phone.to_fetch)), label="pass"))

    def teardown(self) -> None:
        """Let everything come to rest, then look."""
        if not hasattr(self, "phones"):
            return
        while self.unheard:
            self._hear(0)
        for phone in self.phones:
            for serial in sorted(phone.to_fetch):
                phone.fetch(serial)
        for _ in range(MOST_BATCHES):
            self.time.shift(2.1)
            settled = self._push()
            for phone in self.phones:
                if phone.pushed:
                    phone.react()
            if not settled:
                break
        self._assert_at_rest()

    def _assert_at_rest(self) -> None:
        for card, serial in self.serials.items():
            world, row = self.cards[card]
            wanted = f"{world.fresh(row).stamp_count}/10"
            for phone in self.phones:
                if serial in phone.registered:
                    assert phone.passes[serial].stamps == wanted, (card, phone.name)
            with tenancy.scope(world.merchant_id):
                opened = PassUpdate.objects.filter(card_id=row.pk).exclude(state=UpdateState.SENT)
                assert not opened.exists(), opened.values("state", "attempts", "last_error", "due_at")
                kept = ApplePass.objects.get(serial=serial)
            if any(serial in phone.registered for phone in self.phones):
                assert kept.behind_since is None, (kept.requested_version, kept.fetched_version)
        for name, times in self.at.items():
            gaps = [later - earlier for earlier, later in pairwise(times)]
            assert all(gap >= WINDOW for gap in gaps), (name, gaps)

    def _hear(self, position: int) -> None:
        self._note(self.unheard.pop(position))

    def _note(self, card: int) -> None:
        world, row = self.cards[card]
        changes.note_change(merchant_id=world.merchant_id, card_id=row.pk, why="stamp_earned", at=timezone.now())

    def _download(self, phone: int, card: int) -> None:
        world, row = self.cards[card]
        with tenancy.scope(world.merchant_id):
            address = str(links.links(world.fresh(row))["apple_url"])
        self.serials[card] = self.phones[phone].download("/" + address.split("/", 3)[3])

    def _push(self) -> int:
        """Push a batch at one moment, and wake the phones whose newest token it reached."""
        at = timezone.now()
        settled = apple_push.push_batch(clock=lambda: at)
        new, self.handled = self.apns.pushes[self.handled :], len(self.apns.pushes)
        assert max(Counter(push.token for push in new).values(), default=0) <= 1, "a device twice in one batch"
        for push in new:
            assert push.topic == PASS_TYPE
            assert push.body == b"{}"
            for phone in self.phones:
                if phone.push_token == push.token:
                    phone.pushed = True
                    self.at[phone.name].append(at)
        return settled or 0


@pytest.fixture
def apns(tmp_path: Path, settings: Any) -> Iterator[FakeApns]:
    """Yield a push service that takes our certificate, wired in."""
    files = credentials.prepare(tmp_path, pass_type=PASS_TYPE, team=TEAM)
    with FakeApns(files.apns_certificate, files.apns_key, files.clients) as server:
        settings.LOYALTY_APPLE_PASS_TYPE_ID, settings.LOYALTY_APPLE_TEAM_ID = PASS_TYPE, TEAM
        settings.LOYALTY_APPLE_WWDR_CERT_PATH = str(files.intermediate)
        settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(files.signer)
        settings.LOYALTY_APPLE_SIGNER_KEY_PATH = str(files.signer_key)
        settings.LOYALTY_APPLE_APNS_URL = server.url
        settings.LOYALTY_APPLE_APNS_CA_PATH = str(files.apns_ca)
        settings.LOYALTY_THROTTLE_SCALE = 1_000_000
        yield server


class Clock:
    """Puts the time forward."""

    def __init__(self, traveller: Any) -> None:
        self._traveller = traveller

    def shift(self, seconds: float) -> None:
        """Let so many seconds go by."""
        self._traveller.shift(timedelta(seconds=seconds))


@contextmanager
def moving_clock() -> Iterator[Any]:
    """Yield the machine's clock, which can be put forward."""
    with time_machine.travel(timezone.now(), tick=True) as traveller:
        yield Clock(traveller)


def test_every_device_ends_with_the_newest_pass_and_few_pushes(real_db: Any, apns: FakeApns) -> None:
    with moving_clock() as clock:
        Wallets.apns, Wallets.time = apns, clock
        Wallets.worlds = [World.make(at=timezone.now()), World.make(at=timezone.now())]
        cache.clear()
        run_state_machine_as_test(
            Wallets,
            settings=settings(
                max_examples=30, stateful_step_count=30, deadline=None, database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
