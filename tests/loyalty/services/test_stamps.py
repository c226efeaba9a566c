"""Stamps: giving, completing, limits, redeeming (rules 4, 6, 14, 15, 17, 18)."""

import pytest

from core import idempotency
from core.errors import NotFound
from loyalty.models import IssuedReward
from loyalty.rules.stamps import CardFull, CooldownActive, DailyLimitReached
from loyalty.services import operations, stamps
from tests.support.world import World

pytestmark = pytest.mark.django_db


def test_it_works() -> None:
    world = World.make()
    card = world.card()

    answer = world.stamp(card)

    assert answer["stamp_count"] == 1
    assert answer["stamps_until_reward"] == 9
    assert answer["reward_earned"] is False
    assert world.assert_adds_up(card).stamp_count == 1


def test_rule_6_surplus_stamps_carry_over() -> None:
    world = World.make(stamps_target=10)
    card = world.card()
    world.stamp(card, 9)

    answer = world.stamp(card, 3)

    assert answer["reward_earned"] is True
    assert answer["rewards_available"] == 1
    assert answer["stamp_count"] == 2
    types = [(row.type, row.stamps_delta) for row in world.rows(card)][-2:]
    assert types == [("stamp_earned", 3), ("reward_issued", -10)]
    world.assert_adds_up(card)


def test_rule_6_several_targets_in_one_go_give_several_rewards() -> None:
    world = World.make(stamps_target=3)
    card = world.card()

    answer = world.stamp(card, 7)

    assert answer["rewards_available"] == 2
    assert answer["stamp_count"] == 1
    world.assert_adds_up(card)


def test_rule_6_collect_first_refuses_whole_and_takes_the_stamps_at_redemption() -> None:
    world = World.make(stamps_target=3, full_card="collect_first")
    card = world.card()
    world.stamp(card, 2)
    with pytest.raises(CardFull):
        world.stamp(card, 2)
    assert world.fresh(card).stamp_count == 2

    world.stamp(card, 1)
    with pytest.raises(CardFull):
        world.stamp(card, 1)
    answer = world.redeem(card)

    assert answer["stamps_redeemed"] == 3
    assert answer["stamp_count"] == 0
    assert [row.stamps_delta for row in world.rows(card)] == [0, 2, 1, 0, -3]
    world.assert_adds_up(card)


def test_rule_6_full_card_stays_full_when_the_option_changes() -> None:
    world = World.make(stamps_target=2, full_card="collect_first")
    card = world.card()
    world.stamp(card, 2)
    world.change(full_card="carry_over")

    with pytest.raises(CardFull):
        world.stamp(card, 1)
    assert world.redeem(card)["stamp_count"] == 0
    assert world.stamp(card, 1)["stamp_count"] == 1


def test_rule_4_a_running_card_keeps_its_target() -> None:
    world = World.make(stamps_target=3)
    card = world.card()
    world.stamp(card, 2)
    world.change(stamps_target=5)

    answer = world.stamp(card, 1)

    assert answer["reward_earned"] is True
    assert answer["stamps_target"] == 5
    assert {row.program_version for row in world.rows(card)} == {1, 2}


def test_rule_14_exactly_at_the_limit_is_allowed() -> None:
    world = World.make(cooldown_minutes=15)
    card = world.card()
    world.stamp(card)
    world.tick(minutes=14, seconds=59)
    with pytest.raises(CooldownActive) as refused:
        world.stamp(card)
    assert (refused.value.facts["next_stamp_available_at"] - world.at).total_seconds() == 1

    world.tick(seconds=1)

    assert world.stamp(card)["stamp_count"] == 2


def test_rule_14_a_voided_stamp_does_not_start_the_cooldown() -> None:
    world = World.make(cooldown_minutes=15)
    card = world.card()
    given = world.stamp(card)
    world.void(given["transaction_id"])

    assert world.stamp(card)["stamp_count"] == 1


