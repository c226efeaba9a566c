"""Races of merging: real threads, real commits, and each stamp, point and reward is somewhere, once (rules 17, 25)."""

import itertools
from typing import Any

from loyalty.models import Card
from loyalty.queries import verification
from loyalty.services import freezing, merges
from tests.loyalty.services.test_races import race
from tests.support.world import World


def join(world: World, card: Card, into: Card) -> dict[str, Any]:
    merges.merge(
        merchant_id=world.merchant_id, card_id=card.pk, into_id=into.pk, reason="x", at=world.at, channel="api"
    )
    return {}


def part(world: World, card: Card) -> dict[str, Any]:
    merges.unmerge(merchant_id=world.merchant_id, card_id=card.pk, reason="x", at=world.at, channel="api")
    return {}


def in_turns(*works: Any) -> Any:
    """Return work that does one thing in one thread and another in the next."""
    turns = itertools.count()
    return lambda: works[next(turns) % len(works)]()


def settled(world: World, *cards: Card) -> list[Card]:
    assert verification.verify().differences == ()
    return [world.assert_adds_up(card) for card in cards]


def test_two_merges_of_one_card_have_one_winner(real_db: Any) -> None:
    world = World.make(stamps_target=50)
    lost, one, other = world.card(), world.card(), world.card()
    world.stamp(lost, 5)

    seen = race(in_turns(lambda: join(world, lost, one), lambda: join(world, lost, other)), 8)

    assert seen["done"] == 1
    assert set(seen) <= {"done", "card_not_active", "card_busy"}
    assert sum(card.stamp_count for card in settled(world, lost, one, other)) == 5


def test_two_cards_merged_into_each_other_end_in_one(real_db: Any) -> None:
    world = World.make(stamps_target=50)
    one, other = world.card(), world.card()
    world.stamp(one, 2)
    world.stamp(other, 3)

    seen = race(in_turns(lambda: join(world, one, other), lambda: join(world, other, one)), 8)

    assert seen["done"] == 1
    assert set(seen) <= {"done", "card_not_active", "card_busy"}
    assert sorted(card.stamp_count for card in settled(world, one, other)) == [0, 5]


def test_a_stamp_during_a_merge_is_on_the_card_that_goes_on_or_refused(real_db: Any) -> None:
    world = World.make(stamps_target=50)
    lost, new = world.card(), world.card()
    given = []

    def stamp() -> dict[str, Any]:
        given.append(world.stamp(lost))
        return given[-1]

    seen = race(in_turns(lambda: join(world, lost, new), stamp, stamp, stamp), 8)

    assert set(seen) <= {"done", "card_busy", "card_not_active"}
    source, target = settled(world, lost, new)
    assert source.stamp_count + target.stamp_count == len(given)
    assert world.stamp(lost)["card_id"] == str(new.pk if source.status == "merged" else lost.pk)


def test_a_merge_taken_back_while_its_reward_is_handed_out_does_one_of_both(real_db: Any) -> None:
    world = World.make(stamps_target=5)
    lost, new = world.card(), world.card()
    world.stamp(lost, 3)
    world.stamp(new, 3)
    join(world, lost, new)

    seen = race(in_turns(lambda: part(world, lost), lambda: world.redeem(new)), 6)

    assert set(seen) <= {"done", "card_not_active", "card_busy", "insufficient_stamps", "already_redeemed"}
    source, target = settled(world, lost, new)
    redeemed = any(row.type == "stamp_redeemed" for row in world.rows(new))
    assert source.stamp_count + target.stamp_count == (1 if redeemed else 6)


def test_taking_back_twice_has_one_winner(real_db: Any) -> None:
    world = World.make(stamps_target=50)
    lost, new = world.card(), world.card()
    world.stamp(lost, 3)
    join(world, lost, new)

    seen = race(lambda: part(world, lost), 8)

    assert seen["done"] == 1
    assert set(seen) <= {"done", "card_not_active", "card_busy"}
    assert [card.stamp_count for card in settled(world, lost, new)] == [3, 0]


def test_chains_made_and_taken_apart_at_once_never_deadlock(real_db: Any) -> None:
    world = World.make(stamps_target=50)
    first, middle, last = world.card(), world.card(), world.card()
    world.stamp(first, 1)
    join(world, first, middle)

    seen = race(in_turns(lambda: join(world, middle, last), lambda: part(world, first)), 8)

    assert set(seen) <= {"done", "card_not_active", "card_busy"}
    assert sum(card.stamp_count for card in settled(world, first, middle, last)) == 1


def test_a_card_is_frozen_once(real_db: Any) -> None:
    world = World.make()
    card = world.card()

    def freeze() -> dict[str, Any]:
        freezing.freeze(merchant_id=world.merchant_id, card_id=card.pk, reason="x", at=world.at)
        return {}

    seen = race(freeze, 8)

    assert seen["done"] == 1
    assert set(seen) <= {"done", "card_not_active", "card_busy"}
