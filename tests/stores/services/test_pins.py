"""Checking a PIN: what is counted where, what is locked, what a sender learns (rule 21)."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import translation

from core import tenancy
from core.ids import uuid7
from merchants.models import Merchant
from stores.models import PinGuard, StaffPin, Store
from stores.services import pins
from stores.services.pins import Subject
from tests.factories.merchants import MerchantFactory
from tests.factories.stores import StaffPinFactory, StoreFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@dataclass
class Till:
    """A terminal with Anna (482193) and Ben (735960), and a clock."""

    merchant: Merchant
    store: Store
    anna: StaffPin
    ben: StaffPin
    at: datetime = NOON
    subject: Subject = field(default_factory=lambda: Subject("terminal", uuid7()))

    def type(self, pin: str, who: StaffPin | UUID | None = None, **other: Any) -> pins.VerifiedStaff:
        staff_id = who.pk if isinstance(who, StaffPin) else who
        values = {"subject": self.subject, "store_id": self.store.pk, "merchant_id": self.merchant.pk, **other}
        return pins.verify(pin=pin, staff_id=staff_id, at=self.at, **values)

    def wrong(self, pin: str, who: StaffPin | UUID | None = None, **other: Any) -> int:
        with pytest.raises(pins.StaffPinInvalid) as caught:
            self.type(pin, who, **other)
        return int(caught.value.facts["attempts_remaining"])

    def locked(self, pin: str, who: StaffPin | UUID | None = None, **other: Any) -> datetime:
        with pytest.raises(pins.StaffPinLocked) as caught:
            self.type(pin, who, **other)
        assert caught.value.status == 423
        assert caught.value.retry_after is not None
        return caught.value.facts["locked_until"]  # type: ignore[no-any-return]

    def fresh(self, row: StaffPin) -> StaffPin:
        with tenancy.scope(self.merchant):
            return StaffPin.objects.get(pk=row.pk)

    def guards(self) -> dict[tuple[str, str], PinGuard]:
        with tenancy.scope(self.merchant):
            return {(row.subject_kind, row.device): row for row in PinGuard.objects.all()}


def make_till(**allowed: Any) -> Till:
    merchant = MerchantFactory(allowed=allowed)
    return Till(
        merchant, StoreFactory(merchant=merchant), StaffPinFactory(merchant=merchant, name="Anna", pin="482193"),
        StaffPinFactory(merchant=merchant, name="Ben", pin="735960"),
    )  # fmt: skip


@pytest.fixture
def till() -> Till:
    return make_till()


def test_it_works_with_a_name_and_with_the_pin_alone_rule_21(till: Till) -> None:
    named, alone = till.type("482193", till.anna), till.type("735960")

    assert named == pins.VerifiedStaff(till.anna.pk, "Anna", 1)
    assert alone == pins.VerifiedStaff(till.ben.pk, "Ben", 1)
    assert till.fresh(till.anna).last_used_at == NOON


def test_a_pin_of_somebody_else_is_wrong_under_a_name_rule_21(till: Till) -> None:
    assert till.wrong("735960", till.anna) == 4


def test_wrong_tries_with_a_name_count_on_that_person_only_rule_21(till: Till) -> None:
    remaining = [till.wrong("111222", till.anna) for _ in range(5)]

    assert remaining == [4, 3, 2, 1, 0]
    assert till.locked("482193", till.anna) == NOON + timedelta(minutes=30)
    assert till.type("735960", till.ben).name == "Ben"
    assert till.fresh(till.ben).failed_attempts == 0
    assert ("terminal", "") not in till.guards()


def test_a_lock_ends_by_itself_with_a_fresh_start_rule_21(till: Till) -> None:
    for _ in range(5):
        till.wrong("111222", till.anna)

    till.at = NOON + timedelta(minutes=30)

    assert till.wrong("111222", till.anna) == 4
    assert till.type("482193", till.anna).name == "Anna"
    row = till.fresh(till.anna)
    assert (row.failed_attempts, row.locked_until) == (0, None)


def test_a_right_pin_forgets_the_wrong_tries_before_it_rule_21(till: Till) -> None:
    for _ in range(4):
        till.wrong("111222", till.anna)
    till.type("482193", till.anna)

    assert till.wrong("111222", till.anna) == 4


def test_a_manager_unlocks_earlier_rule_21(till: Till) -> None:
    for _ in range(5):
        till.wrong("111222", till.anna)

    pins.unlock(merchant_id=till.merchant.pk, staff_id=till.anna.pk, at=NOON)

    assert till.type("482193", till.anna).name == "Anna"


def test_limits_follow_the_merchants_settings_rule_21() -> None:
    till = make_till(pin_max_failed_attempts=2, pin_lockout_minutes=7)

    assert [till.wrong("111222", till.anna) for _ in range(2)] == [1, 0]
    assert till.locked("482193", till.anna) == NOON + timedelta(minutes=7)


def test_a_pin_that_is_nobodys_counts_on_its_sender_never_on_staff_rule_21(till: Till) -> None:
    assert [till.wrong("909192") for _ in range(5)] == [4, 3, 2, 1, 0]

    assert till.locked("482193") == NOON + timedelta(minutes=30)
    assert till.locked("482193", till.anna) == NOON + timedelta(minutes=30)
    assert till.fresh(till.anna).failed_attempts == till.fresh(till.ben).failed_attempts == 0
    other = Subject("terminal", uuid7())
    assert till.type("482193", till.anna, subject=other).name == "Anna"


def test_locks_of_a_sender_double_until_a_right_pin_rule_21(till: Till) -> None:
    lengths = []
    for _ in range(3):
        for _ in range(5):
            till.wrong("909192")
        until = till.locked("482193")
        lengths.append(until - till.at)
        till.at = until
    assert lengths == [timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2)]

    till.type("482193")

    for _ in range(5):
        till.wrong("909192")
    assert till.locked("482193") == till.at + timedelta(minutes=30)


def test_an_unknown_person_looks_like_a_wrong_pin_rule_21(till: Till) -> None:
    with translation.override("en"):
        with pytest.raises(pins.StaffPinInvalid) as unknown:
            till.type("111222", uuid7(), subject=Subject("terminal", uuid7()))
        with pytest.raises(pins.StaffPinInvalid) as wrong:
            till.type("111222", till.anna)

    assert unknown.value.detail == wrong.value.detail
    assert unknown.value.facts == wrong.value.facts


def test_an_unknown_person_takes_as_long_as_a_wrong_pin_rule_21(till: Till) -> None:
    def cost(attempt: Callable[[], Any]) -> float:
        figures = []
        for _ in range(4):
            begin = time.thread_time()
            attempt()
            figures.append(time.thread_time() - begin)
        return min(figures)

    unknown = cost(lambda: till.wrong("111222", uuid7(), subject=Subject("terminal", uuid7())))
    wrong = cost(lambda: till.wrong("111222", till.anna))
    nobody = cost(lambda: till.wrong("909192", subject=Subject("terminal", uuid7())))

    assert 0.5 < unknown / wrong < 2
    assert 0.5 < nobody / wrong < 2


def test_nothing_is_hashed_while_a_lock_holds_rule_21(till: Till) -> None:
    for _ in range(5):
        till.wrong("111222", till.anna)
    begin = time.thread_time()
    till.wrong("111222", till.ben)
    hashed = time.thread_time() - begin

    begin = time.thread_time()
    till.locked("111222", till.anna)

    assert time.thread_time() - begin < hashed / 2


def test_a_till_of_a_key_is_locked_alone_when_it_is_named_rule_21(till: Till) -> None:
    key = uuid7()
    for _ in range(5):
        till.wrong("909192", subject=Subject("api_key", key, "till-1"))

    till.locked("482193", subject=Subject("api_key", key, "till-1"))
    assert till.type("482193", subject=Subject("api_key", key, "till-2")).name == "Anna"


def test_a_key_that_invents_tills_runs_out_of_tries_promise_13() -> None:
    till = make_till(pin_max_failed_attempts=1)
    key = uuid7()
    for number in range(40):
        till.wrong("909192", subject=Subject("api_key", key, f"till-{number}"))

    assert till.locked("482193", subject=Subject("api_key", key, "till-new")) == NOON + timedelta(hours=24)
    till.at = NOON + timedelta(hours=24)
    assert till.type("482193", subject=Subject("api_key", key, "till-new")).name == "Anna"


def test_ones_own_pin_does_not_buy_endless_guesses_promise_13() -> None:
    till = make_till(pin_max_failed_attempts=2)
    for _ in range(40):  # each may have met two people
        till.wrong("909192")
        if till.guards()["day", ""].failed_attempts < 80:
            till.type("735960")

    till.locked("735960")


def test_a_key_that_sends_pins_alone_pays_one_try_each_promise_13() -> None:
    till = make_till(pin_max_failed_attempts=2)
    key = Subject("api_key", uuid7())

    till.wrong("909192", subject=key)
    till.wrong("909192", till.anna)

    with tenancy.scope(till.merchant):
        days = PinGuard.objects.filter(subject_kind="day").values_list("failed_attempts", flat=True)
        assert list(days) == [1, 1]


def test_a_visitors_phone_locks_nobody_but_itself_promise_13(till: Till) -> None:
    phone = Subject("card", uuid7(), "203.0.113.9")
    for _ in range(5):
        till.wrong("111222", till.anna, subject=phone)

    till.locked("482193", till.anna, subject=phone)
    assert till.fresh(till.anna).failed_attempts == 0
    assert till.type("482193", till.anna).name == "Anna"


def test_a_pin_works_in_the_stores_of_its_person_only_rule_22(till: Till) -> None:
    elsewhere = StoreFactory(merchant=till.merchant)
    StaffPinFactory(merchant=till.merchant, name="Carl", pin="604817", stores=[elsewhere])

    assert till.type("604817", store_id=elsewhere.pk).name == "Carl"
    till.wrong("604817")


def test_a_revoked_person_is_nobody_rule_21(till: Till) -> None:
    pins.revoke(merchant_id=till.merchant.pk, staff_id=till.anna.pk, at=NOON)

    till.wrong("482193", till.anna)
    till.wrong("482193")


def test_another_merchants_person_is_nobody_and_stays_untouched(till: Till) -> None:
    other = make_till()

    till.wrong("482193", other.anna)

    assert other.fresh(other.anna).failed_attempts == 0


@pytest.mark.parametrize("pin", ["", "12", "123456789012", "abcd", "48 21 93", "482193\n", "\ud800"])
def test_what_is_no_pin_is_a_wrong_pin(till: Till, pin: str) -> None:
    till.wrong(pin, till.anna)
    till.wrong(pin)


def test_a_locked_person_is_told_so_when_the_right_pin_comes_alone(till: Till) -> None:
    for _ in range(5):
        till.wrong("111222", till.anna)

    assert till.locked("482193") == NOON + timedelta(minutes=30)


def test_refuses_to_run_inside_a_scope_where_its_counters_could_be_lost(till: Till) -> None:
    with tenancy.scope(till.merchant), pytest.raises(RuntimeError, match="outside of any scope"):
        till.type("482193")


def test_a_new_pepper_takes_over_at_the_next_use_promise_14(till: Till, settings: Any) -> None:
    before = till.fresh(till.anna)
    settings.LOYALTY_PIN_PEPPERS = ["spring:another-pepper-for-tests-0123456789", *settings.LOYALTY_PIN_PEPPERS]

    assert till.type("482193").name == "Anna"

    after = till.fresh(till.anna)
    assert before.pepper_id != after.pepper_id == "spring"
    assert after.pin_hash != before.pin_hash
    assert after.version == before.version
    assert till.type("482193", till.anna).name == "Anna"
    assert till.type("735960", till.ben).name == "Ben"


def test_without_the_pepper_the_rows_tell_no_pin_promise_14(till: Till, settings: Any) -> None:
    settings.LOYALTY_PIN_PEPPERS = ["a-pepper-that-somebody-else-made-up-0123456789"]

    till.wrong("482193", till.anna)
    till.wrong("482193")

    row = till.fresh(till.anna)
    assert row.pin_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert 0 <= row.pin_bucket < 32
