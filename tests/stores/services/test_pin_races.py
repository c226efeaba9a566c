"""Parallel guesses and parallel choices, with threads and real commits (rules 21, 22; promise 13)."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

from django.db import connection

from core import tenancy
from core.errors import DomainError
from core.ids import uuid7
from stores.models import PinGuard, StaffPin
from stores.services import pins, staff
from stores.services.pins import Subject
from tests.factories.merchants import MerchantFactory
from tests.factories.stores import StaffPinFactory, StoreFactory

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def at_once(count: int, call: Callable[[int], Any]) -> Counter[str]:
    """Run a call in many threads that begin together; count the outcomes by code."""
    barrier = Barrier(count)

    def run(number: int) -> str:
        try:
            barrier.wait()
            call(number)
        except DomainError as error:
            return error.code
        else:
            return "ok"
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(run, range(count)))


def test_fifty_parallel_guesses_at_a_person_get_five_tries_rule_21(real_db: Any) -> None:
    anna = StaffPinFactory()
    store = StoreFactory(merchant=anna.merchant)

    outcomes = at_once(
        50,
        lambda number: pins.verify(
            merchant_id=anna.merchant_id, store_id=store.pk, subject=Subject("terminal", uuid7()), staff_id=anna.pk,
            pin=f"5{number:05d}", at=NOON,
        ),
    )  # fmt: skip

    assert outcomes == {"staff_pin_invalid": 5, "staff_pin_locked": 45}
    with tenancy.scope(anna.merchant_id):
        assert StaffPin.objects.get(pk=anna.pk).failed_attempts == 5


def test_fifty_parallel_guesses_of_a_sender_get_five_tries_rule_21(real_db: Any) -> None:
    anna = StaffPinFactory()
    store, till = StoreFactory(merchant=anna.merchant), Subject("api_key", uuid7(), "till-1")

    outcomes = at_once(
        50,
        lambda number: pins.verify(
            merchant_id=anna.merchant_id, store_id=store.pk, subject=till, staff_id=None, pin=f"5{number:05d}", at=NOON
        ),
    )

    assert outcomes == {"staff_pin_invalid": 5, "staff_pin_locked": 45}
    with tenancy.scope(anna.merchant_id):
        assert PinGuard.objects.get(subject_kind="day").failed_attempts == 5
        assert not StaffPin.objects.exclude(failed_attempts=0).exists()


def test_wrong_tries_stay_counted_on_another_connection(real_db: Any) -> None:
    anna = StaffPinFactory()
    store = StoreFactory(merchant=anna.merchant)

    at_once(1, lambda _: pins.verify(
        merchant_id=anna.merchant_id, store_id=store.pk, subject=Subject("terminal", uuid7()), staff_id=anna.pk,
        pin="500000", at=NOON,
    ))  # fmt: skip

    with real_db.connect_as_app() as second:
        second.execute("SELECT set_config('app.merchant_id', %s, false)", [str(anna.merchant_id)])
        row = second.execute("SELECT failed_attempts FROM stores_staffpin WHERE id = %s", [anna.pk]).fetchone()
    assert row == (1,)


def test_colleagues_who_type_at_once_all_get_in(real_db: Any) -> None:
    merchant = MerchantFactory()
    store, till = StoreFactory(merchant=merchant), Subject("api_key", uuid7())
    team = [StaffPinFactory(merchant=merchant, pin=f"48219{number}") for number in range(4)]

    outcomes = at_once(
        8,
        lambda number: pins.verify(
            merchant_id=merchant.pk, store_id=store.pk, subject=till, pin=f"48219{number % 4}", at=NOON,
            staff_id=team[number % 4].pk if number < 4 else None,
        ),
    )  # fmt: skip

    assert outcomes == {"ok": 8}


def test_one_of_many_who_choose_the_same_pin_gets_it_rule_22(real_db: Any) -> None:
    merchant = MerchantFactory()

    outcomes = at_once(
        8, lambda number: staff.create(merchant_id=merchant.pk, name=f"Anna {number}", pin="482193", at=NOON)
    )

    assert outcomes == {"ok": 1, "validation_error": 7}
