"""Two cards of one merchant, merged and taken apart, for tests."""

from typing import Any

from loyalty.models import Card, CardMerge
from loyalty.queries import verification
from loyalty.services import merges
from tests.support.world import World


def join(world: World, card: Card, into: Card) -> CardMerge:
    """Merge a card into another one."""
    return merges.merge(
        merchant_id=world.merchant_id, card_id=card.pk, into_id=into.pk, reason="same person", at=world.at,
        channel="dashboard",
    )  # fmt: skip


def part(world: World, card: Card) -> CardMerge:
    """Take the merge of a card back."""
    return merges.unmerge(
        merchant_id=world.merchant_id, card_id=card.pk, reason="two persons", at=world.at, channel="dashboard"
    )


def settled(world: World, *cards: Card) -> list[Card]:
    """Hold the cards against their ledgers, and everything against verify_ledger; return them as they are."""
    assert verification.verify(world.merchant_id).differences == ()
    return [world.assert_adds_up(card) for card in cards]


def two(**rules: Any) -> tuple[World, Card, Card]:
    """Make a merchant and two cards."""
    world = World.make(**rules)
    return world, world.card(name="Marie"), world.card(name="Marie K")


def points(**rules: Any) -> tuple[World, Card, Card]:
    """Make a merchant that counts points, and two cards."""
    return two(**{"loyalty_type": "points", "points_per_euro": "1", **rules})
