"""Races around what comes late: the same batch twice, batches against the till, two managers at one item (rule 19)."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from core import tenancy
from core.errors import DomainError
from loyalty.models import Card, ReviewItem
from loyalty.queries import verification
from loyalty.queries.hot import CardRef
from loyalty.services import batches, own_device, reviews
from loyalty.services.batches import Item, Sender
from loyalty.services.reviews import Decider
from stores.models import StaffPin, Store
from stores.queries.access import Credential
from tests.loyalty.services.test_races import race
from tests.support.world import World


def make(**rules: Any) -> World:
    return World.make(at=timezone.now() - timedelta(days=10), stamps_target=50, **rules)


def item(card: Card, key: str, minutes_ago: float) -> Item:
    return Item(
        key=key, op="stamp", occurred_at=timezone.now() - timedelta(minutes=minutes_ago),
        card=CardRef("card_id", card.pk), body={"card_id": str(card.pk)},
    )  # fmt: skip


def sender(world: World) -> Sender:
    return Sender(world.key, world.store.code, timezone.now())


def test_rule_18_the_same_batch_sent_many_times_at_once_counts_once(real_db: Any) -> None:
    world = make()
    card = world.card()
    items = [item(card, f"k{number}", 60 - number) for number in range(5)]

    def send() -> list[str]:
        try:
            return [getattr(outcome, "code", "done") for outcome in batches.run(sender(world), items)]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        seen = Counter(code for future in [pool.submit(send) for _ in range(8)] for code in future.result())

    assert set(seen) <= {"done", "idempotency_in_progress", "card_busy"}
    assert [getattr(outcome, "code", "done") for outcome in batches.run(sender(world), items)] == ["done"] * 5
    assert world.assert_adds_up(card).stamp_count == 5
    with tenancy.scope(world.merchant_id):
        assert ReviewItem.objects.count() == 0
    assert verification.verify().differences == ()


def test_rules_14_and_15_hold_between_batches_and_the_till(real_db: Any) -> None:
    world = make(cooldown_minutes=30, max_daily_stamps=4)
    card = world.card()

    def send(number: int) -> None:
        try:
            if number % 4 == 0:
                world.stamp(card, call=world.call())
            else:
                batches.run(
                    sender(world), [item(card, f"b{number}-{step}", step * 41 + number * 7) for step in range(6)]
                )
        except DomainError:
            pass
        finally:
            connection.close()

    world.at = timezone.now()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))

    given = sorted((row for row in world.rows(card) if row.type == "stamp_earned"), key=lambda row: row.occurred_at)
    assert given
    assert all(after.occurred_at - before.occurred_at >= timedelta(minutes=30) for before, after in pairwise(given))
    assert max(Counter(row.business_date for row in given).values()) <= 4
    assert world.assert_adds_up(card).last_stamp_at == given[-1].occurred_at


def test_two_managers_decide_once(real_db: Any) -> None:
    world = make()
    card = world.card()
    batches.run(sender(world), [item(card, "old", 80 * 60)])
    with tenancy.scope(world.merchant_id):
        review_id: UUID = ReviewItem.objects.get().pk
    calls = iter(range(16))

    def decide() -> dict[str, Any]:
        by = Decider(Credential("api_key", world.merchant_id, world.key.id), timezone.now())
        if next(calls) % 2:
            reviews.accept(by, item_id=review_id)
        else:
            reviews.dismiss(by, item_id=review_id, note="double")
        return {}

    seen = race(decide)

    with tenancy.scope(world.merchant_id):
        row = ReviewItem.objects.get()
    booked = world.assert_adds_up(card).stamp_count
    assert set(seen) <= {"done", "already_resolved", "card_busy", "idempotency_in_progress"}
    assert (row.state, row.transaction_id is not None) == (("accepted", True) if booked else ("dismissed", False))
    assert booked in (0, 1)


def test_promise_13_fifty_wrong_pins_at_once_are_five(real_db: Any) -> None:
    world = make()
    with tenancy.scope(world.merchant_id):
        Store.objects.update(own_device_enabled=True)
    world.staff(pin="482193")
    card = world.card()

    def guess() -> dict[str, Any]:
        phone = own_device.Phone(world.merchant_id, card.pk, world.store.code, timezone.now(), "10.0.0.1")
        return own_device.stamp(phone, world.call().asked, pin="111222").body

    seen = race(guess)

    assert seen == Counter({"staff_pin_invalid": 5, "staff_pin_locked": 11})
    with tenancy.scope(world.merchant_id):
        assert list(StaffPin.objects.values_list("failed_attempts", flat=True)) == [0]


def test_one_broken_item_holds_nobody_up(real_db: Any) -> None:
    """A fault of our own in one item: the rest is booked and the till is told; no person could help with it."""
    world = make()
    card = world.card()
    broken = Item(
        key="x",
        op="stamp",
        occurred_at=timezone.now() - timedelta(minutes=5),
        card=CardRef("no_such_kind", "x"),
        body={},
    )

    outcomes = batches.run(sender(world), [item(card, "a", 9), broken, item(card, "b", 1)])

    assert isinstance(outcomes[1], KeyError)
    assert world.assert_adds_up(card).stamp_count == 2
    with tenancy.scope(world.merchant_id):
        assert ReviewItem.objects.count() == 0
