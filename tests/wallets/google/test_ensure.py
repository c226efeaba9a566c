"""A save link makes class and object at once, ahead of everything that waits, or says within seconds that it cannot."""

import time
from datetime import timedelta
from uuid import uuid4

import pytest

from core import tenancy
from core.errors import NotFound
from tests.fakes.google import FakeGoogle
from tests.support.world import World
from tests.wallets.google.desk import balance, changed, class_of, held, row_of, sent, update_of
from wallets.enums import Priority
from wallets.models import ProviderState
from wallets.services import google_push, queue
from wallets.services.google_push import WalletUnavailable

pytestmark = pytest.mark.django_db


def ensure(world: World, card_id: object) -> None:
    google_push.ensure(merchant_id=world.merchant_id, card_id=card_id, at=world.at)  # type: ignore[arg-type]


def test_class_and_object_are_there_afterwards(google: FakeGoogle) -> None:
    world = World.make()
    card = world.card(name="Nora")

    ensure(world, card.id)

    assert held(google, world, card)["accountName"] == "Nora"
    assert [(one.method, one.kind) for one in google.calls()] == [("POST", "loyaltyClass"), ("POST", "loyaltyObject")]
    assert (update_of(world, card).state, class_of(world).state) == ("sent", "sent")


def test_one_that_is_there_takes_no_request(google: FakeGoogle) -> None:
    world = World.make()
    card = world.card()
    ensure(world, card.id)
    google.seen.clear()

    ensure(world, card.id)

    assert google.calls() == []


def test_it_is_the_card_of_now(google: FakeGoogle) -> None:
    world = World.make()
    card = world.card()
    changed(world, card)
    sent(world, card)
    world.stamp(card)
    changed(world, card)

    ensure(world, card.id)

    assert balance(google, world, card) == "1/10"


def test_it_does_not_wait_behind_a_fault_or_a_queue(google: FakeGoogle) -> None:
    world = World.make()
    card, others = world.card(), [world.card() for _ in range(5)]
    changed(world, *others, card, priority=Priority.BULK)
    google.faults.next = [500]
    with tenancy.scope(world.merchant_id):
        queue.request_class(program_id=world.program.id, at=world.at)

    began = time.monotonic()
    ensure(world, card.id)

    assert time.monotonic() - began < 3
    assert len(google.shelf.objects) == 1


def test_a_class_that_failed_is_tried_again(google: FakeGoogle) -> None:
    world = World.make()
    card = world.card()
    google.faults.refuse = world.program.name
    changed(world, card)
    for _ in range(4):
        google_push.drain(at=world.tick(minutes=1))
    assert class_of(world).state == "failed"
    google.faults.refuse = ""

    ensure(world, card.id)

    assert row_of(world, card).object_id in google.shelf.objects


@pytest.mark.parametrize("fault", ["away", "latency", "refuse"])
def test_while_google_is_away_it_says_so_within_seconds(google: FakeGoogle, fault: str) -> None:
    world = World.make()
    card = world.card()
    setattr(google.faults, fault, {"away": True, "latency": 8.0, "refuse": "issuerName"}[fault])

    began = time.monotonic()
    with pytest.raises(WalletUnavailable) as refused:
        ensure(world, card.id)

    assert time.monotonic() - began < 8
    assert (refused.value.status, refused.value.code) == (503, "wallet_unavailable")
    google.faults.away, google.faults.latency, google.faults.refuse = False, 0, ""


def test_one_that_is_there_and_lags_is_good_enough(google: FakeGoogle) -> None:
    world = World.make()
    card = world.card()
    ensure(world, card.id)
    world.stamp(card)
    changed(world, card)
    google.faults.away = True

    ensure(world, card.id)

    assert update_of(world, card).state == "queued"
    google.faults.away = False
    sent(world, card, at=world.tick(minutes=1))
    assert balance(google, world, card) == "1/10"


def test_a_refused_account_is_not_asked_again_by_every_visitor(google: FakeGoogle) -> None:
    world = World.make()
    cards = [world.card() for _ in range(3)]
    google.shelf.issuers.clear()

    for card in cards:
        with pytest.raises(WalletUnavailable):
            ensure(world, card.id)

    assert len(google.calls()) == 1
    assert ProviderState.objects.get().next_probe_at == pytest.approx(
        world.at + timedelta(minutes=5), abs=timedelta(seconds=5)
    )


def test_without_an_account_and_without_a_card(google: FakeGoogle, settings: object) -> None:
    world = World.make()
    with pytest.raises(NotFound):
        ensure(world, uuid4())
    settings.LOYALTY_GOOGLE_ISSUER_ID = ""  # type: ignore[attr-defined]
    with pytest.raises(WalletUnavailable):
        ensure(world, world.card().id)
