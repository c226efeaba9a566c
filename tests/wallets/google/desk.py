"""What the tests of Google's pipeline do again and again: note a change, let the worker run, look at the rows."""

from datetime import datetime
from typing import Any

from core import tenancy
from loyalty.models import Card
from tests.fakes.google import FakeGoogle
from tests.support.world import World
from wallets.enums import Priority
from wallets.models import GoogleClass, GooglePass, PassUpdate
from wallets.services import google_push, queue


def changed(world: World, *cards: Card, priority: Priority = Priority.STAMP) -> None:
    """Note that cards changed, as the relay's task does."""
    with tenancy.scope(world.merchant_id):
        for card in cards:
            queue.request_google(merchant_id=world.merchant_id, card_id=card.id, at=world.at, priority=priority)


def sent(world: World, card: Card, *, at: datetime | None = None) -> GooglePass:
    """Let a worker tell Google what is due, and return the card's row."""
    google_push.drain(at=at or world.at)
    return row_of(world, card)


def row_of(world: World, card: Card) -> GooglePass:
    """Return the card's row."""
    with tenancy.scope(world.merchant_id):
        return GooglePass.objects.get(card_id=card.id)


def update_of(world: World, card: Card) -> PassUpdate:
    """Return the card's place in the queue."""
    with tenancy.scope(world.merchant_id):
        return PassUpdate.objects.get(card_id=card.id, provider="google")


def class_of(world: World) -> GoogleClass:
    """Return the program's class."""
    with tenancy.scope(world.merchant_id):
        return GoogleClass.objects.get(program_id=world.program.id)


def held(google: FakeGoogle, world: World, card: Card) -> dict[str, Any]:
    """Return the card's object as Google holds it."""
    return google.shelf.objects[row_of(world, card).object_id]


def balance(google: FakeGoogle, world: World, card: Card) -> Any:
    """Return what the object's first figure says."""
    (value,) = held(google, world, card)["loyaltyPoints"]["balance"].values()
    return value
