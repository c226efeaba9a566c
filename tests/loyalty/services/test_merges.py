"""Merging two cards and taking that back: balances, fractions, debts, rewards, refunds across (rules 6, 9, 10, 25)."""

from datetime import timedelta

import pytest

from core import tenancy
from core.errors import DomainError
from loyalty.models import Card, IssuedReward, Reward
from loyalty.queries import access
from loyalty.queries.hot import CardRef
from loyalty.services import stamps
from tests.support.merging import join, part, points, settled, two
from tests.support.world import World

pytestmark = pytest.mark.django_db


def test_it_works() -> None:
    world, lost, new = two(loyalty_type="hybrid", points_per_euro="1", stamps_target=10)
    world.sale(lost, 5000)
    world.stamp(lost, 3)
    world.sale(new, 1000)

    made = join(world, lost, new)

    source, target = settled(world, lost, new)
    assert (source.status, source.merged_into_id) == ("merged", new.pk)
    assert (source.stamp_count, source.points_balance, source.points_micro) == (0, 0, 0)
    # Hybrid: each sale brought a stamp, too.
    assert (target.stamp_count, target.points_balance) == (5, 60)
    assert made.undo_until == world.at + timedelta(days=30)
    part(world, lost)
    source, target = settled(world, lost, new)
    assert (source.status, source.stamp_count, source.points_balance) == ("active", 4, 50)
    assert (target.stamp_count, target.points_balance) == (1, 10)


def test_rule_25_both_codes_and_secrets_lead_to_the_one_that_goes_on_and_back() -> None:
    world, lost, new = two()
    join(world, lost, new)
    secret = access.secret_of(lost)
    for kind, value in (("qr_code", lost.qr_code_data), ("card_number", lost.card_number), ("card_id", lost.pk)):
        answer = stamps.give(world.call(), card=CardRef(kind, value))
        assert answer.body["card_id"] == str(new.pk)
    assert access.card_of(secret) == (world.merchant_id, new.pk)
    assert tenancy.lookup("card_by_code", lost.qr_code_data) == [(world.merchant_id, new.pk)]
    part(world, lost)
    assert access.card_of(secret) == (world.merchant_id, lost.pk)
    assert tenancy.lookup("card_by_code", lost.qr_code_data) == [(world.merchant_id, lost.pk)]
    assert world.stamp(lost)["card_id"] == str(lost.pk)


def test_rule_9_two_half_points_become_one_and_part_again() -> None:
    world, one, other = points(points_per_euro="1/50")
    world.sale(one, 2500)
    world.sale(other, 2500)
    join(world, one, other)
    (target,) = settled(world, other)
    assert (target.points_balance, target.points_micro, target.points_granted) == (1, 1_000_000, 1)
    part(world, one)
    source, target = settled(world, one, other)
    assert [(card.points_balance, card.points_micro, card.points_granted) for card in (source, target)] == [
        (0, 500_000, 0), (0, 500_000, 0)
    ]  # fmt: skip


def test_a_point_of_fractions_that_was_spent_meanwhile_is_nobodys_debt() -> None:
    world, one, other = points(points_per_euro="1/50")
    world.sale(one, 2500)
    world.sale(other, 2500)
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.create(program=world.program, name="Sticker", points_cost=1)
    join(world, one, other)
    world.spend(one, reward.pk)
    part(world, one)
    source, target = settled(world, one, other)
    assert (source.points_balance, target.points_balance, target.points_debt) == (0, 0, 0)


@pytest.mark.parametrize("rounding", ["carry", "per_purchase"])
def test_half_a_sale_from_before_the_merge_is_refunded_on_the_card_that_goes_on(rounding: str) -> None:
    world, lost, new = points(points_per_euro="1/10", rounding=rounding)
    sale = world.sale(lost, 2000)
    world.sale(new, 500)
    join(world, lost, new)
    answer = world.refund(sale["transaction_id"], 1000)
    assert (answer["card_id"], answer["points_taken_back"]) == (str(new.pk), 1)
    source, target = settled(world, lost, new)
    assert (source.points_balance, target.points_balance) == (0, 1)
    # What is left of the sale goes back with the card, and can be refunded there.
    part(world, lost)
    source, target = settled(world, lost, new)
    assert (source.points_balance, target.points_balance) == (1, 0)
    assert world.refund(sale["transaction_id"], 1000)["card_id"] == str(lost.pk)
    with pytest.raises(DomainError) as refused:
        world.refund(sale["transaction_id"], 1)
    assert refused.value.code == "refund_exceeds_sale"
    settled(world, lost, new)


