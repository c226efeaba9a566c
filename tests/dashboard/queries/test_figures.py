"""The figures of a store and its merchant, against what was done."""

from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from core import tenancy
from dashboard.models import RollupState
from dashboard.queries import figures as figure_queries
from dashboard.services import rollups
from loyalty.models import Card
from loyalty.rules import timing
from stores.models import Store
from tests.factories.loyalty import CardFactory, RewardFactory, write_row
from tests.support.api import Caller, assert_problem
from tests.support.world import NOON, World

pytestmark = pytest.mark.django_db


def figures(world: World, store: Store | None = None) -> dict[str, dict[str, int]]:
    """Return the figures; they are the same from the ledger alone, from rollups alone, and from rollups with a tail."""
    found = asked(world, store)
    rollups.refresh(merchant_id=world.merchant_id, at=datetime.now(UTC))
    assert asked(world, store) == found
    with tenancy.scope(world.merchant_id):
        # As if something had been recorded since.
        assert RollupState.objects.update(recent=0) == 1
    assert asked(world, store) == found
    return found


def asked(world: World, store: Store | None = None) -> dict[str, dict[str, int]]:
    with tenancy.scope(world.merchant_id):
        place = Store.objects.get(pk=(store or world.store).pk)
        found = figure_queries.now(place.pk, timing.business_date(world.at, place.time_zone, place.day_start))
    return {place: asdict(row) for place, row in found.items()}


def test_it_works() -> None:
    world = World.make(loyalty_type="hybrid", stamps_target=3)
    with tenancy.scope(world.merchant_id):
        reward = RewardFactory(program=world.program, points_cost=100)
    card = world.card()
    world.stamp(card, 4)
    world.redeem(card)
    world.sale(card, 2500)
    world.spend(card, reward.pk)

    found = figures(world)

    assert found["merchant"] == found["store"] == {
        "members": 1, "active_cards": 1, "new_members_30d": 1, "stamps_given": 5, "rewards_redeemed": 2,
        "points_issued": 250, "points_redeemed": 100, "points_outstanding": 150,
    }  # fmt: skip


def test_nothing_happened_yet() -> None:
    assert set(figures(World.make())["merchant"].values()) == {0}


def test_what_was_undone_does_not_count() -> None:
    world = World.make(loyalty_type="hybrid", stamps_target=3)
    with tenancy.scope(world.merchant_id):
        reward = RewardFactory(program=world.program, points_cost=100)
    card = world.card()
    world.stamp(card, 2)
    sale = world.sale(card, 2500)
    spent = world.spend(card, reward.pk)
    world.void(spent["transaction_id"])
    world.void(sale["transaction_id"])

    found = figures(world)["merchant"]

    assert found == {
        "members": 1, "active_cards": 1, "new_members_30d": 1, "stamps_given": 2, "rewards_redeemed": 0,
        "points_issued": 0, "points_redeemed": 0, "points_outstanding": 0,
    }  # fmt: skip


def test_refunds_reduce_what_was_issued() -> None:
    world = World.make(loyalty_type="points")
    card = world.card()
    sale = world.sale(card, 2000)
    world.refund(sale["transaction_id"], 500)

    found = figures(world)["merchant"]

    assert (found["points_issued"], found["points_outstanding"]) == (150, 150)


def test_issued_less_redeemed_less_expired_is_outstanding() -> None:
    world = World.make(loyalty_type="points")
    with tenancy.scope(world.merchant_id):
        card = CardFactory(program=world.program, enrolled_store=world.store, points_balance=70, seq=4)
        write_row(card, "points_earned", seq=2, points_delta=200)
        write_row(card, "points_redeemed", seq=3, points_delta=-100)
        write_row(card, "points_expired", seq=4, points_delta=-30)

    found = figures(world)["merchant"]

    assert (found["points_issued"], found["points_redeemed"], found["points_outstanding"]) == (200, 100, 70)


def test_what_happens_next_is_seen_at_once() -> None:
    world = World.make(loyalty_type="hybrid")
    card = world.card()
    world.sale(card, 1000)
    rollups.refresh(merchant_id=world.merchant_id, at=datetime.now(UTC))
    given = world.stamp(card, 2)
    before = asked(world)["merchant"]
    world.void(given["transaction_id"])

    after = asked(world)["merchant"]

    assert (before["stamps_given"], after["stamps_given"], after["points_issued"]) == (3, 1, 100)


def test_a_store_counts_its_own() -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        second = Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")
        CardFactory(program=world.program, enrolled_store=second)
    card = world.card()
    world.stamp(card, 2)

    here, there = figures(world), figures(world, second)

    assert (here["store"]["members"], here["store"]["stamps_given"]) == (1, 2)
    assert (there["store"]["members"], there["store"]["stamps_given"]) == (1, 0)
    assert here["merchant"] == there["merchant"]
    assert (here["merchant"]["members"], here["merchant"]["stamps_given"]) == (2, 2)


def test_members_have_a_card_and_new_ones_came_within_30_days() -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        place = {"program": world.program, "enrolled_store": world.store}
        CardFactory(**place, enrolled_at=NOON - timedelta(days=29))
        CardFactory(**place, enrolled_at=NOON - timedelta(days=30))
        CardFactory(**place, status="frozen")
        CardFactory(**place, status="closed")
        CardFactory(**place, status="merged")

    found = figures(world)["merchant"]

    assert (found["members"], found["active_cards"], found["new_members_30d"]) == (3, 2, 2)


@pytest.mark.parametrize(("hour", "new"), [(4, 0), (5, 1)])
def test_the_first_of_the_thirty_days_begins_by_the_clock_of_the_store(hour: int, new: int) -> None:
    # By UTC it was the second of March at both hours.
    world = World.make(at=datetime(2026, 3, 31, 12, tzinfo=UTC), day_start="05:00")
    morning = datetime(2026, 3, 2, hour, 30, tzinfo=ZoneInfo("Asia/Dubai"))
    with tenancy.scope(world.merchant_id):
        Store.objects.update(time_zone="Asia/Dubai")
        place = {
            "program": world.program, "enrolled_store": world.store, "enrolled_at": morning,
            "last_activity_on": timing.business_date(morning, "Asia/Dubai", time(5)),
        }  # fmt: skip
        CardFactory(**place)
        gone = CardFactory(**place)
        Card.objects.filter(pk=gone.pk).update(status="closed")

    assert figures(world)["merchant"]["new_members_30d"] == new


def test_another_tenant_does_not_count() -> None:
    world, other = World.make(), World.make()
    other.stamp(other.card())

    assert set(figures(world)["merchant"].values()) == {0}


@pytest.mark.parametrize("count", [1, 3])
def test_the_endpoint_answers_both_in_a_fixed_number_of_queries(count: int, django_assert_num_queries: Any) -> None:
    with time_machine.travel(NOON, tick=False):
        world = World.make()
        for _ in range(count):
            world.stamp(world.card())
        caller = Caller.of(world)
        caller.get("program")

        with django_assert_num_queries(13):
            answer = caller.get("stats")

    assert set(answer.json()) == {"store", "merchant"}
    assert set(answer.json()["store"]) == set(figure_queries.Figures.__dataclass_fields__)
    assert answer.json()["merchant"]["stamps_given"] == count


def test_the_endpoint_knows_no_other_tenants_store() -> None:
    world, other = World.make(), World.make()

    assert_problem(Caller.of(world).get("stats", X_Store_Code=other.store.code), 404, "not_found")
