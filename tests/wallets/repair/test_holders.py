"""Removed by one is not removed by all: Google says whether anybody holds an object, when asked (pitfall 44)."""

from typing import Any

from core import tenancy
from core.models import OutboxEvent
from loyalty.models import Card
from tests.fakes.google import FakeGoogle
from tests.support.world import World
from tests.wallets.repair import state
from wallets import tasks
from wallets.enums import CallbackEvent
from wallets.providers.google.callbacks import Message
from wallets.services import callbacks, google_holders, google_push, sync


def at_google(world: World, google: FakeGoogle, *, held: bool | None) -> tuple[Card, str]:
    """Return a card whose object is at Google; held: whether Google says that somebody has it, None for nothing."""
    card = world.card()
    sync.run(at=world.at)
    google_push.drain(at=world.at)
    name = state.google(world, card, saved=True, saved_at=world.at).object_id
    if held is not None:
        google.shelf.kept["loyaltyObject"][name]["hasUsers"] = held
    return card, name


def report(world: World, google: FakeGoogle, card: Card, event: CallbackEvent) -> None:
    """Let Google report of a card."""
    row = state.google(world, card)
    class_id = google.shelf.kept["loyaltyObject"][row.object_id]["classId"]
    message = Message(class_id, row.object_id, event, f"n-{card.pk}", world.tick(hours=1))
    assert callbacks.receive(message, at=world.at) == "taken"
    assert state.google(world, card).saved is (event == CallbackEvent.SAVED)


def saved_by(world: World, google: FakeGoogle, *, others: bool) -> tuple[Card, str]:
    """Return a card that somebody removed; others: whether somebody else holds it still."""
    card, name = at_google(world, google, held=others)
    report(world, google, card, CallbackEvent.REMOVED)
    return card, name


def hear(world: World) -> None:
    """Run the task that the event starts."""
    with tenancy.scope(world.merchant_id):
        [event] = OutboxEvent.objects.filter(topic="wallets.google_reported")
    tasks.check_holders(str(world.merchant_id), **event.payload)


def test_a_card_that_others_hold_counts_as_saved_again(google: FakeGoogle, world: World) -> None:
    card, _name = saved_by(world, google, others=True)

    hear(world)

    assert state.google(world, card).saved


def test_a_card_that_nobody_holds_stays_removed(google: FakeGoogle, world: World) -> None:
    card, name = saved_by(world, google, others=False)

    hear(world)
    assert not state.google(world, card).saved
    del google.shelf.kept["loyaltyObject"][name]
    assert google_holders.check(merchant_id=world.merchant_id, card_id=card.pk, at=world.at) is False


def test_a_save_that_comes_late_is_put_right_by_googles_own_word(google: FakeGoogle, world: World) -> None:
    card, _name = at_google(world, google, held=False)
    report(world, google, card, CallbackEvent.SAVED)

    hear(world)

    assert not state.google(world, card).saved


def test_a_save_stays_where_google_says_nothing_of_holders(google: FakeGoogle, world: World) -> None:
    card, name = at_google(world, google, held=None)
    google.shelf.kept["loyaltyObject"][name].pop("hasUsers", None)
    report(world, google, card, CallbackEvent.SAVED)

    hear(world)

    assert state.google(world, card).saved


def test_a_google_that_does_not_say_changes_nothing(google: FakeGoogle, world: World) -> None:
    card, _name = saved_by(world, google, others=True)
    google.faults.away = True

    hear(world)

    assert not state.google(world, card).saved


def test_without_google_or_an_object_nothing_is_asked(google: FakeGoogle, world: World, settings: Any) -> None:
    card = world.card()
    asked = {"merchant_id": world.merchant_id, "card_id": card.pk, "at": world.at}

    assert google_holders.check(**asked) is None
    state.google(world, card)
    settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = ""
    assert google_holders.check(**asked) is None
    assert google.calls() == []