def test_four_refunds_across_a_merge_take_back_what_one_does() -> None:
    world, lost, new = points(points_per_euro="1/10")
    sale = world.sale(lost, 2000)
    world.refund(sale["transaction_id"], 500)
    join(world, lost, new)
    world.refund(sale["transaction_id"], 500)
    part(world, lost)
    world.refund(sale["transaction_id"], 500)
    join(world, lost, new)
    world.refund(sale["transaction_id"], 500)
    source, target = settled(world, lost, new)
    assert (source.points_balance, target.points_balance, target.points_micro) == (0, 0, 0)


def test_a_sale_from_before_the_merge_is_undone_on_the_card_that_goes_on() -> None:
    world, lost, new = points()
    sale = world.sale(lost, 2000)
    join(world, lost, new)
    assert world.void(sale["transaction_id"])["card_id"] == str(new.pk)
    part(world, lost)
    source, target = settled(world, lost, new)
    assert (source.points_balance, target.points_balance) == (0, 0)
    with pytest.raises(DomainError) as refused:
        world.void(sale["transaction_id"])
    assert refused.value.code == "already_voided"


def test_debts_are_paid_at_once_and_come_back() -> None:
    world, owing, rich = points(refund_shortfall="settle_later")
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.create(program=world.program, name="Scarf", points_cost=20)
    sale = world.sale(owing, 2000)
    world.spend(owing, reward.pk)
    world.refund(sale["transaction_id"], 2000)
    world.sale(rich, 5000)
    assert world.fresh(owing).points_debt == 20
    for one, into in ((owing, rich), (rich, owing)):
        join(world, one, into)
        (target,) = settled(world, into)
        assert (target.points_balance, target.points_debt) == (30, 0)
        part(world, one)
        first, second = settled(world, owing, rich)
        assert (first.points_balance, first.points_debt) == (0, 20)
        assert (second.points_balance, second.points_debt) == (50, 0)


def test_what_was_spent_meanwhile_stays_spent_and_nothing_becomes_negative() -> None:
    world, lost, new = points()
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.create(program=world.program, name="Scarf", points_cost=70)
    world.sale(lost, 5000)
    world.sale(new, 5000)
    join(world, lost, new)
    world.spend(new, reward.pk)
    back = part(world, lost).moved["back"]
    source, target = settled(world, lost, new)
    assert (source.points_balance, target.points_balance) == (30, 0)
    assert (back["points"], back["missing_points"]) == (30, 20)


def test_a_redemption_from_before_the_merge_undone_since_comes_back_with_the_card() -> None:
    world, lost, new = points()
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.create(program=world.program, name="Scarf", points_cost=20)
    world.sale(lost, 5000)
    spent = world.spend(lost, reward.pk)
    join(world, lost, new)
    assert world.void(spent["transaction_id"])["points_balance"] == 50
    part(world, lost)
    source, target = settled(world, lost, new)
    assert (source.points_balance, target.points_balance) == (50, 0)


def test_rule_6_surplus_stamps_issue_a_reward_and_taking_back_takes_it_apart() -> None:
    world, lost, new = two(stamps_target=10)
    world.stamp(lost, 8)
    world.stamp(new, 5)
    join(world, lost, new)
    (target,) = settled(world, new)
    assert (target.stamp_count, target.rewards_ready) == (3, 1)
    back = part(world, lost).moved["back"]
    source, target = settled(world, lost, new)
    assert (source.stamp_count, target.stamp_count, target.rewards_ready) == (8, 5, 0)
    assert back["cancelled"] == 1
    # The row of the reward is reversed by one that names it: the history shows both.
    assert [row.type for row in world.rows(new)][-2:] == ["void", "merge_out"]


