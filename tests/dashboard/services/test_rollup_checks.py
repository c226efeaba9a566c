"""The nightly check: it finds what is wrong, says so, and repairs it."""

import random
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from core import tenancy
from core.models import AuditEntry
from dashboard import tasks
from dashboard.models import DayFigures, FirstReward, Presence
from dashboard.queries import rollup_differences
from dashboard.services import rollup_checks, rollups
from tests.support.world import NOON, World

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


@pytest.fixture
def world() -> World:
    with time_machine.travel(NOON, tick=False):
        made = World.make(stamps_target=1)
        made.stamp(made.card())
        rollups.refresh(merchant_id=made.merchant_id, at=NOON)
    return made


def later() -> Any:
    """A time at which nothing is on its way any more."""
    return NOON + timedelta(hours=1)


def test_what_agrees_leaves_no_trace(world: World) -> None:
    assert rollup_checks.check(merchant_id=world.merchant_id, days=[TODAY], at=later()) == []
    with tenancy.scope(world.merchant_id):
        assert not AuditEntry.objects.filter(action="rollups_checked").exists()


@pytest.mark.parametrize("model", [DayFigures, Presence, FirstReward])
def test_what_differs_is_noted_and_repaired(model: Any, world: World, caplog: Any) -> None:
    rollups.refresh(merchant_id=world.merchant_id, at=later())
    with tenancy.scope(world.merchant_id):
        model.objects.all().delete()

    found = rollup_checks.check(merchant_id=world.merchant_id, days=[TODAY], at=later())

    assert len(found) == 1
    with tenancy.scope(world.merchant_id):
        assert rollup_differences.find(world.merchant_id, None) == []
        entry = AuditEntry.objects.get(action="rollups_checked")
    assert entry.facts["days"] == [TODAY.isoformat()]
    assert "differ from the ledger" in caplog.text


def test_the_sample_finds_it_too(world: World) -> None:
    other = World.make()
    rollups.refresh(merchant_id=world.merchant_id, at=later())
    with tenancy.scope(world.merchant_id):
        DayFigures.objects.update(visits=99)

    assert rollup_checks.check_sample(at=later(), chance=random.Random(1)) == 2
    assert rollup_checks.check_sample(at=later(), chance=random.Random(1)) == 0
    with tenancy.scope(other.merchant_id):
        assert not AuditEntry.objects.filter(action="rollups_checked").exists()


def test_what_came_in_meanwhile_is_no_difference(world: World) -> None:
    with time_machine.travel(NOON, tick=False):
        world.stamp(world.card())
        with tenancy.scope(world.merchant_id):
            assert rollup_differences.find(world.merchant_id, None) != []
        assert rollup_checks.differences(merchant_id=world.merchant_id, days=None, at=NOON) == []


def test_the_timetable_runs_them(world: World) -> None:
    with time_machine.travel(later(), tick=False):
        tasks.refresh_rollups()
        tasks.sweep_rollups()
        tasks.check_rollups()
    with tenancy.scope(world.merchant_id):
        assert rollup_differences.find(world.merchant_id, None) == []
