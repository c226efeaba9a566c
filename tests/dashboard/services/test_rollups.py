"""Rollups: counted from the ledger day by day, and always what a count of everything would say."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from core import tenancy
from dashboard.models import DayBalance, DayFigures, FirstReward, Presence, RollupState
from dashboard.queries import recount, rollup_differences
from dashboard.services import rollups
from stores.models import Store
from tests.factories.loyalty import write_row
from tests.support.world import NOON, World

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def refresh(world: World) -> recount.Days:
    done = rollups.refresh(merchant_id=world.merchant_id, at=world.at)
    assert done is not None
    return done.days


def assert_exact(world: World) -> None:
    with tenancy.scope(world.merchant_id):
        assert rollup_differences.find(world.merchant_id, None) == []


def day(world: World, on: date = TODAY, **only: Any) -> DayFigures:
    with tenancy.scope(world.merchant_id):
        return DayFigures.objects.get(day=on, **only)


def test_it_works() -> None:
    world = World.make(loyalty_type="hybrid", stamps_target=2)
    card = world.card()
    sale = world.sale(card, 2500)
    world.sale(card, 1000)
    world.refund(sale["transaction_id"], 500)
    world.redeem(card)

    assert refresh(world) is None

    found = day(world)
    assert found.store_id == world.store.pk
    assert (found.new_cards, found.visits, found.stamps_given) == (1, 2, 2)
    assert (found.rewards_issued, found.stamp_rewards_redeemed) == (1, 1)
    assert (found.sales, found.sales_cents) == (2, 3000)
    assert (found.points_earned, found.points_refunded) == (350, 50)
    assert found.visits_by_hour == [0] * 13 + [2] + [0] * 10
    with tenancy.scope(world.merchant_id):
        balance = DayBalance.objects.get()
        presence = Presence.objects.get()
        assert (balance.cards, balance.stamps, balance.points) == (1, 0, 300)
        assert (presence.card_id, presence.visits, presence.since) == (card.pk, 2, TODAY)
        assert FirstReward.objects.get().days == 0


def test_only_days_with_something_new_are_counted_again(clock: Any) -> None:
    world = World.make()
    card = world.card()
    world.stamp(card)
    refresh(world)
    clock.move_to(world.tick(days=1))
    refresh(world)

    assert refresh(world) == []
    world.stamp(card)
    assert refresh(world) == [world.at.date()]
    assert_exact(world)


def test_doing_it_twice_changes_nothing() -> None:
    world = World.make()
    world.stamp(world.card())
    refresh(world)
    before = picture(world)

    rollups.recount_days(merchant_id=world.merchant_id, days=[TODAY], at=world.at)
    rollups.rebuild(merchant_id=world.merchant_id, at=world.at)

    assert picture(world) == before


def test_a_void_leaves_the_day_of_what_was_undone(clock: Any) -> None:
    world = World.make(void_window_minutes=1440)
    card = world.card()
    given = world.stamp(card, 3)
    refresh(world)
    assert day(world).stamps_given == 3
    clock.move_to(world.tick(hours=23))

    world.void(given["transaction_id"])

    assert refresh(world) == [TODAY, TODAY + timedelta(days=1)]
    assert (day(world).stamps_given, day(world).visits) == (0, 0)
    assert_exact(world)


def test_a_refund_counts_on_the_day_of_its_sale(clock: Any) -> None:
    world = World.make(loyalty_type="points")
    card = world.card()
    sale = world.sale(card, 2000)
    refresh(world)
    clock.move_to(world.tick(days=40))

    world.refund(sale["transaction_id"], 500)
    refresh(world)

    found = day(world)
    assert (found.sales, found.sales_cents, found.points_earned, found.points_refunded) == (1, 1500, 200, 50)
    world.refund(sale["transaction_id"], 1500)
    refresh(world)
    assert (day(world).sales, day(world).sales_cents) == (0, 0)
    with tenancy.scope(world.merchant_id):
        assert not DayFigures.objects.exclude(day=TODAY).exists()
        assert {row.day: row.points for row in DayBalance.objects.all()} == {TODAY: 200, world.at.date(): -200}
    assert_exact(world)


def test_a_late_row_counts_on_its_own_day() -> None:
    world = World.make()
    card = world.card()
    refresh(world)
    with tenancy.scope(world.merchant_id):
        at = NOON - timedelta(hours=70)
        write_row(
            card, "stamp_earned", seq=2, stamps_delta=1, stamps_after=1, business_date=at.date(), occurred_at=at,
            recorded_at=NOON,
        )  # fmt: skip

    assert refresh(world) == [at.date(), TODAY]
    assert day(world, at.date()).stamps_given == 1
    assert_exact(world)


def test_a_visit_is_an_operation_or_the_days_first_redemption(clock: Any) -> None:
    world = World.make(stamps_target=2)
    card = world.card()
    world.stamp(card, 2)
    world.redeem(card)
    world.stamp(card, 2)
    clock.move_to(world.tick(days=1))
    world.redeem(card)
    refresh(world)

    assert (day(world).visits, day(world, world.at.date()).visits) == (2, 1)
    assert_exact(world)


def test_merges_and_adjustments_are_not_earned() -> None:
    world = World.make(loyalty_type="points")
    card = world.card()
    with tenancy.scope(world.merchant_id):
        for seq, (kind, points) in enumerate([("merge_in", 70), ("adjustment", 5), ("points_expired", -9)], 2):
            write_row(card, kind, seq=seq, points_delta=points, recorded_at=NOON)
    refresh(world)

    found = day(world)
    assert (found.points_earned, found.points_moved, found.points_adjusted, found.points_expired) == (0, 70, 5, 9)
    assert found.visits == 0


def test_the_first_reward_moves_on_when_it_is_undone(clock: Any) -> None:
    world = World.make(stamps_target=1)
    card = world.card()
    first = world.stamp(card)
    clock.move_to(world.tick(minutes=5))
    refresh(world)
    world.void(first["transaction_id"])
    refresh(world)
    with tenancy.scope(world.merchant_id):
        assert not FirstReward.objects.exists()
    clock.move_to(world.tick(days=3))
    world.stamp(card)
    refresh(world)

    with tenancy.scope(world.merchant_id):
        assert FirstReward.objects.get().days == 3
    assert_exact(world)


def test_a_change_of_a_stores_clock_counts_everything_anew() -> None:
    world = World.make()
    world.stamp(world.card())
    refresh(world)
    with tenancy.scope(world.merchant_id):
        Store.objects.update(time_zone="America/New_York")

    assert refresh(world) is None
    assert day(world).visits_by_hour[8] == 1
    assert_exact(world)


@pytest.mark.parametrize(
    ("at", "zone", "hour"),
    [
        ("2026-03-29T00:30:00+00:00", "Europe/Luxembourg", 1),
        ("2026-03-29T01:30:00+00:00", "Europe/Luxembourg", 3),  # there is no 2 o'clock that night
        ("2026-10-25T00:30:00+00:00", "Europe/Luxembourg", 2),
        ("2026-10-25T01:30:00+00:00", "Europe/Luxembourg", 2),  # and two of them in this one
        ("2026-03-10T22:30:00+00:00", "Asia/Kathmandu", 4),
        ("2026-03-10T22:30:00+00:00", "Pacific/Auckland", 11),
    ],
)
def test_hours_are_those_of_the_stores_clock(at: str, zone: str, hour: int, clock: Any) -> None:
    from datetime import datetime

    world = World.make(at=datetime.fromisoformat(at))
    clock.move_to(world.at)
    with tenancy.scope(world.merchant_id):
        Store.objects.update(time_zone=zone)
    world.stamp(world.card())
    refresh(world)

    with tenancy.scope(world.merchant_id):
        (found,) = DayFigures.objects.filter(visits=1)
    assert [at_hour for at_hour, count in enumerate(found.visits_by_hour) if count] == [hour]
    assert_exact(world)


def test_another_tenants_rows_stay_out() -> None:
    world, other = World.make(), World.make()
    other.stamp(other.card())
    refresh(other)
    refresh(world)

    with tenancy.scope(world.merchant_id):
        assert not DayFigures.objects.exists()
        assert not Presence.objects.exists()
    assert rollups.refresh_waiting(at=world.at) >= 1
    assert_exact(other)


def test_waiting_merchants_are_found() -> None:
    world, idle = World.make(), World.make()
    world.stamp(world.card())

    assert rollups.refresh_waiting(at=world.at) == 1

    assert_exact(world)
    with tenancy.scope(idle.merchant_id):
        assert not RollupState.objects.exists()
    assert rollups.refresh_waiting(at=world.at, back=rollups.SWEPT) == 2


def picture(world: World) -> list[Any]:
    with tenancy.scope(world.merchant_id):
        return [
            sorted((tuple(row) for row in model.objects.values_list(*columns)), key=str)
            for model in (DayFigures, Presence, DayBalance, FirstReward)
            for columns in [[field.attname for field in model._meta.local_fields if field.attname != "id"]]
        ]


def test_who_looks_counts_only_what_came_since(clock: Any) -> None:
    world = World.make()
    card = world.card()
    world.stamp(card)
    clock.shift(timedelta(seconds=10))
    at = NOON + timedelta(seconds=10)
    rollups.catch_up(merchant_id=world.merchant_id, at=at)

    def version() -> int:
        with tenancy.scope(world.merchant_id):
            return RollupState.objects.get().version

    before = version()
    clock.shift(timedelta(seconds=10))
    rollups.catch_up(merchant_id=world.merchant_id, at=at + timedelta(seconds=10))
    assert version() == before

    world.tick(seconds=20)
    world.stamp(card)
    rollups.catch_up(merchant_id=world.merchant_id, at=at + timedelta(seconds=10))

    assert version() > before
    assert day(world).stamps_given == 2
    assert_exact(world)
