"""The catalogue of rewards: made, changed, deleted or archived, kept apart."""

from typing import Any

import pytest

from core import tenancy
from core.errors import NotFound, ValidationFailed
from loyalty.models import Reward
from loyalty.queries import rewards as reward_queries
from loyalty.services import rewards
from tests.support.world import NOON, World

pytestmark = pytest.mark.django_db


def create(world: World, **data: Any) -> Reward:
    return rewards.create(
        merchant_id=world.merchant_id, program_id=world.program.pk, at=NOON,
        data={"name": "Scarf", "points_cost": 100, **data},
    )  # fmt: skip


def update(world: World, reward: Reward, **data: Any) -> Reward:
    return rewards.update(merchant_id=world.merchant_id, reward_id=reward.pk, data=data, at=NOON)


def test_it_works() -> None:
    world = World.make(loyalty_type="points")

    made = create(world, description=" Warm. ", valid_days=30)

    assert (made.name, made.description, made.points_cost, made.valid_days) == ("Scarf", "Warm.", 100, 30)
    assert made.is_active


def test_a_new_reward_comes_last_and_the_catalogue_is_in_order() -> None:
    world = World.make(loyalty_type="points")
    first, second, third = create(world), create(world), create(world, position=0, points_cost=50)
    update(world, second, is_active=False)

    with tenancy.scope(world.merchant_id):
        assert list(reward_queries.catalogue(world.program.pk)) == [third, first, second]
        assert list(reward_queries.active(world.program.pk)) == [third, first]


def test_every_field_can_be_set_alone() -> None:
    world = World.make(loyalty_type="points")
    reward = create(world)

    for name, value in {
        "name": "Hat", "description": "Blue.", "points_cost": 2**31 - 1, "is_active": False, "position": 7,
        "valid_days": 1,
    }.items():  # fmt: skip
        assert getattr(update(world, reward, **{name: value}), name) == value


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "blank"), ("name", None, "null"), ("name", 5, "invalid"), ("name", "x" * 81, "max_length"),
        ("description", "x" * 301, "max_length"), ("description", None, "null"), ("points_cost", 0, "min_value"),
        ("points_cost", 2**31, "max_value"), ("points_cost", "100", "invalid"), ("points_cost", True, "invalid"),
        ("points_cost", None, "null"), ("is_active", 1, "invalid"), ("position", -1, "min_value"),
        ("position", 32_768, "max_value"), ("valid_days", 0, "min_value"), ("image_url", "x", "unknown_field"),
        ("id", "x", "unknown_field"), ("program", "x", "unknown_field"), ("archived_at", None, "unknown_field"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field_and_changes_nothing(field: str, value: Any, code: str) -> None:
    world = World.make(loyalty_type="points")
    reward = create(world)

    for attempt in (lambda: create(world, **{field: value}), lambda: update(world, reward, **{field: value})):
        with pytest.raises(ValidationFailed) as refusal:
            attempt()
        assert {name: problems[0][0] for name, problems in refusal.value.errors.items()} == {field: code}

    with tenancy.scope(world.merchant_id):
        assert Reward.objects.get().name == "Scarf"


def test_name_and_price_are_needed() -> None:
    world = World.make(loyalty_type="points")

    with pytest.raises(ValidationFailed) as refusal:
        rewards.create(merchant_id=world.merchant_id, program_id=world.program.pk, data={}, at=NOON)

    assert set(refusal.value.errors) == {"name", "points_cost"}


def test_a_reward_nobody_had_is_deleted() -> None:
    world = World.make(loyalty_type="points")
    reward = create(world)

    rewards.remove(merchant_id=world.merchant_id, reward_id=reward.pk, at=NOON)

    with tenancy.scope(world.merchant_id):
        assert not Reward.objects.exists()


def test_a_reward_in_use_is_archived_and_gone_for_callers() -> None:
    world = World.make(loyalty_type="points")
    reward, card = create(world), world.card()
    world.sale(card, 2000)
    world.spend(card, reward.pk)

    rewards.remove(merchant_id=world.merchant_id, reward_id=reward.pk, at=NOON)

    with tenancy.scope(world.merchant_id):
        kept = Reward.objects.get()
        assert (kept.archived_at, kept.is_active) == (NOON, False)
        assert not reward_queries.catalogue(world.program.pk).exists()
        with pytest.raises(NotFound):
            reward_queries.require(reward.pk)
    for attempt in (
        lambda: update(world, reward, name="Back"),
        lambda: rewards.remove(merchant_id=world.merchant_id, reward_id=reward.pk, at=NOON),
    ):
        with pytest.raises(NotFound):
            attempt()
    world.assert_adds_up(card)


def test_another_tenants_reward_and_program_are_not_found_and_unchanged() -> None:
    world, other = World.make(loyalty_type="points"), World.make(loyalty_type="points")
    reward = create(other)

    for attempt in (
        lambda: rewards.update(merchant_id=world.merchant_id, reward_id=reward.pk, data={"name": "Mine"}, at=NOON),
        lambda: rewards.remove(merchant_id=world.merchant_id, reward_id=reward.pk, at=NOON),
        lambda: rewards.create(
            merchant_id=world.merchant_id, program_id=other.program.pk, data={"name": "Mine", "points_cost": 1}, at=NOON
        ),
    ):
        with pytest.raises(NotFound):
            attempt()

    with tenancy.scope(other.merchant_id):
        assert Reward.objects.get().name == "Scarf"
