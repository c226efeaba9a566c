"""Points: earning, rounding, refunds, debt, spending (rules 9, 10, 12, 17)."""

import itertools

import pytest

from core import tenancy
from core.errors import NotFound, ValidationFailed
from loyalty.models import Reward
from loyalty.services import operations, points, refunds, stamps, voids
from tests.support.world import World

pytestmark = pytest.mark.django_db


def points_world(**rules: object) -> World:
    return World.make(**{"loyalty_type": "points", "points_per_euro": "10", **rules})


def test_it_works() -> None:
    world = points_world()
    card = world.card()

    answer = world.sale(card, 2340)

    assert answer["points_earned"] == 234
    assert answer["points_balance"] == 234
    assert "234" in answer["explanation"]
    world.assert_adds_up(card)


def test_rule_9_30_and_20_euros_at_one_point_per_50_give_one_point() -> None:
    world = points_world(points_per_euro="1/50")
    card = world.card()

    first = world.sale(card, 3000)
    second = world.sale(card, 2000)

    assert (first["points_earned"], first["to_next_point_cents"]) == (0, 2000)
    assert (second["points_earned"], second["points_balance"]) == (1, 1)
    assert second["to_next_point_cents"] == 5000
    world.assert_adds_up(card)


def test_rule_9_per_purchase_drops_the_fraction() -> None:
    world = points_world(points_per_euro="1/50", rounding="per_purchase")
    card = world.card()
    world.sale(card, 3000)

    assert world.sale(card, 2000)["points_earned"] == 0
    assert world.sale(card, 9900)["points_earned"] == 1
    assert world.assert_adds_up(card).points_micro == 0


def test_rule_9_a_tenth_is_exact() -> None:
    world = points_world(points_per_euro="0.1")
    card = world.card()

    for _ in range(10):
        answer = world.sale(card, 100)

    assert answer["points_balance"] == 1


def test_rule_9_a_purchase_under_the_minimum_is_recorded_with_0_points_and_says_why() -> None:
    world = points_world(minimum_purchase_cents=500)
    card = world.card()

    answer = world.sale(card, 499)

    assert answer["points_earned"] == 0
    assert "5.00" in answer["explanation"]
    assert world.rows(card)[-1].purchase_amount_cents == 499


def test_rule_10_four_small_refunds_take_what_one_large_takes() -> None:
    world = points_world(points_per_euro="1/10")
    card = world.card()
    sale = world.sale(card, 2000)
    assert sale["points_earned"] == 2

    taken = [world.refund(sale["transaction_id"], 500)["points_taken_back"] for _ in range(4)]

    assert sum(taken) == 2
    assert world.assert_adds_up(card).points_balance == 0


@pytest.mark.parametrize("rounding", ["carry", "per_purchase"])
def test_rule_10_is_independent_of_order(rounding: str) -> None:
    ends = set()
    for order in itertools.permutations([700, 250, 50]):
        world = points_world(points_per_euro="1/3", rounding=rounding)
        card = world.card()
        world.sale(card, 1234)
        sale = world.sale(card, 1000)
        for cents in order:
            world.refund(sale["transaction_id"], cents)
        ends.add(world.assert_adds_up(card).points_balance)
    assert len(ends) == 1


def test_rule_10_uses_the_rate_of_the_day_of_sale() -> None:
    world = points_world(points_per_euro="10")
    card = world.card()
    sale = world.sale(card, 2000)
    world.change(points_per_euro="1")

    answer = world.refund(sale["transaction_id"], 1000)

    assert answer["points_taken_back"] == 100
    assert world.assert_adds_up(card).points_balance == 100


def test_rule_10_more_than_the_sale_is_refused() -> None:
    world = points_world()
    card = world.card()
    sale = world.sale(card, 2000)
    world.refund(sale["transaction_id"], 1500)

    with pytest.raises(refunds.RefundExceedsSale) as refused:
        world.refund(sale["transaction_id"], 501)
    assert refused.value.facts["refundable_cents"] == 500
    assert world.assert_adds_up(card).points_balance == 50


def test_rule_10_what_is_no_sale_cannot_be_refunded() -> None:
    world = World.make()
    card = world.card()
    stamp = world.stamp(card)

    with pytest.raises(NotFound):
        world.refund(stamp["transaction_id"], 100)


def spent(world: World) -> tuple[object, dict[str, object]]:
    card = world.card()
    sale = world.sale(card, 1000)
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.create(program=world.program, name="Scarf", points_cost=80)
    world.spend(card, reward.id)
    return card, sale


def test_rule_12_write_off_takes_what_is_there() -> None:
    world = points_world()
    card, sale = spent(world)

    answer = world.refund(str(sale["transaction_id"]), 1000)

    assert (answer["points_taken_back"], answer["points_due"]) == (20, 100)
    after = world.assert_adds_up(card)  # type: ignore[arg-type]
    assert (after.points_balance, after.points_debt) == (0, 0)
    assert world.sale(card, 500)["points_earned"] == 50  # type: ignore[arg-type]


