"""Who holds a card is told of a reward, and of nothing else; three times a day at most (pitfall 40)."""

from datetime import timedelta

import pytest

from core import tenancy
from loyalty.models import Card
from tests.fakes.google import FakeGoogle, Seen
from tests.support.world import World
from tests.wallets.google.desk import changed, row_of, sent
from wallets.models import GooglePass

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(google: FakeGoogle) -> World:
    world = World.make(stamps_target=2)
    google.shelf.now = lambda: world.at.timestamp()
    return world


@pytest.fixture
def card(google: FakeGoogle, world: World) -> Card:
    card = world.card()
    changed(world, card)
    sent(world, card)
    google.seen.clear()
    return card


# With two stamps for a reward, three of them change the balance, too: Google tells of nothing else.
def stamped(world: World, card: Card, quantity: int = 1) -> None:
    world.stamp(card, quantity=quantity)
    changed(world, card)
    sent(world, card)


def told(google: FakeGoogle) -> list[Seen]:
    return [one for one in google.calls("PATCH") if one.body.get("notifyPreference") == "NOTIFY_ON_UPDATE"]


def test_a_stamp_is_no_news_and_a_reward_is(google: FakeGoogle, world: World, card: Card) -> None:
    stamped(world, card)
    assert told(google) == []

    stamped(world, card)

    assert [one.status for one in told(google)] == [200]
    assert len(google.shelf.notified[row_of(world, card).object_id]) == 1
    assert "notifyPreference" not in row_of(world, card).accepted


def test_handing_a_reward_out_is_no_news(google: FakeGoogle, world: World, card: Card) -> None:
    stamped(world, card, 3)
    google.seen.clear()
    world.redeem(card)
    changed(world, card)

    sent(world, card)

    assert len(google.calls("PATCH")) == 1
    assert told(google) == []


def test_three_a_day_and_the_fourth_reward_is_shown_quietly(google: FakeGoogle, world: World, card: Card) -> None:
    for _ in range(5):
        world.tick(hours=1)
        stamped(world, card, 3)

    assert [one.status for one in told(google)] == [200] * 3
    assert len(row_of(world, card).notified_at) == 3
    world.tick(hours=24)
    stamped(world, card, 3)
    assert [one.status for one in told(google)] == [200] * 4


def test_one_too_many_by_googles_count_is_the_same_change_without(google: FakeGoogle, world: World, card: Card) -> None:
    google.shelf.notified[row_of(world, card).object_id] = [world.at.timestamp()] * 3

    stamped(world, card, 3)

    assert [(one.status, "notifyPreference" in one.body) for one in google.calls("PATCH")] == [
        (403, True),
        (200, False),
    ]
    assert row_of(world, card).behind_since is None


@pytest.mark.parametrize(("status", "marks"), [(429, 0), (503, 0), (500, 1)])
def test_a_fault_spends_a_notification_only_where_it_may_have_been_shown(
    google: FakeGoogle, world: World, card: Card, status: int, marks: int
) -> None:
    world.stamp(card, quantity=3)
    changed(world, card)
    google.faults.next, google.faults.retry_after = [status], 60

    sent(world, card)

    assert len(row_of(world, card).notified_at) == marks
    sent(world, card, at=world.tick(minutes=2))
    assert len(row_of(world, card).notified_at) == marks + 1
    assert len(google.shelf.notified[row_of(world, card).object_id]) == 1


def test_answers_that_get_lost_never_lead_to_a_fourth(google: FakeGoogle, world: World, card: Card) -> None:
    for _ in range(4):
        google.faults.lost = 1
        world.stamp(card, quantity=3)
        changed(world, card)
        for _again in range(3):
            sent(world, card, at=world.tick(seconds=10))

    shown = google.shelf.notified[row_of(world, card).object_id]
    assert 1 <= len(shown) <= 3
    assert all(one.status != 403 for one in google.calls())


def test_what_is_unknown_is_no_news(google: FakeGoogle, world: World, card: Card) -> None:
    stamped(world, card, 3)
    google.seen.clear()
    with tenancy.scope(world.merchant_id):
        GooglePass.objects.update(accepted={})
    changed(world, card)

    sent(world, card, at=world.at + timedelta(seconds=1))

    assert told(google) == []
    assert len(google.calls("PATCH")) == 1
