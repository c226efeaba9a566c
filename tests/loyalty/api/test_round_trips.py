"""Promise 6: a stamp costs few round trips to the database, authentication, BEGIN and COMMIT included.

Four are promised. Two are needed, and a third where it is not known yet whose key it is.
"""

from typing import Any

import pytest
from django.utils import timezone

from loyalty.queries import verification
from tests.support.api import Caller
from tests.support.round_trips import Trips, counting
from tests.support.world import World

LIMIT = 3


@pytest.fixture
def world(real_db: Any) -> World:
    """A world with real commits: inside a test's transaction BEGIN and COMMIT would not be seen."""
    return World.make(loyalty_type="hybrid", stamps_target=100 // 2)


def counted(caller: Caller, path: str, body: dict[str, Any]) -> Trips:
    """Send it some times, with its own key each, and count the last: connections and prepared statements are warm."""
    for number in range(8):
        assert caller.post(path, body, Idempotency_Key=f"warm-{number}").status_code == 201
    with counting() as trips:
        answer = caller.post(path, body, Idempotency_Key="counted")
    assert answer.status_code == 201, answer.content
    return trips


def test_the_counter_sees_what_the_wire_sees(real_db: Any) -> None:
    from django.db import connection, transaction

    from core.db import pipeline

    connection.ensure_connection()
    with counting() as trips, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.execute("SELECT 2")
    assert len(trips) == 2, trips
    with counting() as trips, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert len(trips) == 3, trips  # BEGIN, SELECT, COMMIT
    with counting() as trips, transaction.atomic(), pipeline() as line:
        for _ in range(10):
            line.run("SELECT 1")
    assert len(trips) == 2, trips  # BEGIN and ten statements together, COMMIT
    with counting() as trips:
        pass
    assert len(trips) == 0


@pytest.mark.parametrize("path", ["stamp", "points"])
def test_a_stamp_costs_few_round_trips(world: World, path: str) -> None:
    card = world.card()
    body = {"card_id": str(card.pk), **({"purchase_amount_cents": 1250} if path == "points" else {})}

    trips = counted(Caller.of(world), path, body)

    assert len(trips) <= LIMIT, f"\n{trips}"
    assert verification.verify().differences == ()


def test_a_stamp_that_fills_the_card_costs_no_more(real_db: Any) -> None:
    world = World.make(stamps_target=1)

    trips = counted(Caller.of(world), "stamp", {"card_id": str(world.card().pk)})

    assert len(trips) <= LIMIT, f"\n{trips}"


def test_a_replay_costs_no_more(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    for _ in range(8):
        caller.post("stamp", {"card_id": str(card.pk)}, Idempotency_Key="same")
    with counting() as trips:
        answer = caller.post("stamp", {"card_id": str(card.pk)}, Idempotency_Key="same")

    assert answer["Idempotent-Replay"] == "true"
    assert len(trips) <= LIMIT, f"\n{trips}"
    assert world.fresh(card).stamp_count == 1


def test_a_stamp_by_session_costs_no_more_with_the_rule_of_own_cards(real_db: Any) -> None:
    world = World.make(at=timezone.now(), require_staff_pin=True, stamps_target=50)
    staff_id, _proof = world.staff()
    till = Caller.terminal(world)
    opened = till.post("pins/verify", {"staff_id": str(staff_id), "staff_pin": "482193"}).json()

    body = {"card_id": str(world.card().pk), "staff_session": opened["staff_session"], "confirm": True}

    assert len(trips := counted(till, "stamp", body)) <= LIMIT, f"\n{trips}"