def test_rule_15_limit_counts_the_day_and_gives_nothing_in_part() -> None:
    world = World.make(max_daily_stamps=5)
    card = world.card()
    world.stamp(card, 3)
    with pytest.raises(DailyLimitReached) as refused:
        world.stamp(card, 3)
    assert world.fresh(card).stamp_count == 3
    assert refused.value.facts["resets_at"].isoformat() == "2026-03-10T23:00:00+00:00"
    assert world.stamp(card, 2)["stamps_remaining_today"] == 0

    world.at = refused.value.facts["resets_at"]

    assert world.stamp(card, 5)["stamps_today"] == 5


def test_rule_17_a_reward_is_redeemed_once() -> None:
    world = World.make(stamps_target=2)
    card = world.card()
    world.stamp(card, 2)

    answer = world.redeem(card)

    assert answer["reward_description"] == "Free coffee"
    assert answer["rewards_available"] == 0
    with pytest.raises(stamps.InsufficientStamps):
        world.redeem(card)
    world.assert_adds_up(card)


def test_rule_17_the_oldest_reward_goes_first() -> None:
    world = World.make(stamps_target=2)
    card = world.card()
    world.stamp(card, 2)
    world.change(stamps_reward_description="Free cake")
    world.tick(minutes=1)
    world.stamp(card, 2)

    assert world.redeem(card)["reward_description"] == "Free coffee"


def test_rule_18_one_key_has_one_effect() -> None:
    world = World.make()
    card = world.card()
    call = world.call("till-1-0001", operation="stamp", card_id=str(card.id))

    first = world.stamp(card, call=call)
    second = world.stamp(card, call=call)

    assert first == second
    assert world.fresh(card).stamp_count == 1


def test_rule_18_a_key_is_not_for_another_body() -> None:
    world = World.make()
    card = world.card()
    world.stamp(card, call=world.call("k1", quantity=1))

    with pytest.raises(idempotency.IdempotencyKeyReused):
        world.stamp(card, 2, call=world.call("k1", quantity=2))
    assert world.fresh(card).stamp_count == 1


def test_rule_18_a_refused_request_may_be_sent_again_with_its_key() -> None:
    world = World.make(cooldown_minutes=15)
    card = world.card()
    world.stamp(card)
    with pytest.raises(CooldownActive):
        world.stamp(card, call=world.call("k1"))
    world.tick(minutes=15)

    assert world.stamp(card, call=world.call("k1"))["stamp_count"] == 2


def test_rule_18_a_person_at_a_screen_is_asked_once() -> None:
    world = World.make()
    card, till = world.card(), world.terminal()
    world.stamp(card, who=till)
    world.tick(seconds=5)

    with pytest.raises(operations.DuplicateSuspected):
        world.stamp(card, who=till)
    assert world.stamp(card, who=till, confirm=True)["stamp_count"] == 2
    world.tick(seconds=10)
    assert world.stamp(card, who=till)["stamp_count"] == 3


def test_rule_18_a_key_is_not_asked() -> None:
    world = World.make()
    card = world.card()
    world.stamp(card)

    assert world.stamp(card)["stamp_count"] == 2


def test_refuses_a_foreign_card_and_changes_nothing() -> None:
    world, other = World.make(), World.make()
    card = other.card()

    with pytest.raises(NotFound):
        world.stamp(card)
    assert other.fresh(card).stamp_count == 0


def test_refused_attempts_are_kept_beside_the_ledger() -> None:
    from core import tenancy
    from loyalty.models import RefusedAttempt

    world = World.make(cooldown_minutes=15)
    card = world.card()
    world.stamp(card)
    with pytest.raises(CooldownActive):
        world.stamp(card)

    with tenancy.scope(world.merchant_id):
        kept = RefusedAttempt.objects.get()
    assert (kept.code, kept.card_id, kept.store_id) == ("cooldown_active", card.id, world.store.id)
    assert len(world.rows(card)) == 2


def test_reward_expires_at_the_end_of_a_local_day() -> None:
    from core import tenancy

    world = World.make(stamps_target=1, stamps_reward_valid_days=30)
    card = world.card()
    world.stamp(card)

    with tenancy.scope(world.merchant_id):
        reward = IssuedReward.objects.get(card_id=card.id)
    assert reward.expires_at is not None
    assert reward.expires_at.isoformat() == "2026-04-09T22:00:00+00:00"
    world.at = reward.expires_at
    with pytest.raises(stamps.InsufficientStamps):
        world.redeem(card)
