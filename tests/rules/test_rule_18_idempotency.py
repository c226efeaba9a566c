"""Rule 18: one key has one effect and one answer, at its merchant, for ever; people are asked when they tap twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from core.tasks import purge
from tests.support.api import Caller, assert_problem
from tests.support.shop import Phone, Shop, done

Open = Callable[..., Shop]


def test_the_same_request_gets_the_same_answer(shop: Open) -> None:
    cafe = shop(cooldown_minutes=15)
    marie = cafe.joins()

    first = cafe.asks("stamp", marie, Idempotency_Key="till-1/0001")
    cafe.later(days=3)
    again = cafe.asks("stamp", marie, Idempotency_Key="till-1/0001")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (first.get("Idempotent-Replay"), again.get("Idempotent-Replay")) == (None, "true")
    assert marie.shows()["stamp_count"] == 1
    assert cafe.ledger(marie)[-1]["idempotency_key"] == "till-1/0001"
    cafe.adds_up()


def test_another_operation_or_body_under_the_key_is_422(shop: Open) -> None:
    cafe = shop(loyalty_type="hybrid", points_per_euro="1")
    marie, nora = cafe.joins(), cafe.joins()
    cafe.stamps(marie, Idempotency_Key="k")

    others: list[tuple[str, Phone, dict[str, Any]]] = [
        ("stamp", marie, {"quantity": 2}), ("stamp", nora, {}), ("stamp/redeem", marie, {}),
        ("points", marie, {"purchase_amount_cents": 100}),
    ]  # fmt: skip
    for path, phone, body in others:
        assert_problem(cafe.asks(path, phone, Idempotency_Key="k", **body), 422, "idempotency_key_reused")
    assert (marie.shows()["stamp_count"], nora.shows()["stamp_count"]) == (1, 0)
    cafe.adds_up()


@pytest.mark.parametrize(("key", "status"), [("k", 201), ("k" * 128, 201), ("k" * 129, 400), ("ké", 400)])
def test_a_key_has_1_to_128_characters(shop: Open, key: str, status: int) -> None:
    cafe = shop()

    assert cafe.asks("stamp", cafe.joins(), Idempotency_Key=key).status_code == status


def test_two_merchants_may_use_the_same_key(shop: Open) -> None:
    here, there = shop(), shop()

    assert here.stamps(here.joins(), Idempotency_Key="k")["stamp_count"] == 1
    assert there.stamps(there.joins(), Idempotency_Key="k")["stamp_count"] == 1


def test_a_refused_request_may_come_again_with_its_key(shop: Open) -> None:
    cafe = shop(cooldown_minutes=15)
    marie = cafe.joins()
    cafe.stamps(marie)
    assert_problem(cafe.asks("stamp", marie, Idempotency_Key="k"), 409, "cooldown_active")
    cafe.later(minutes=15)

    assert cafe.asks("stamp", marie, Idempotency_Key="k").status_code == 201
    assert marie.shows()["stamp_count"] == 2
    cafe.adds_up()


# The view shows the locks of every database of the server.
HELD = """
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def test_while_it_runs_the_second_one_is_told_to_wait(real_db: Any, clock: Any) -> None:
    cafe = Shop.open(clock)
    marie, nora = cafe.joins(), cafe.joins()

    def ask() -> Any:
        try:
            return cafe.asks("stamp", marie, Idempotency_Key="k")
        finally:
            connection.close()

    with real_db.connect_as_app() as holder, ThreadPoolExecutor(1) as pool:
        # Something else holds the card, so the first request waits with the key in its hand.
        holder.execute("SELECT set_config('app.merchant_id', %s, true)", (str(cafe.world.merchant_id),))
        holder.execute("SELECT FROM loyalty_card WHERE id = %s FOR UPDATE", (marie.card["id"],))
        running = pool.submit(ask)
        while not holder.execute(HELD).rowcount:
            assert not running.done()
        second = cafe.asks("stamp", nora, Idempotency_Key="k")
        running.result()

    assert_problem(second, 409, "idempotency_in_progress")
    assert int(second["Retry-After"]) >= 1
    assert cafe.stamps(marie, Idempotency_Key="k")["stamp_count"] == 1
    assert nora.shows()["stamp_count"] == 0
    cafe.adds_up()


def test_people_at_a_screen_are_asked_once(shop: Open) -> None:
    cafe = shop(loyalty_type="hybrid", points_per_euro="1", require_staff_pin=True)
    anna = done(cafe.pos.post("pins", {"name": "Anna", "pin": "482193"}))
    marie, screen = cafe.joins(), Caller.terminal(cafe.world)
    who = {"staff_id": anna["id"], "staff_pin": "482193", "by": screen}
    cafe.stamps(marie, **who)
    cafe.sells(marie, 1200, **who)

    cafe.later(seconds=9)
    assert_problem(cafe.asks("stamp", marie, **who), 409, "duplicate_suspected")
    assert_problem(cafe.asks("points", marie, purchase_amount_cents=1200, **who), 409, "duplicate_suspected")
    assert cafe.sells(marie, 1300, **who)["points_earned"] == 13, "another amount is another sale"

    assert cafe.stamps(marie, confirm=True, **who)["stamp_count"] >= 2
    cafe.later(seconds=11)
    assert cafe.asks("stamp", marie, **who).status_code == 201
    cafe.adds_up()


def test_a_till_system_is_not_asked(shop: Open) -> None:
    cafe = shop()
    marie = cafe.joins()

    assert [cafe.stamps(marie)["stamp_count"] for _ in range(3)] == [1, 2, 3]


def test_the_ledger_remembers_a_key_for_ever(shop: Open) -> None:
    boutique = shop(loyalty_type="points", points_per_euro="1")
    marie = boutique.joins()
    boutique.sells(marie, 2000, Idempotency_Key="k")
    boutique.later(days=400)
    purge()

    again = boutique.asks("points", marie, purchase_amount_cents=2000, Idempotency_Key="k")

    assert_problem(again, 422, "idempotency_key_reused")
    assert marie.shows()["points_balance"] == 20
    boutique.adds_up()
