"""The hourly repair: what was missed is queued again, behind what people wait for, and what is well is left alone."""

from datetime import timedelta
from typing import Any

import pytest

from core import tenancy
from loyalty.enums import CardStatus
from loyalty.models import Card
from tests.fakes.google import FakeGoogle
from tests.support.world import World
from tests.wallets.repair import state
from wallets import tasks
from wallets.enums import Priority
from wallets.models import ApplePass, GoogleClass, GooglePass
from wallets.services import google_push, passes, queue, sync

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


def apple_row(world: World, card: Card) -> ApplePass:
    with tenancy.scope(world.merchant_id):
        return ApplePass.objects.get(card_id=card.pk)


def settle_google(world: World) -> None:
    """Send everything that is due to Google."""
    google_push.drain(at=world.at)


def test_without_wallets_there_is_nothing_to_repair(world: World) -> None:
    state.google(world, world.card(), requested_version=5)

    done = sync.run(at=world.at)

    assert (done.passes, done.classes, done.sampled) == ({}, 0, 0)


def test_cards_from_before_google_get_their_object(google: FakeGoogle, world: World) -> None:
    cards = [world.card() for _ in range(3)]
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=cards[2].pk).update(status=CardStatus.CLOSED)

    sync.run(at=world.at)

    assert state.queued(world, "google") == {cards[0].pk, cards[1].pk}
    assert state.row_of(world, cards[0], "google").priority == Priority.BULK
    settle_google(world)
    assert len(google.shelf.kept["loyaltyObject"]) == 2
    assert sync.run(at=world.at + HOUR).passes["google_without"] == 0


def test_an_object_that_lags_without_anything_under_way_is_queued(google: FakeGoogle, world: World) -> None:
    """Pitfall 47: a row that says `sent` while something newer was requested was lost on its way."""
    lost, open_, failed, fresh, well = (world.card() for _ in range(5))
    for card in (lost, open_, failed, fresh):
        state.google(world, card, requested_version=3, accepted_version=2, behind_since=world.at)
    state.google(world, well, requested_version=3, accepted_version=3)
    state.update(world, lost, "google", "sent", world.at)
    state.update(world, open_, "google", "queued", world.at + DAY, attempts=3)
    state.update(world, failed, "google", "failed", world.at - 6 * HOUR, last_error="400: no")
    state.update(world, fresh, "google", "failed", world.at - HOUR, last_error="400: no")

    done = sync.run(at=world.at)

    assert done.passes["google_unaccepted"] == 2
    assert state.queued(world, "google") == {lost.pk, open_.pk, failed.pk}
    assert state.row_of(world, lost, "google").wanted_version == 3
    again = state.row_of(world, failed, "google")
    assert (again.attempts, again.last_error) == (0, "400: no"), "why it failed stays to be seen"
    waiting = state.row_of(world, open_, "google")
    assert (waiting.due_at, waiting.attempts) == (world.at + DAY, 3), "what is under way is left alone"


def test_a_pass_that_was_never_pushed_is_queued_under_its_version(apple: None, world: World) -> None:
    lost, unheard, well = (world.card() for _ in range(3))
    state.apple(world, lost, requested_version=4, pushed_version=3, behind_since=world.at)
    state.apple(world, unheard, devices=0, requested_version=4, pushed_version=3, behind_since=world.at)
    state.apple(world, well, requested_version=4, pushed_version=4, fetched_version=4)
    state.update(world, lost, "apple", "sent", world.at)

    sync.run(at=world.at)

    assert state.queued(world, "apple") == {lost.pk}
    assert state.row_of(world, lost, "apple").wanted_version == 4
    assert apple_row(world, lost).requested_version == 4


def test_a_pass_that_nobody_fetched_for_a_day_is_told_again_under_a_new_number(apple: None, world: World) -> None:
    """Pitfall 47: with the old number the device would hear that nothing has changed."""
    late, soon = world.card(), world.card()
    told = {"requested_version": 4, "pushed_version": 4, "fetched_version": 2}
    state.apple(world, late, behind_since=world.at - DAY, pushed_at=world.at - DAY, **told)
    state.apple(world, soon, behind_since=world.at - 23 * HOUR, pushed_at=world.at - 23 * HOUR, **told)

    sync.run(at=world.at)

    assert state.queued(world, "apple") == {late.pk}
    row = apple_row(world, late)
    assert (row.requested_version, row.behind_since) == (5, world.at - DAY), "it lags for as long as before"
    assert sync.run(at=world.at).passes["apple_unfetched"] == 0, "it is under way"


def test_a_large_merchant_does_not_use_up_what_the_others_wait_for(google: FakeGoogle, world: World) -> None:
    small = World.make()
    for _ in range(12):
        world.card()
    mine = {small.card().pk for _ in range(3)}

    sync.run(at=world.at, share=8, most=9)

    assert state.queued(small, "google") == mine
    assert len(state.queued(world, "google")) == 6
    sync.run(at=world.at, share=8, most=9)
    assert len(state.queued(world, "google")) == 12


