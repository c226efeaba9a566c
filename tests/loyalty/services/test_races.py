"""Races: real threads, real commits, one winner (rules 14, 17, 18; promises 3, 4, 5)."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from core import tenancy
from core.errors import DomainError
from core.tenancy import lookup
from loyalty.models import RefusedAttempt, Reward
from loyalty.services.operations import StaffProof
from tests.support.world import World

THREADS = 16


def race(work: Callable[[], dict[str, Any]], times: int = THREADS) -> Counter[str]:
    """Run the same work in many threads at once; count the outcomes: `done`, or the code of the refusal."""
    barrier, seen, lock = threading.Barrier(times), Counter[str](), threading.Lock()

    def one() -> None:
        barrier.wait()
        try:
            work()
            outcome = "done"
        except DomainError as refusal:
            outcome = refusal.code
        finally:
            connection.close()
        with lock:
            seen[outcome] += 1

    with ThreadPoolExecutor(times) as pool:
        for future in [pool.submit(one) for _ in range(times)]:
            future.result()
    return seen


def test_promise_4_no_update_of_a_hot_card_is_lost(real_db: Any) -> None:
    world = World.make(stamps_target=50)
    card = world.card()

    seen = race(lambda: world.stamp(card))

    assert set(seen) <= {"done", "card_busy"}
    after = world.assert_adds_up(card)
    assert after.stamp_count == seen["done"]


def test_rule_14_with_a_cooldown_exactly_one_wins(real_db: Any) -> None:
    world = World.make(cooldown_minutes=15)
    card = world.card()

    seen = race(lambda: world.stamp(card))

    assert seen["done"] == 1
    assert set(seen) <= {"done", "cooldown_active", "card_busy"}
    assert world.assert_adds_up(card).stamp_count == 1


def test_promise_5_a_balance_that_allows_one_is_spent_once(real_db: Any) -> None:
    world = World.make(loyalty_type="points", points_per_euro="10")
    card = world.card()
    world.sale(card, 1000)
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.create(program=world.program, name="Scarf", points_cost=60)

    seen = race(lambda: world.spend(card, reward.id))

    assert seen["done"] == 1
    assert world.assert_adds_up(card).points_balance == 40


def test_rule_17_a_reward_is_handed_out_once(real_db: Any) -> None:
    world = World.make(stamps_target=2)
    card = world.card()
    world.stamp(card, 2)

    seen = race(lambda: world.redeem(card))

    assert seen["done"] == 1
    assert set(seen) <= {"done", "insufficient_stamps", "already_redeemed", "card_busy"}


def test_promise_3_one_key_has_one_effect(real_db: Any) -> None:
    world = World.make(stamps_target=50)
    card = world.card()
    answers: list[dict[str, Any]] = []

    def send() -> dict[str, Any]:
        answers.append(world.stamp(card, key="same"))
        return answers[-1]

    seen = race(send)

    assert set(seen) <= {"done", "idempotency_in_progress", "card_busy"}
    assert all(answer == answers[0] for answer in answers)
    assert world.assert_adds_up(card).stamp_count == 1


def test_promise_3_tenants_have_keys_of_their_own(real_db: Any) -> None:
    world, other = World.make(), World.make()
    card, foreign = world.card(), other.card()

    world.stamp(card, key="same")

    assert other.stamp(foreign, key="same")["stamp_count"] == 1


def test_void_races_have_one_winner(real_db: Any) -> None:
    world = World.make()
    card = world.card()
    given = world.stamp(card)

    seen = race(lambda: world.void(given["transaction_id"]))

    assert seen["done"] == 1
    assert set(seen) <= {"done", "already_voided", "card_busy"}
    assert world.assert_adds_up(card).stamp_count == 0


def test_a_wait_for_a_card_is_bounded(real_db: Any) -> None:
    world = World.make()
    card = world.card()
    with real_db.connect_as_app() as holder:
        holder.execute("SELECT set_config('app.merchant_id', %s, true)", (str(world.merchant_id),))
        holder.execute("SELECT FROM loyalty_card WHERE id = %s FOR UPDATE", (card.id,))
        with pytest.raises(DomainError) as refused:
            world.stamp(card)
    assert refused.value.code == "card_busy"
    assert refused.value.retry_after == 1
    assert world.stamp(card)["stamp_count"] == 1


def test_a_key_that_is_running_is_told_before_the_card_it_holds(real_db: Any) -> None:
    world = World.make()
    card = world.card()
    before = world.stamp(card, key="before")
    with real_db.connect_as_app() as holder:
        name = f"{world.merchant_id}/same"
        holder.execute("SELECT set_config('app.merchant_id', %s, true)", (str(world.merchant_id),))
        holder.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
        holder.execute("SELECT FROM loyalty_card WHERE id = %s FOR UPDATE", (card.id,))
        with pytest.raises(DomainError) as refused:
            world.stamp(card, key="same")
        with pytest.raises(DomainError) as other:
            world.stamp(card, key="another")
        assert world.stamp(card, key="before") == before, "a replay needs no card"
    assert refused.value.code == "idempotency_in_progress"
    assert other.value.code == "card_busy"


def test_the_lock_is_on_the_card_only(real_db: Any) -> None:
    """A join that locked the program too would make all tills of the merchant queue."""
    world = World.make()
    first, second = world.card(), world.card()
    with real_db.connect_as_app() as holder:
        holder.execute("SELECT set_config('app.merchant_id', %s, true)", (str(world.merchant_id),))
        holder.execute("SELECT FROM loyalty_card WHERE id = %s FOR UPDATE", (first.id,))
        assert world.stamp(second)["stamp_count"] == 1


def test_what_a_refusal_leaves_behind_is_seen_on_a_second_connection(real_db: Any) -> None:
    world = World.make(require_staff_pin=True)
    staff_id, _ = world.staff("Anna", "482193")
    card, till = world.card(), world.terminal()

    with pytest.raises(DomainError) as refused:
        world.stamp(card, who=till, staff=StaffProof(pin="999111", staff_id=staff_id))

    assert refused.value.code == "staff_pin_invalid"
    with real_db.connect_as_app() as second:
        second.execute("SELECT set_config('app.merchant_id', %s, true)", (str(world.merchant_id),))
        failed = second.execute("SELECT failed_attempts FROM stores_staffpin WHERE id = %s", (staff_id,)).fetchone()
        codes = second.execute("SELECT code FROM loyalty_refusedattempt").fetchall()
    assert failed == (1,)
    assert codes == [("staff_pin_invalid",)]
    assert world.rows(card)[-1].type == "card_enrolled"
    assert lookup("card_by_code", card.qr_code_data) == [(world.merchant_id, card.id)]
    with tenancy.scope(world.merchant_id):
        assert RefusedAttempt.objects.get().staff_pin_id in (None, staff_id)
