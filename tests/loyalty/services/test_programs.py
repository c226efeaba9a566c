"""Programs: made, changed, versioned (rule 4), and kept apart."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from core import tenancy
from core.errors import NotFound, ValidationFailed
from core.models import OutboxEvent
from loyalty.models import Program, ProgramVersion, StoreProgram
from loyalty.queries import programs as program_queries
from loyalty.services import program_fields, programs
from loyalty.services.programs import ProgramExists, StatusChangeRefused
from stores.models import Store
from tests.support.world import NOON, World

DATA = {"name": "Points", "loyalty_type": "points"}


def another_store(world: World, code: str = "kirchberg") -> Store:
    with tenancy.scope(world.merchant_id):
        return Store.objects.create(code=f"{world.store.code}-{code}", name="Kirchberg")


def create(world: World, store: Store, **data: Any) -> Program:
    return programs.create(
        merchant_id=world.merchant_id, store_id=store.pk, data={**DATA, **data}, user_id=None, at=NOON
    )


def update(world: World, **data: Any) -> programs.Changed:
    return programs.update(
        merchant_id=world.merchant_id, program_id=world.program.pk, data=data, user_id=world.owner.pk, at=NOON
    )


@pytest.mark.django_db
def test_it_works() -> None:
    world = World.make()
    store = another_store(world)

    program = create(world, store, points_per_euro=Decimal("0.02"), status="active", terms={"en": "Be kind."})

    assert (program.points_per_euro_num, program.points_per_euro_den) == (1, 50)
    assert (program.status, program.version, program.currency) == ("active", 1, "EUR")
    with tenancy.scope(world.merchant_id):
        assert program_queries.for_store(store.pk) == program
        kept = ProgramVersion.objects.get(program=program)
        assert kept.number == 1
        assert kept.rules == program_fields.snapshot(program)
        assert kept.rules["points_per_euro_den"] == 50
        event = OutboxEvent.objects.filter(topic="program.changed").latest("id")
        assert event.payload == {"program_id": str(program.pk)}


@pytest.mark.django_db
def test_create_takes_the_platforms_defaults(settings: Any) -> None:
    settings.LOYALTY_DEFAULT_COOLDOWN_MINUTES = 7
    settings.LOYALTY_MAX_DAILY_STAMPS = 3
    world = World.make()

    program = create(world, another_store(world))

    assert program.status == "draft"
    assert (program.cooldown_minutes, program.max_daily_stamps) == (7, 3)
    assert (program.points_per_euro_num, program.points_per_euro_den) == (10, 1)
    assert program.stamps_reward_description


@pytest.mark.django_db
def test_first_program_is_the_default_of_all_stores() -> None:
    world = World.make()
    store = another_store(world)

    with tenancy.scope(world.merchant_id):
        assert world.program.is_default
        assert program_queries.for_store(store.pk) == world.program
        assert not program_queries.runs_its_own(store.pk)
    own = create(world, store)

    with tenancy.scope(world.merchant_id):
        assert not own.is_default
        assert program_queries.for_store(store.pk) == own
        assert program_queries.for_store(world.store.pk) == world.program
        assert program_queries.runs_its_own(store.pk)


@pytest.mark.django_db
def test_store_without_any_program_has_none() -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        StoreProgram.objects.all().delete()
        Program.objects.update(is_default=False)

        assert program_queries.for_store(world.store.pk) is None


@pytest.mark.django_db
def test_second_program_of_a_store_is_refused() -> None:
    world = World.make()

    with pytest.raises(ProgramExists):
        create(world, world.store)

    with tenancy.scope(world.merchant_id):
        assert Program.objects.count() == 1


@pytest.mark.django_db
def test_another_tenants_store_is_not_found_and_nothing_is_made() -> None:
    world, other = World.make(), World.make()

    with pytest.raises(NotFound):
        create(world, other.store)

    with tenancy.scope(world.merchant_id):
        assert Program.objects.count() == 1
    with tenancy.scope(other.merchant_id):
        assert Program.objects.count() == 1


@pytest.mark.django_db
def test_a_program_begins_as_draft_or_active() -> None:
    world = World.make()
    store = another_store(world)

    with pytest.raises(StatusChangeRefused) as refusal:
        create(world, store, status="ended")

    assert refusal.value.facts == {"from_status": "draft", "to_status": "ended"}


def test_two_programs_at_once_make_one(real_db: Any) -> None:
    world = World.make()
    store = another_store(world)
    start = threading.Barrier(4)

    def attempt(_: int) -> str:
        start.wait()
        try:
            create(world, store)
        except ProgramExists:
            return "exists"
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(4)))

    assert outcomes == ["exists", "exists", "exists", "made"]
    with tenancy.scope(world.merchant_id):
        assert Program.objects.count() == 2


@pytest.mark.django_db
def test_update_writes_a_new_version_and_says_to_whom_it_applies() -> None:
    world = World.make()

    changed = update(world, stamps_target=8, cooldown_minutes=30, points_per_euro="1/50", name="CoffeeLux")

    assert [(effect.field, effect.old, effect.new, effect.applies_to) for effect in changed.effects] == [
        ("stamps_target", 10, 8, "new_cycles"),
        ("points_per_euro", "10", "1/50", "new_sales"),
        ("cooldown_minutes", 0, 30, "now"),
    ]
    assert changed.program.version == 2
    with tenancy.scope(world.merchant_id):
        first, second = ProgramVersion.objects.filter(program=world.program).order_by("number")
        assert (first.rules["stamps_target"], second.rules["stamps_target"]) == (10, 8)
        assert second.created_by == world.owner


@pytest.mark.django_db
def test_update_with_the_same_values_changes_nothing() -> None:
    world = World.make()

    changed = update(world, stamps_target=10, points_per_euro="10.0", status="active")

    assert changed.effects == ()
    with tenancy.scope(world.merchant_id):
        assert ProgramVersion.objects.count() == 1
        assert Program.objects.get().version == 1


@pytest.mark.django_db
def test_rule_4_the_life_of_a_program_and_nothing_else() -> None:
    world = World.make()

    with pytest.raises(StatusChangeRefused) as refusal:
        update(world, status="ended", name="Never")
    assert refusal.value.facts == {"from_status": "active", "to_status": "ended"}
    for status in ("paused", "active", "paused", "ended"):
        assert update(world, status=status).program.status == status
    with pytest.raises(StatusChangeRefused):
        update(world, status="active")

    with tenancy.scope(world.merchant_id):
        assert Program.objects.get().name == "CoffeeLux"
        assert ProgramVersion.objects.count() == 5


@pytest.mark.django_db
def test_the_kind_changes_only_before_the_first_card() -> None:
    world = World.make()
    assert update(world, loyalty_type="hybrid").program.loyalty_type == "hybrid"
    world.card()

    with pytest.raises(ValidationFailed) as refusal:
        update(world, loyalty_type="points")

    assert refusal.value.errors["loyalty_type"][0][0] == "in_use"
    with tenancy.scope(world.merchant_id):
        assert Program.objects.get().loyalty_type == "hybrid"
    assert update(world, loyalty_type="hybrid").effects == ()


@pytest.mark.django_db
def test_rule_4_a_running_card_keeps_its_target() -> None:
    world = World.make()
    card = world.card()
    world.stamp(card, 9)

    update(world, stamps_target=12, stamps_reward_description="Tea")
    answer = world.stamp(card, 3)

    assert answer["reward_earned"] is True
    assert answer["reward_description"] == "Free coffee"
    assert answer["stamp_count"] == 2
    assert answer["stamps_target"] == 12
    assert [row.program_version for row in world.rows(card)] == [1, 1, 2, 2]


@pytest.mark.django_db
def test_another_tenants_program_is_not_found_and_unchanged() -> None:
    world, other = World.make(), World.make()

    with pytest.raises(NotFound):
        programs.update(
            merchant_id=world.merchant_id, program_id=other.program.pk, data={"name": "Mine"}, user_id=None, at=NOON
        )

    with tenancy.scope(other.merchant_id):
        assert Program.objects.get().name == "CoffeeLux"


def test_two_changes_at_once_are_two_versions(real_db: Any) -> None:
    world = World.make()
    start = threading.Barrier(4)

    def attempt(number: int) -> int:
        start.wait()
        try:
            return update(world, cooldown_minutes=number + 1).program.version
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        versions = sorted(pool.map(attempt, range(4)))

    assert versions == [2, 3, 4, 5]
    with tenancy.scope(world.merchant_id):
        assert Program.objects.get().version == 5
        assert ProgramVersion.objects.count() == 5