def test_a_reward_of_both_that_was_redeemed_meanwhile_stays_redeemed() -> None:
    world, lost, new = two(stamps_target=10)
    world.stamp(lost, 8)
    world.stamp(new, 5)
    join(world, lost, new)
    world.redeem(lost)
    back = part(world, lost).moved["back"]
    source, target = settled(world, lost, new)
    assert (source.stamp_count, target.stamp_count) == (3, 0)
    assert (back["stamps"], back["missing_stamps"], back["cancelled"]) == (3, 5, 0)


def test_a_reward_that_the_other_card_had_before_is_never_taken_apart() -> None:
    world, lost, new = two(stamps_target=5)
    world.stamp(new, 5)
    world.stamp(lost, 4)
    join(world, lost, new)
    world.stamp(new, 1)
    handed = [world.redeem(new) for _ in range(2)]
    # The older reward, which the card had before the merge, is ready again: the stamps of the other are not in it.
    world.void(handed[0]["transaction_id"])
    back = part(world, lost).moved["back"]
    source, target = settled(world, lost, new)
    assert (source.stamp_count, target.stamp_count, target.rewards_ready) == (0, 0, 1)
    assert (back["missing_stamps"], back["cancelled"]) == (4, 0)


def test_ready_rewards_go_along_stay_redeemable_and_come_back() -> None:
    world, lost, new = two(stamps_target=5)
    world.stamp(lost, 7)
    reward_id = _ready(world, lost)[0].pk
    join(world, lost, new)
    (target,) = settled(world, new)
    assert (target.stamp_count, target.rewards_ready, _ready(world, new)[0].pk) == (2, 1, reward_id)
    part(world, lost)
    source, target = settled(world, lost, new)
    assert (source.stamp_count, source.rewards_ready, target.rewards_ready) == (2, 1, 0)
    join(world, lost, new)
    handed = world.redeem(lost)
    assert handed["reward"]["id"] == str(reward_id)
    # Undone by the manager, it is ready again and still the source's.
    world.void(handed["transaction_id"])
    part(world, lost)
    source, target = settled(world, lost, new)
    assert (source.rewards_ready, target.rewards_ready) == (1, 0)
    assert world.redeem(lost)["rewards_available"] == 0
    settled(world, lost, new)


def _ready(world: World, card: Card) -> list[IssuedReward]:
    with tenancy.scope(world.merchant_id):
        return list(IssuedReward.objects.filter(card_id=card.pk, state="issued"))


def test_collect_first_the_held_stamps_of_a_full_card_are_used_up() -> None:
    world, lost, new = two(stamps_target=5, full_card="collect_first")
    world.stamp(lost, 5)
    world.stamp(new, 3)
    join(world, lost, new)
    (target,) = settled(world, new)
    assert (target.stamp_count, target.rewards_ready) == (3, 1)
    assert world.redeem(lost)["stamp_count"] == 3
    settled(world, lost, new)


def test_collect_first_a_full_card_takes_the_other_ones_stamps_into_its_next_cycle() -> None:
    world, lost, new = two(stamps_target=5, full_card="collect_first")
    world.stamp(new, 5)
    world.stamp(lost, 3)
    join(world, lost, new)
    (target,) = settled(world, new)
    assert (target.stamp_count, target.rewards_ready) == (3, 1)
    assert world.redeem(new)["stamp_count"] == 3
    part(world, lost)
    source, target = settled(world, lost, new)
    assert (source.stamp_count, target.stamp_count) == (3, 0)


def test_collect_first_both_fill_the_card_exactly() -> None:
    world, lost, new = two(stamps_target=5, full_card="collect_first")
    world.stamp(lost, 3)
    world.stamp(new, 2)
    join(world, lost, new)
    (target,) = settled(world, new)
    assert (target.stamp_count, target.rewards_ready) == (5, 1)
    with pytest.raises(DomainError) as refused:
        world.stamp(new)
    assert refused.value.code == "card_full"
    part(world, lost)
    source, target = settled(world, lost, new)
    assert (source.stamp_count, target.stamp_count, target.rewards_ready) == (3, 2, 0)
