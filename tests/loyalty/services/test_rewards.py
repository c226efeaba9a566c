"""The catalogue of rewards: made, changed, deleted or archived, kept apart."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from core import tenancy
from core.errors import DomainError, NotFound, ValidationFailed
from loyalty.models import Reward
from loyalty.queries import rewards as reward_queries
from loyalty.services import rewards
from tests.support.world import NOON, World


def create(world: World, **data: Any) -> Reward:
    return rewards.create(
        merchant_id=world.merchant_id, program_id=world.program.pk, at=NOON,
        data={"name": "Scarf", "points_cost": 100, **data},
    )  # fmt: skip


def update(world: World, reward: Reward, **data: Any) -> Reward:
    return rewards.update(merchant_id=world.merchant_id, reward_id=reward.pk, data=data, at=NOON)


@pytest.mark.django_db
def test_it_works() -> None:
    world = World.make(loyalty_type="points")

    made = create(world, description=" Warm. ", valid_days=30)

    assert (made.name, made.description, made.points_cost, made.valid_days) == ("Scarf", "Warm.", 100, 30)
    assert made.is_active


@pytest.mark.django_db
def test_a_new_reward_comes_last_and_the_catalogue_is_in_order() -> None:
    world = World.make(loyalty_type="points")
    first, second, third = create(world), create(world), create(world, position=0, points_cost=50)
    update(world, second, is_active=False)

    with tenancy.scope(world.merchant_id):
        assert list(reward_queries.catalogue(world.program.pk)) == [third, first, second]
        assert list(reward_queries.active(world.program.pk)) == [third, first]


@pytest.mark.django_db
def test_every_field_can_be_set_alone() -> None:
    world = World.make(loyalty_type="points")
    reward = create(world)

    for name, value in {
        "name": "Hat", "description": "Blue.", "points_cost": 2**31 - 1, "is_active": False, "position": 7,
        "valid_days": 1,
    }.items():  # fmt: skip
        assert getattr(update(world, reward, **{name: value}), name) == value


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_name_and_price_are_needed() -> None:
    world = World.make(loyalty_type="points")

    with pytest.raises(ValidationFailed) as refusal:
        rewards.create(merchant_id=world.merchant_id, program_id=world.program.pk, data={}, at=NOON)

    assert set(refusal.value.errors) == {"name", "points_cost"}


@pytest.mark.django_db
def test_a_reward_nobody_had_is_deleted() -> None:
    world = World.make(loyalty_type="points")
    reward = create(world)

    rewards.remove(merchant_id=world.merchant_id, reward_id=reward.pk, at=NOON)

    with tenancy.scope(world.merchant_id):
        assert not Reward.objects.exists()


@pytest.mark.django_db
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


@pytest.mark.django_db
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


def test_taking_a_reward_off_while_it_is_handed_out(real_db: Any) -> None:
    """Either it was handed out and is archived, or it was deleted and the till is told that there is no such reward."""
    world = World.make(loyalty_type="points", minimum_redemption_points=0)
    card = world.card()
    world.sale(card, 20_000)
    outcomes = []

    for _ in range(8):
        reward, start = create(world), threading.Barrier(2)

        def hand_out(reward: Reward = reward, start: threading.Barrier = start) -> str:
            start.wait()
            try:
                world.spend(card, reward.pk)
            except DomainError as refusal:
                return refusal.code
            finally:
                connection.close()
            return "handed out"

        def take_off(reward: Reward = reward, start: threading.Barrier = start) -> None:
            start.wait()
            try:
                rewards.remove(merchant_id=world.merchant_id, reward_id=reward.pk, at=NOON)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            handed, taken = pool.submit(hand_out), pool.submit(take_off)
            taken.result()
            outcomes.append(handed.result())
        with tenancy.scope(world.merchant_id):
            kept = Reward.objects.filter(pk=reward.pk).first()
            assert (kept is not None and kept.archived_at == NOON) is (outcomes[-1] == "handed out"), outcomes

    assert set(outcomes) <= {"handed out", "not_found", "reward_not_available"}
    world.assert_adds_up(card)
