"""Adjusting by hand and freezing: what a manager may, and what the rules still hold (rules 6, 11, 12, 13, 20)."""

from datetime import timedelta
from typing import Any

import pytest

from core import tenancy
from core.errors import DomainError
from core.models import OutboxEvent
from loyalty.models import Card, Reward, TransactionDetail
from loyalty.queries import verification
from loyalty.services import adjustments, freezing
from tests.support.world import World

pytestmark = pytest.mark.django_db


def adjust(world: World, card: Card, key: str | None = None, **deltas: int) -> dict[str, Any]:
    return adjustments.adjust(world.call(key), card_id=card.pk, reason="kindness", **deltas).body


def refused(world: World, card: Card, **deltas: int) -> DomainError:
    before = len(world.rows(card))
    with pytest.raises(DomainError) as found:
        adjust(world, card, **deltas)
    assert len(world.rows(card)) == before
    return found.value


def settled(world: World, card: Card) -> Card:
    assert verification.verify(world.merchant_id).differences == ()
    return world.assert_adds_up(card)


def test_it_works() -> None:
    world = World.make(loyalty_type="hybrid")
    card = world.card()
    answer = adjust(world, card, stamps_delta=3, points_delta=50)
    assert (answer["stamp_count"], answer["points_balance"], answer["reward_earned"]) == (3, 50, False)
    rows = world.rows(card)[1:]
    assert [(row.type, row.stamps_delta, row.points_delta) for row in rows] == [
        ("adjustment", 3, 0), ("adjustment", 0, 50)
    ]  # fmt: skip
    with tenancy.scope(world.merchant_id):
        assert TransactionDetail.objects.get(transaction=rows[0]).note == "kindness"
    adjust(world, card, stamps_delta=-3, points_delta=-50)
    after = settled(world, card)
    assert (after.stamp_count, after.points_balance, after.points_granted) == (0, 0, 0)


def test_rule_6_reaching_the_target_issues_rewards_and_carries_over() -> None:
    world = World.make(stamps_target=5, cooldown_minutes=60, max_daily_stamps=1)
    card = world.card()
    answer = adjust(world, card, stamps_delta=12)
    assert (answer["stamp_count"], answer["rewards_available"], answer["reward_earned"]) == (2, 2, True)
    # No cooldown starts and nothing counts for the day: it was no visit.
    assert world.stamp(card)["stamps_today"] == 1
    assert world.redeem(card)["rewards_available"] == 1
    settled(world, card)


def test_collect_first_takes_nothing_beyond_the_target_and_nothing_that_is_held() -> None:
    world = World.make(stamps_target=5, full_card="collect_first")
    card = world.card()
    assert refused(world, card, stamps_delta=6).code == "card_full"
    assert adjust(world, card, stamps_delta=5)["rewards_available"] == 1
    assert refused(world, card, stamps_delta=1).code == "card_full"
    held = refused(world, card, stamps_delta=-1)
    assert (held.code, held.facts["stamps_held"]) == ("insufficient_stamps", 5)
    assert world.redeem(card)["stamp_count"] == 0
    settled(world, card)


def test_rule_12_never_below_zero_and_debts_first() -> None:
    world = World.make(loyalty_type="points", points_per_euro="1", refund_shortfall="settle_later")
    card = world.card()
    assert refused(world, card, points_delta=-1).code == "insufficient_points"
    sale = world.sale(card, 2000)
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.create(program=world.program, name="Scarf", points_cost=20)
    world.spend(card, reward.pk)
    world.refund(sale["transaction_id"], 2000)
    answer = adjust(world, card, points_delta=30)
    assert (answer["points_balance"], answer["points_debt"], answer["debt_paid"]) == (10, 0, 20)
    assert refused(world, card, points_delta=-11).code == "insufficient_points"
    settled(world, card)


@pytest.mark.parametrize(("kind", "deltas"), [("stamps", {"points_delta": 1}), ("points", {"stamps_delta": 1})])
def test_a_unit_that_the_program_does_not_count_is_refused(kind: str, deltas: dict[str, int]) -> None:
    world = World.make(loyalty_type=kind)
    assert refused(world, world.card(), **deltas).code == "wrong_program_type"


@pytest.mark.parametrize("deltas", [{}, {"stamps_delta": 51}, {"points_delta": 2**31}])
def test_nothing_and_too_much_are_refused(deltas: dict[str, int]) -> None:
    world = World.make(loyalty_type="hybrid")
    assert refused(world, world.card(), **deltas).code == "validation_error"


def test_two_unit_that_do_not_both_fit_change_nothing() -> None:
    world = World.make(loyalty_type="hybrid")
    assert refused(world, world.card(), stamps_delta=2, points_delta=-1).code == "insufficient_points"


def test_more_than_a_card_can_hold_is_refused() -> None:
    world = World.make(loyalty_type="points")
    card = world.card()
    adjust(world, card, points_delta=2**31 - 1)
    assert refused(world, card, points_delta=1).code == "validation_error"


def test_rule_13_an_adjustment_is_no_visit_but_lives_long_enough_to_be_told_of() -> None:
    world = World.make(loyalty_type="points", points_per_euro="1", points_expiration_days=90)
    card = world.card()
    world.sale(card, 1000)
    world.tick(days=20)
    adjust(world, card, points_delta=5)
    assert world.fresh(card).last_activity_on == (world.at - timedelta(days=20)).date()
    world.tick(days=65)
    adjust(world, card, points_delta=5)
    assert world.fresh(card).last_activity_on == (world.at + timedelta(days=30 - 90)).date()
    settled(world, card)


def test_one_key_has_one_effect() -> None:
    world = World.make()
    card = world.card()
    assert adjust(world, card, "k", stamps_delta=2) == adjust(world, card, "k", stamps_delta=2)
    assert settled(world, card).stamp_count == 2


def test_it_goes_on_while_the_program_pauses_and_on_a_frozen_card() -> None:
    world = World.make()
    card = world.card()
    world.change(status="paused")
    freezing.freeze(merchant_id=world.merchant_id, card_id=card.pk, reason="x", at=world.at)
    assert adjust(world, card, stamps_delta=1)["stamp_count"] == 1


def test_an_adjusted_stamp_is_part_of_what_undoing_looks_at() -> None:
    world = World.make(stamps_target=3)
    card = world.card()
    adjust(world, card, stamps_delta=2)
    given = world.stamp(card)
    world.redeem(card)
    surplus = world.stamp(card)
    # The reward used the first three; the fourth is free.
    assert world.void(surplus["transaction_id"])["stamp_count"] == 0
    with pytest.raises(DomainError) as found:
        world.void(given["transaction_id"])
    assert found.value.code == "already_redeemed"
    settled(world, card)


def test_rule_20_freezing_tells_the_passes_and_waits_for_nobody_to_lose_points() -> None:
    world = World.make(loyalty_type="points", points_per_euro="1", points_expiration_days=40)
    card = world.card()
    world.sale(card, 1000)
    freezing.freeze(merchant_id=world.merchant_id, card_id=card.pk, reason="lost", at=world.at)
    world.tick(days=100)
    freezing.unfreeze(merchant_id=world.merchant_id, card_id=card.pk, reason="found", at=world.at)
    assert world.sale(card, 100)["points_balance"] == 11
    with tenancy.scope(world.merchant_id):
        told = [event.payload["why"] for event in OutboxEvent.objects.filter(topic="card.changed").order_by("id")]
    assert told[-3:] == ["card_frozen", "card_unfrozen", "points_earned"]
    after = settled(world, card)
    assert (after.status, after.status_reason) == ("active", "")
