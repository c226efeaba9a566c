"""Many changes against a Google that is limited and often fails: all arrives, with about one request per card."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from core import tenancy
from loyalty.models import Card
from tests.fakes.google import FakeGoogle
from tests.support.world import World
from tests.wallets.google.desk import balance, changed, row_of, update_of
from wallets.enums import Priority
from wallets.services import google_push

pytestmark = pytest.mark.django_db
WAVES, CARDS, CHANGES = 2, 25, 120


def set_points(world: World, card: Card, points: int) -> None:
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(points_balance=points)
    changed(world, card)


def until_quiet(world: World, cards: list[Card], work: Callable[[], object]) -> None:
    for _ in range(40):
        work()
        if all(update_of(world, card).state == "sent" for card in cards):
            return
        world.tick(seconds=5)
    pytest.fail("it never came to rest")


@pytest.mark.slow
def test_pitfall_41_many_changes_are_about_one_request_per_card_and_wave(google: FakeGoogle) -> None:
    chance = random.Random(7)
    world = World.make(loyalty_type="points")
    cards = [world.card() for _ in range(CARDS)]
    changed(world, *cards)
    until_quiet(world, cards, lambda: google_push.drain(at=world.at))
    google.seen.clear()
    google.faults.share = 0.05
    last: dict[object, int] = {}

    for _wave in range(WAVES):
        for _ in range(CHANGES):
            card = chance.choice(cards)
            last[card.pk] = chance.randrange(1, 5000)
            set_points(world, card, last[card.pk])
        until_quiet(world, cards, lambda: google_push.drain(at=world.at))

    assert {card.pk: balance(google, world, card) for card in cards if card.pk in last} == last
    assert len(google.calls()) <= CARDS * WAVES * 1.25
    assert google.peak() <= 20
    assert max([len(times) for times in google.shelf.notified.values()], default=0) <= 3
    assert {row_of(world, card).behind_since for card in cards} == {None}


def test_a_flood_of_one_merchant_makes_nobody_else_wait(google: FakeGoogle) -> None:
    big, small = World.make(), World.make()
    for world in (big, small):
        changed(world, world.card())
        google_push.drain(at=world.at)
    google.seen.clear()
    many, few = [big.card() for _ in range(25)], [small.card() for _ in range(2)]
    changed(big, *many)
    changed(small, *few)

    google_push.drain(at=big.at)

    names = [one.body["id"] for one in google.calls("POST", "loyaltyObject")]
    assert len(names) == 27
    assert max(names.index(row_of(small, card).object_id) for card in few) < 18


def test_the_urgent_of_all_merchants_goes_before_everything_else(google: FakeGoogle) -> None:
    world = World.make()
    first = world.card()
    changed(world, first)
    google_push.drain(at=world.at)
    google.seen.clear()
    cards = [world.card() for _ in range(20)]
    ranks = {Priority.BULK: cards[:12], Priority.STAMP: cards[12:16], Priority.REDEEM: cards[16:]}
    for rank, group in ranks.items():
        changed(world, *group, priority=rank)

    google_push.drain(at=world.at)

    of = {row_of(world, card).object_id: rank for rank, group in ranks.items() for card in group}
    order = [of[one.body["id"]] for one in google.calls("POST", "loyaltyObject")]
    assert Counter(order[:4])[Priority.REDEEM] >= 3, order
    assert Counter(order[:9])[Priority.BULK] <= 1, order


@pytest.mark.parametrize("status", [500, 429])
def test_one_fault_is_one_request_more(google: FakeGoogle, status: int) -> None:
    world = World.make()
    cards = [world.card() for _ in range(4)]
    changed(world, *cards)
    google_push.drain(at=world.at)
    google.seen.clear()
    for card in cards:
        world.stamp(card)
    changed(world, *cards)
    google.faults.next = [status]

    until_quiet(world, cards, lambda: google_push.drain(at=world.at))

    assert Counter(one.status for one in google.calls()) == {200: 4, status: 1}