def test_rule_12_settle_later_pays_the_debt_first() -> None:
    world = points_world(refund_shortfall="settle_later")
    card, sale = spent(world)
    world.refund(str(sale["transaction_id"]), 1000)
    assert world.fresh(card).points_debt == 80  # type: ignore[arg-type]

    answer = world.sale(card, 1000)  # type: ignore[arg-type]

    assert (answer["points_earned"], answer["debt_paid"], answer["points_balance"]) == (100, 80, 20)
    world.assert_adds_up(card)  # type: ignore[arg-type]


def test_rule_11_void_of_a_sale_that_paid_a_debt_restores_it() -> None:
    world = points_world(refund_shortfall="settle_later")
    card, sale = spent(world)
    world.refund(str(sale["transaction_id"]), 1000)
    later = world.sale(card, 1000)  # type: ignore[arg-type]

    world.void(later["transaction_id"])

    after = world.assert_adds_up(card)  # type: ignore[arg-type]
    assert (after.points_balance, after.points_debt) == (0, 80)


def test_rule_11_void_gives_back_everything_in_carry_mode() -> None:
    world = points_world(points_per_euro="1/50")
    card = world.card()
    world.sale(card, 3000)
    sale = world.sale(card, 2000)

    world.void(sale["transaction_id"])

    after = world.assert_adds_up(card)
    assert (after.points_balance, after.points_micro) == (0, 600_000)
    with pytest.raises(voids.AlreadyVoided):
        world.void(sale["transaction_id"])
    with pytest.raises(voids.AlreadyVoided):
        world.refund(sale["transaction_id"], 100)


def test_rule_17_points_cannot_be_overspent() -> None:
    world = points_world()
    card, _ = spent(world)
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.get()

    with pytest.raises(points.InsufficientPoints) as refused:
        world.spend(card, reward.id)  # type: ignore[arg-type]
    assert refused.value.facts == {"points_balance": 20, "required": 80}


def test_redeem_refuses_an_archived_and_a_foreign_reward() -> None:
    world, other = points_world(), points_world()
    card, _ = spent(world)
    spent(other)
    with tenancy.scope(other.merchant_id):
        foreign = Reward.objects.get().id
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.get()
        reward.is_active = False
        reward.save()

    with pytest.raises(stamps.RewardNotAvailable):
        world.spend(card, reward.id)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        world.spend(card, foreign)  # type: ignore[arg-type]


def test_void_of_a_redemption_gives_the_points_back() -> None:
    world = points_world()
    card = world.card()
    world.sale(card, 1000)
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.create(program=world.program, name="Scarf", points_cost=80)
    redeemed = world.spend(card, reward.id)

    assert world.void(redeemed["transaction_id"])["points_balance"] == 100
    world.spend(card, reward.id)
    world.assert_adds_up(card)


def test_refuses_another_currency() -> None:
    world = points_world()

    with pytest.raises(ValidationFailed) as refused:
        world.sale(world.card(), 1000, currency="USD")
    assert "currency" in refused.value.errors


def test_stamps_program_gives_no_points() -> None:
    world = World.make()

    with pytest.raises(operations.WrongProgramType):
        world.sale(world.card(), 1000)


def test_hybrid_sale_gives_the_stamp_too_and_says_when_not() -> None:
    world = World.make(loyalty_type="hybrid", points_per_euro="1", cooldown_minutes=15, stamps_target=5)
    card = world.card()

    first = world.sale(card, 500)
    world.tick(minutes=1)
    second = world.sale(card, 500)

    assert first["stamp"]["given"] is True
    assert second["stamp"]["given"] is False
    assert second["stamp"]["code"] == "cooldown_active"
    assert second["points_balance"] == 10
    assert world.assert_adds_up(card).stamp_count == 1


def test_void_of_a_hybrid_sale_takes_both_back() -> None:
    world = World.make(loyalty_type="hybrid", points_per_euro="1", stamps_target=1)
    card = world.card()
    sale = world.sale(card, 500)
    assert sale["stamp"]["reward_earned"] is True

    answer = world.void(sale["transaction_id"])

    assert (answer["points_balance"], answer["stamp_count"], answer["rewards_available"]) == (0, 0, 0)
    world.assert_adds_up(card)


def test_welcome_bonus_comes_with_the_first_earn_and_goes_with_its_refund() -> None:
    world = points_world(welcome_bonus_points=50)
    card = world.card()
    assert world.fresh(card).points_balance == 0

    sale = world.sale(card, 1000)
    assert (sale["points_earned"], sale["welcome_bonus_points"], sale["points_balance"]) == (100, 50, 150)
    assert world.sale(card, 1000)["welcome_bonus_points"] == 0
    world.refund(sale["transaction_id"], 1000)

    assert world.assert_adds_up(card).points_balance == 100


def test_welcome_bonus_is_paid_once_per_address() -> None:
    world = points_world(welcome_bonus_points=50)
    first, second = world.card(email="marie@example.com"), world.card(email="Marie@example.com")

    assert world.sale(first, 100)["welcome_bonus_points"] == 50
    assert world.sale(second, 100)["welcome_bonus_points"] == 0
