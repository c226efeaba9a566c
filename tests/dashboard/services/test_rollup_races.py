"""Rollups beside running tills and other workers: real commits, several connections."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from core import tenancy
from dashboard.models import DayFigures
from dashboard.queries import analytics, live, rollup_differences
from dashboard.queries.periods import Period
from dashboard.services import rollups
from loyalty.queries.hot import CardRef
from loyalty.services import stamps
from tests.support.world import World


@pytest.fixture(autouse=True)
def _real_commits(real_db: Any) -> None:
    """Commit for real."""


def now() -> datetime:
    return datetime.now(UTC)


def stamps_given(world: World) -> int:
    with tenancy.scope(world.merchant_id):
        return sum(DayFigures.objects.values_list("stamps_given", flat=True))


def stamp_slowly(wire: Any, world: World, card: Any) -> None:
    """Begin a stamp that is recorded now and not committed yet."""
    wire.execute("SELECT set_config('app.merchant_id', %s, true)", (str(world.merchant_id),))
    wire.execute(
        """
        INSERT INTO loyalty_transaction
        SELECT (jsonb_populate_record(t, jsonb_build_object(
            'id', gen_random_uuid(), 'seq', 2, 'type', 'stamp_earned', 'stamps_delta', 1, 'stamps_after', 1,
            'idempotency_key', 'slow', 'recorded_at', now()))).*
        FROM loyalty_transaction t WHERE t.card_id = %s AND t.seq = 1
        """,
        (card.pk,),
    )


def test_a_row_that_is_committed_late_is_found(real_db: Any) -> None:
    """It was recorded before a refresh looked, and committed after: the watermark stays behind its transaction."""
    world = World.make(at=now())
    card = world.card()
    rollups.refresh(merchant_id=world.merchant_id, at=now())
    with real_db.connect_as_app() as wire:
        stamp_slowly(wire, world, card)
        begun = now()
        # As if the till had been stuck for an hour: far more than the margin.
        rollups.refresh(merchant_id=world.merchant_id, at=begun)
        later = begun.replace(year=begun.year + 1)
        rollups.refresh(merchant_id=world.merchant_id, at=later)
        assert stamps_given(world) == 0
        wire.commit()

    assert rollups.refresh_waiting(at=later) == 1

    assert stamps_given(world) == 1


def test_who_looks_finds_a_row_that_was_committed_after_the_last_count(real_db: Any) -> None:
    world = World.make(at=now())
    card = world.card()
    with real_db.connect_as_app() as wire:
        stamp_slowly(wire, world, card)
        rollups.catch_up(merchant_id=world.merchant_id, at=now())
        assert stamps_given(world) == 0
        wire.commit()

    rollups.catch_up(merchant_id=world.merchant_id, at=now())

    assert stamps_given(world) == 1


@pytest.mark.parametrize("ahead", [0, 800])
def test_a_count_beside_an_enrolment_hides_no_card(ahead: int) -> None:
    """An enrolment's row bears the time of its request, and another host's clock may be ahead of that."""
    world = World.make(at=now())
    world.stamp(world.card())
    world.at = now()
    rollups.refresh(merchant_id=world.merchant_id, at=now() + timedelta(milliseconds=ahead))
    world.stamp(world.card())

    with tenancy.scope(world.merchant_id):
        seen = live.on_day(world.store.pk, world.at.date())
    assert (seen["new_cards"], seen["stamps_given"]) == (2, 2)
    rollups.catch_up(merchant_id=world.merchant_id, at=now())
    assert stamps_given(world) == 2


def test_what_was_seen_of_a_count_that_was_taken_back_is_forgotten() -> None:
    """A page counts, keeps its answers, and then fails: its rollups are gone, and another count begins anew."""
    world = World.make(at=now() - timedelta(hours=30))
    long_ago = Period(world.at.date(), world.at.date())
    rollups.rebuild(merchant_id=world.merchant_id, at=now())
    world.stamp(world.card())
    with pytest.raises(ZeroDivisionError), tenancy.scope(world.merchant_id):
        rollups.catch_up(merchant_id=world.merchant_id, at=now())
        assert analytics.report(long_ago).audience.customers == 1
        raise ZeroDivisionError
    world.stamp(world.card())
    rollups.refresh(merchant_id=world.merchant_id, at=now())

    with tenancy.scope(world.merchant_id):
        assert analytics.report(long_ago).audience.customers == 2


def test_a_worker_leaves_a_merchant_to_the_one_who_has_it() -> None:
    world = World.make(at=now())
    world.stamp(world.card())
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with tenancy.scope(world.merchant_id):
                rollups.refresh(merchant_id=world.merchant_id, at=now())
                held.set()
                go.wait(20)
        finally:
            connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(20)
    try:
        assert rollups.refresh(merchant_id=world.merchant_id, at=now()) is None
    finally:
        go.set()
        other.join()
    assert rollups.refresh(merchant_id=world.merchant_id, at=now()) is not None
    assert stamps_given(world) == 1


def test_tills_and_workers_at_once_end_exact() -> None:
    world = World.make(at=now())
    cards = [world.card() for _ in range(4)]
    stop, problems = threading.Event(), []

    def sell(card: Any) -> None:
        try:
            for number in range(25):
                call = world.call(f"{card.pk}-{number}")
                stamps.give(call, card=CardRef("card_id", card.pk), quantity=1)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
            problems.append(error)
        finally:
            connection.close()

    def count() -> None:
        try:
            while not stop.is_set():
                rollups.refresh(merchant_id=world.merchant_id, at=now())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
            problems.append(error)
        finally:
            connection.close()

    tills = [threading.Thread(target=sell, args=(card,)) for card in cards]
    workers = [threading.Thread(target=count) for _ in range(2)]
    for thread in [*workers, *tills]:
        thread.start()
    for thread in tills:
        thread.join()
    stop.set()
    for thread in workers:
        thread.join()

    assert problems == []
    rollups.refresh(merchant_id=world.merchant_id, at=now())
    assert stamps_given(world) == 100
    with tenancy.scope(world.merchant_id):
        assert rollup_differences.find(world.merchant_id, None) == []
