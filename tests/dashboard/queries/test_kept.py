"""Counts that take long: never old while they are quick, and counted anew by the worker once they are slow."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from core import tenancy
from dashboard import tasks
from dashboard.models import RollupState
from dashboard.queries import audiences, kept, platform
from dashboard.queries.periods import Period
from dashboard.services import rollups
from tests.support.world import World

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
MAY = Period(datetime(2026, 5, 1).date(), NOON.date())  # noqa: DTZ001 - only its date counts


@pytest.fixture(autouse=True)
def noon() -> Any:
    cache.clear()
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def _slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "QUICK", 1)


def visited(world: World) -> None:
    world.stamp(world.card())
    rollups.rebuild(merchant_id=world.merchant_id, at=timezone.now())


def renew(clock: Any) -> None:
    """Let the worker come by, 20 seconds later."""
    clock.shift(timedelta(seconds=20))
    tasks.renew_kept()


def customers(world: World, period: Period = MAY) -> int:
    with tenancy.scope(world.merchant_id):
        version = RollupState.objects.get().version
        return audiences.of(period, None, (world.merchant_id, version)).customers


def test_what_is_quick_is_never_old() -> None:
    world = World.make(at=NOON)
    for count in (1, 2, 3):
        visited(world)
        assert customers(world) == count
    tasks.renew_kept()
    assert kept.askers() == []


@pytest.mark.usefixtures("_slow")
def test_what_is_slow_is_the_last_count_until_the_worker_made_another(noon: Any) -> None:
    world = World.make(at=NOON)
    visited(world)
    assert customers(world) == 1
    visited(world)
    assert customers(world) == 1

    renew(noon)

    assert customers(world) == 2


@pytest.mark.usefixtures("_slow")
def test_without_a_worker_a_page_counts_after_a_while(noon: Any) -> None:
    world = World.make(at=NOON)
    visited(world)
    assert customers(world) == 1
    visited(world)
    noon.shift(timedelta(seconds=kept.LONGEST_SECONDS + 60))

    assert customers(world) == 2


@pytest.mark.usefixtures("_slow")
def test_the_worker_begins_a_day_with_the_days_that_were_asked_for(noon: Any) -> None:
    world = World.make(at=NOON)
    visited(world)
    customers(world)
    noon.shift(timedelta(hours=20))
    visited(world)
    tasks.renew_kept()
    moved = Period(MAY.first + timedelta(days=1), MAY.last + timedelta(days=1))
    visited(world)

    # The answer was there before anybody asked for this day: the third customer is not in it yet.
    assert customers(world, moved) == 2


@pytest.mark.usefixtures("_slow")
def test_nobody_asks_for_a_day_and_the_worker_rests(noon: Any) -> None:
    world = World.make(at=NOON)
    visited(world)
    customers(world)
    noon.shift(timedelta(seconds=kept.ASKED_SECONDS + 1))
    visited(world)

    assert rollups.renew_kept(at=timezone.now()) == 0


@pytest.mark.usefixtures("_slow")
def test_another_merchant_s_count_is_its_own(noon: Any) -> None:
    ours, theirs = World.make(at=NOON), World.make(at=NOON)
    visited(ours)
    visited(theirs)
    visited(theirs)
    assert (customers(ours), customers(theirs)) == (1, 2)
    visited(ours)
    renew(noon)
    assert (customers(ours), customers(theirs)) == (2, 2)


@pytest.mark.usefixtures("_slow")
def test_the_platform_s_totals_are_counted_by_the_worker(noon: Any) -> None:
    world = World.make(at=NOON)
    visited(world)

    def seen() -> tuple[int, datetime]:
        with tenancy.platform(reason="test"):
            found = platform.totals(timezone.now())
        return found["members_30d"], found["as_of"]

    assert seen() == (1, NOON)
    visited(world)
    noon.shift(timedelta(seconds=platform.KEPT_SECONDS - 1))
    assert seen() == (1, NOON)
    noon.shift(timedelta(seconds=1))
    assert seen() == (1, NOON)
    renew(noon)
    assert seen() == (2, timezone.now())
