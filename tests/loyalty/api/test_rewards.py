"""The catalogue of rewards over HTTP."""

from typing import Any

import pytest

from core import tenancy
from core.ids import uuid7
from loyalty.models import Reward
from tests.factories.loyalty import RewardFactory
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World.make(loyalty_type="points")


def rewards(world: World, count: int) -> list[Reward]:
    with tenancy.scope(world.merchant_id):
        return RewardFactory.create_batch(count, program=world.program)


def test_it_works(world: World) -> None:
    made = Caller.of(world).post("rewards", {"name": "Scarf", "points_cost": 100, "description": "Warm"})

    assert made.status_code == 201
    body = made.json()
    assert body.pop("id")
    assert body == {
        "name": "Scarf", "description": "Warm", "points_cost": 100, "image_url": None, "is_active": True, "position": 0,
        "valid_days": None,
    }  # fmt: skip


@pytest.mark.parametrize("count", [1, 3])
def test_list_costs_the_same_for_one_and_for_three(world: World, count: int, django_assert_num_queries: Any) -> None:
    expected, caller = rewards(world, count), Caller.of(world)
    caller.get("rewards")

    with django_assert_num_queries(7):
        answer = caller.get("rewards")

    assert [row["id"] for row in answer.json()["results"]] == [str(reward.pk) for reward in expected]
    assert (answer.json()["next"], answer.json()["previous"]) == (None, None)


def test_list_pages_forth_and_back_over_equal_positions(world: World) -> None:
    with tenancy.scope(world.merchant_id):
        made = RewardFactory.create_batch(5, program=world.program, position=0, points_cost=10)
    caller, wanted = Caller.of(world), [str(reward.pk) for reward in made]

    first = caller.get("rewards?page_size=2").json()
    second = caller.get(first["next"]).json()
    third = caller.get(second["next"]).json()

    pages = [[row["id"] for row in page["results"]] for page in (first, second, third)]
    assert pages == [wanted[:2], wanted[2:4], wanted[4:]]
    assert (first["previous"], third["next"]) == (None, None)
    back = caller.get(third["previous"]).json()
    assert [row["id"] for row in back["results"]] == wanted[2:4]
    again = caller.get(back["previous"]).json()
    assert [row["id"] for row in again["results"]] == wanted[:2]
    assert again["previous"] is None


def test_list_filters_by_what_is_on_offer(world: World) -> None:
    on, off = rewards(world, 2)
    caller = Caller.of(world)
    caller.patch(f"rewards/{off.pk}", {"is_active": False})

    assert [row["id"] for row in caller.get("rewards?is_active=true").json()["results"]] == [str(on.pk)]
    assert [row["id"] for row in caller.get("rewards?is_active=false").json()["results"]] == [str(off.pk)]
    assert_problem(caller.get("rewards?is_active=maybe"), 400, "validation_error", "is_active")


def test_post_twice_with_one_key_makes_one_reward(world: World) -> None:
    caller, body = Caller.of(world), {"name": "Scarf", "points_cost": 100}

    answers = [caller.post("rewards", body, Idempotency_Key="k1") for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotent-Replay"] == "true"
    with tenancy.scope(world.merchant_id):
        assert Reward.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ("name", "points_cost")),
        ({"name": "Scarf", "points_cost": 0}, ("points_cost",)),
        ({"name": "Scarf", "points_cost": 2**70}, ("points_cost",)),
        ({"name": "Scarf", "points_cost": "100"}, ("points_cost",)),
        ({"name": "Scarf", "points_cost": 1, "image_url": "https://example.com/x.png"}, ("image_url",)),
        ([{"name": "Scarf"}], ("non_field_errors",)),
    ],
)
def test_bad_bodies_name_the_field_and_make_nothing(world: World, body: Any, fields: tuple[str, ...]) -> None:
    assert_problem(Caller.of(world).post("rewards", body), 400, "validation_error", *fields)

    with tenancy.scope(world.merchant_id):
        assert not Reward.objects.exists()


def test_delete_archives_what_was_handed_out(world: World) -> None:
    (reward,), caller, card = rewards(world, 1), Caller.of(world), world.card()
    world.sale(card, 2000)
    world.spend(card, reward.pk)

    assert caller.delete(f"rewards/{reward.pk}").status_code == 204

    assert caller.get("rewards").json()["results"] == []
    assert_problem(caller.patch(f"rewards/{reward.pk}", {"name": "Back"}), 404, "not_found")
    assert_problem(caller.delete(f"rewards/{reward.pk}"), 404, "not_found")
    with tenancy.scope(world.merchant_id):
        assert Reward.objects.get().archived_at is not None


def test_delete_removes_what_nobody_had(world: World) -> None:
    (reward,), caller = rewards(world, 1), Caller.of(world)

    assert caller.delete(f"rewards/{reward.pk}").status_code == 204

    with tenancy.scope(world.merchant_id):
        assert not Reward.objects.exists()


def test_another_tenants_reward_is_not_found_and_unchanged(world: World) -> None:
    other = World.make(loyalty_type="points")
    (reward,), caller = rewards(other, 1), Caller.of(world)

    assert_problem(caller.patch(f"rewards/{reward.pk}", {"name": "Mine"}), 404, "not_found")
    assert_problem(caller.patch(f"rewards/{reward.pk}", {"nonsense": 1}), 404, "not_found")
    assert_problem(caller.delete(f"rewards/{reward.pk}"), 404, "not_found")
    assert_problem(caller.patch(f"rewards/{uuid7()}", {"name": "Mine"}), 404, "not_found")

    assert caller.get("rewards").json()["results"] == []
    with tenancy.scope(other.merchant_id):
        assert Reward.objects.get().name == reward.name


def test_without_manage_nothing_is_changed(world: World) -> None:
    (reward,) = rewards(world, 1)

    for caller in (Caller.with_scopes(world, ["read", "earn", "redeem"]), Caller.person(world, "staff")):
        assert_problem(caller.post("rewards", {"name": "Mine", "points_cost": 1}), 403, "permission_denied")
        assert_problem(caller.patch(f"rewards/{reward.pk}", {"name": "Mine"}), 403, "permission_denied")
        assert_problem(caller.delete(f"rewards/{reward.pk}"), 403, "permission_denied")
        assert caller.get("rewards").status_code == 200

    with tenancy.scope(world.merchant_id):
        assert Reward.objects.get().name == reward.name
