"""Counts that take long: never old while they are quick, and counted anew by the worker once they are slow."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import tenancy
from dashboard import tasks
from dashboard.models import RollupState
from dashboard.queries import analytics, audiences, kept, platform, platform_days
from dashboard.queries.periods import Period
from dashboard.queries.versions import Versions
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
        state = RollupState.objects.get()
        versions = Versions.read(state.version, json.dumps(state.changes))
        asked = audiences.Asked(world.merchant_id, versions, state.covered_until)
        return audiences.of(period, None, asked).now.customers


def ask(world: World, name: str, *arguments: Any) -> None:
    """Ask for a count of this file."""
    with tenancy.scope(world.merchant_id):
        kept.answer(kept.Question(name, world.merchant_id, arguments), Versions(0))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Offer two slow counts: one that takes its time and lists whom it counted for, one that fails the second time."""
    found: list[Any] = []

    def note(*arguments: Any) -> int:
        found.append(arguments[0])
        time.sleep(0.5)
        return kept.QUICK

    def fail(*arguments: Any) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / %s", [0 if arguments[0] in found else 1])
        found.append(arguments[0])
        return kept.QUICK

    monkeypatch.setitem(kept.COUNTERS, "note", kept.Counter(note, int))
    monkeypatch.setitem(kept.COUNTERS, "fail", kept.Counter(fail, int))
    return found


def worlds(count: int) -> list[World]:
    """Make merchants whose rollups were counted."""
    found = [World.make(at=NOON) for _ in range(count)]
    for world in found:
        visited(world)
    return found


def test_who_waited_longest_comes_first_and_a_worker_stops_in_time(noon: Any, made: list[Any]) -> None:
    shops = worlds(3)
    for world in shops:
        ask(world, "note", world.merchant_id)
    counted = []
    for _ in range(4):
        made.clear()
        noon.shift(timedelta(seconds=20))
        for world in shops:
            visited(world)
        assert rollups.renew_kept(at=timezone.now(), seconds=0.4) == 1
        counted += made

    assert set(counted[:3]) == {world.merchant_id for world in shops}
    assert counted[3] == counted[0]
    assert rollups.renew_kept(at=timezone.now(), seconds=0) == 0


def test_of_one_merchant_s_counts_the_oldest_comes_first(noon: Any, made: list[Any]) -> None:
    (world,) = worlds(1)
    for number in range(3):
        ask(world, "note", number)
        noon.shift(timedelta(seconds=1))
    for _ in range(3):
        noon.shift(timedelta(seconds=20))
        assert rollups.renew_kept(at=timezone.now(), seconds=0.4) == 1

    assert made[3:] == [0, 1, 2]


def test_a_count_that_fails_keeps_no_other_from_being_made(
    noon: Any, made: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    shops = worlds(2)
    for world in shops:
        ask(world, "fail", world.merchant_id)
        noon.shift(timedelta(seconds=1))
        ask(world, "note", world.merchant_id)
    made[:] = [world.merchant_id for world in shops]
    noon.shift(timedelta(seconds=20))

    assert rollups.renew_kept(at=timezone.now()) == 2

    assert sorted(made[2:]) == sorted(world.merchant_id for world in shops)
    for world in shops:
        assert f"counting fail of merchant {world.merchant_id} failed" in caplog.text


@pytest.mark.usefixtures("_slow")
def test_a_report_says_how_old_its_oldest_part_is(noon: Any) -> None:
    world = World.make(at=NOON)
    visited(world)
    first = report_of(world)
    noon.shift(timedelta(seconds=30))
    visited(world)

    old = report_of(world)
    assert (old.figures.visits, old.audience.customers) == (2, 1)
    assert old.as_of == first.as_of

    renew(noon)
    new = report_of(world)
    assert new.audience.customers == 2
    with tenancy.scope(world.merchant_id):
        assert new.as_of == RollupState.objects.get().covered_until > first.as_of


def report_of(world: World) -> analytics.Report:
    with tenancy.scope(world.merchant_id):
        return analytics.report(MAY)


@pytest.mark.usefixtures("_slow")
def test_the_platform_s_days_say_how_old_the_count_of_cards_is(noon: Any) -> None:
    visited(World.make(at=NOON))

    def as_of() -> datetime:
        with tenancy.platform(reason="test"):
            return platform_days.of(MAY, country="", at=timezone.now()).as_of

    assert as_of() == NOON
    noon.shift(timedelta(seconds=platform_days.KEPT_SECONDS + 1))
    assert as_of() == NOON
    renew(noon)
    cache.delete_many([f"{platform_days.CACHE_KEY}-{MAY.first}-{MAY.last}-all"])
    assert as_of() == timezone.now()


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


def test_a_stamp_of_today_counts_the_days_before_no_other_time(noon: Any) -> None:
    """A stamp of those days that came late does."""
    world, today = World.make(at=NOON - timedelta(hours=20)), Period(NOON.date(), NOON.date())
    card = world.card()
    world.stamp(card)
    world.at = NOON
    world.stamp(card)
    noon.shift(timedelta(minutes=2))
    rollups.rebuild(merchant_id=world.merchant_id, at=timezone.now())
    assert (customers(world, today), customers(world, today.before)) == (1, 1)

    def counted() -> int:
        with CaptureQueriesContext(connection) as log:
            customers(world, today)
        return sum("FROM dashboard_presence" in query["sql"] for query in log.captured_queries)

    assert counted() == 0
    noon.shift(timedelta(minutes=2))
    world.tick(minutes=4)
    world.stamp(world.card())
    rollups.refresh(merchant_id=world.merchant_id, at=world.at)
    assert counted() == 1
    assert customers(world, today) == 2

    noon.shift(timedelta(minutes=2))
    world.tick(hours=-20)
    world.stamp(world.card())
    rollups.refresh(merchant_id=world.merchant_id, at=timezone.now())
    assert counted() == 2
    assert customers(world, today.before) == 2


def test_a_first_reward_that_moves_to_a_day_that_did_not_change_is_seen(noon: Any) -> None:
    """What came late from a till is the first reward once that of today is taken back."""
    world = World.make(at=NOON - timedelta(days=5), stamps_target=2)
    card, old = world.card(), Period(NOON.date() - timedelta(days=2), NOON.date() - timedelta(days=2))
    world.at = NOON
    given = world.stamp(card, quantity=2)
    world.at = NOON - timedelta(days=2)
    world.stamp(card, quantity=2)
    noon.shift(timedelta(minutes=2))
    rollups.rebuild(merchant_id=world.merchant_id, at=timezone.now())

    def first_rewards() -> int:
        with tenancy.scope(world.merchant_id):
            return analytics.report(old).first_rewards.cards

    assert first_rewards() == 0
    world.at = timezone.now()
    world.void(given["transaction_id"])
    rollups.refresh(merchant_id=world.merchant_id, at=timezone.now())
    assert first_rewards() == 1