def test_a_full_queue_is_not_filled_further(google: FakeGoogle, world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(sync, "FULL_QUEUE", 1)
    state.update(world, world.card(), "google", "queued", world.at)
    world.card()

    sync.run(at=world.at)

    assert len(state.queued(world, "google")) == 1


def test_a_class_that_was_given_up_is_tried_again(google: FakeGoogle, world: World) -> None:
    with tenancy.scope(world.merchant_id):
        row = passes.google_class(world.program.pk, world.at)
        GoogleClass.objects.filter(pk=row.pk).update(state="failed", settled_at=world.at, attempts=3)

    assert sync.run(at=world.at + HOUR).classes == 0
    assert sync.run(at=world.at + 6 * HOUR).classes == 1

    with tenancy.scope(world.merchant_id):
        row.refresh_from_db()
    assert (row.state, row.attempts) == ("queued", 0)


def test_googles_own_word_is_asked_for_who_holds_what(google: FakeGoogle, world: World) -> None:
    card = world.card()
    sync.run(at=world.at)
    settle_google(world)
    row = state.google(world, card, saved=False)
    google.shelf.kept["loyaltyObject"][row.object_id]["hasUsers"] = True

    assert sync.run(at=world.at + HOUR).sampled == 1
    assert state.google(world, card).saved
    google.shelf.kept["loyaltyObject"][row.object_id]["hasUsers"] = False
    assert sync.run(at=world.at + 2 * HOUR).sampled == 1

    assert not state.google(world, card).saved
    assert sync.run(at=world.at + 3 * HOUR).sampled == 0


def test_an_object_that_google_lost_or_changed_is_sent_whole(google: FakeGoogle, world: World) -> None:
    lost, changed = world.card(name="Marie"), world.card()
    sync.run(at=world.at)
    settle_google(world)
    names = {card.pk: state.google(world, card).object_id for card in (lost, changed)}
    del google.shelf.kept["loyaltyObject"][names[lost.pk]]
    google.shelf.kept["loyaltyObject"][names[changed.pk]]["state"] = "EXPIRED"

    assert sync.run(at=world.at + HOUR).sampled >= 1
    sync.run(at=world.at + 2 * HOUR)
    google_push.drain(at=world.at + 2 * HOUR)
    sync.run(at=world.at + 3 * HOUR)
    google_push.drain(at=world.at + 3 * HOUR)

    for name in names.values():
        assert google.shelf.get("loyaltyObject", name)["state"] == "ACTIVE"


def test_a_google_that_is_away_costs_one_question(google: FakeGoogle, world: World) -> None:
    for _ in range(5):
        state.google(world, world.card(), requested_version=1, accepted_version=1, accepted={"state": "ACTIVE"})
    google.faults.next = [503] * 50

    sync.run(at=world.at)

    assert len(google.calls()) == 1


def test_what_is_under_way_while_it_runs_is_not_lost(google: FakeGoogle, world: World) -> None:
    """A row that a worker has claimed meanwhile wants the newer version afterwards, not a second row."""
    card = world.card()
    state.google(world, card, requested_version=2, accepted_version=1)
    state.update(world, card, "google", "sent", world.at)
    sync.run(at=world.at)
    [claimed] = queue.claim(provider="google", at=world.at, size=10)

    with tenancy.scope(world.merchant_id):
        queue.request_google(merchant_id=world.merchant_id, card_id=card.pk, at=world.at)
    queue.settle([queue.Settlement(claimed.id, claimed.claimed_at, "sent")], at=world.at)

    assert state.row_of(world, card, "google").state == "queued"


def test_the_timetables_task_runs_it(google: FakeGoogle, world: World) -> None:
    card = world.card()

    tasks.sync_wallet_passes()

    assert state.queued(world, "google") == {card.pk}


@pytest.mark.parametrize("fault", ["apple_unpushed", "apple_unfetched", "google_unaccepted", "google_without"])
def test_every_fault_is_looked_for(apple: None, google: FakeGoogle, world: World, fault: str) -> None:
    assert sync.run(at=world.at).passes[fault] == 0


def test_an_erased_persons_object_is_finished_but_never_made(google: FakeGoogle, world: World) -> None:
    from loyalty.services import erasure

    with_object, without = world.card(name="Marie"), world.card(name="Paul")
    state.google(world, with_object, requested_version=3, accepted_version=2)
    for card in (with_object, without):
        erasure.erase_holder(merchant_id=world.merchant_id, card_id=card.pk, at=world.at)

    sync.run(at=world.at)

    assert state.queued(world, "google") == {with_object.pk}
    with tenancy.scope(world.merchant_id):
        assert not GooglePass.objects.filter(card_id=without.pk).exists()
