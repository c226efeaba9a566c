"""Staff and their PINs: made, changed, revoked (rule 22)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core import tenancy
from core.errors import NotFound, ValidationFailed
from core.ids import uuid7
from core.models import AuditEntry
from stores.models import StaffPin
from stores.services import staff
from tests.factories.merchants import MerchantFactory, UserFactory
from tests.factories.stores import StaffPinFactory, StoreFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def refusal(**values: Any) -> str:
    with pytest.raises(ValidationFailed) as caught:
        staff.create(**{"name": "Anna", "at": NOON, **values})
    return next(code for found in caught.value.errors.values() for code, _text in found)


def test_it_works_and_offers_six_digits_rule_22() -> None:
    merchant = MerchantFactory()

    made = staff.create(merchant_id=merchant.pk, name="  Anna  B ", at=NOON)

    assert made.pin is not None
    assert len(made.pin) == 6
    assert not made.has_warning
    assert made.staff.name == "Anna B"
    assert made.pin not in made.staff.pin_hash


@pytest.mark.parametrize(("pin", "warned"), [("4821", True), ("48219", True), ("482193", False), ("48219375", False)])
def test_takes_4_to_8_digits_and_warns_of_short_ones_rule_22(pin: str, warned: bool) -> None:
    made = staff.create(merchant_id=MerchantFactory().pk, name="Anna", pin=pin, at=NOON)

    assert made.pin is None
    assert made.has_warning is warned


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "", "１２３４", "4821 "])
def test_refuses_another_form_rule_22(pin: str) -> None:
    assert refusal(merchant_id=MerchantFactory().pk, pin=pin) == "pin_form"


@pytest.mark.parametrize("pin", ["0000", "1234", "4321", "1212"])
def test_refuses_trivial_pins_rule_22(pin: str) -> None:
    assert refusal(merchant_id=MerchantFactory().pk, pin=pin) == "pin_trivial"


def test_refuses_a_pin_that_an_active_colleague_has_rule_22() -> None:
    merchant = MerchantFactory()
    anna = staff.create(merchant_id=merchant.pk, name="Anna", pin="482193", at=NOON).staff

    assert refusal(merchant_id=merchant.pk, name="Ben", pin="482193") == "pin_taken"

    staff.revoke(merchant_id=merchant.pk, staff_id=anna.pk, at=NOON)
    staff.create(merchant_id=merchant.pk, name="Ben", pin="482193", at=NOON)


def test_finds_a_taken_pin_under_an_older_pepper_rule_22(settings: Any) -> None:
    merchant = MerchantFactory()
    staff.create(merchant_id=merchant.pk, name="Anna", pin="482193", at=NOON)
    settings.LOYALTY_PIN_PEPPERS = ["spring:another-pepper-for-tests-0123456789", *settings.LOYALTY_PIN_PEPPERS]

    assert refusal(merchant_id=merchant.pk, name="Ben", pin="482193") == "pin_taken"


def test_two_merchants_may_have_the_same_pin_rule_22() -> None:
    for merchant in (MerchantFactory(), MerchantFactory()):
        staff.create(merchant_id=merchant.pk, name="Anna", pin="482193", at=NOON)


def test_keeps_ones_own_pin_when_it_is_set_again() -> None:
    row = StaffPinFactory(pin="482193")

    assert staff.update(merchant_id=row.merchant_id, staff_id=row.pk, pin="482193", at=NOON).version == 2


def test_limits_a_person_to_stores_and_back_to_all() -> None:
    merchant = MerchantFactory()
    store = StoreFactory(merchant=merchant)

    row = staff.create(merchant_id=merchant.pk, name="Anna", stores=[store.pk], at=NOON).staff
    assert not row.all_stores

    row = staff.update(merchant_id=merchant.pk, staff_id=row.pk, stores=None, at=NOON)
    assert row.all_stores
    with tenancy.scope(merchant):
        assert not row.store_links.exists()


def test_refuses_another_merchants_store_and_changes_nothing() -> None:
    merchant, foreign = MerchantFactory(), StoreFactory()

    with pytest.raises(NotFound):
        staff.create(merchant_id=merchant.pk, name="Anna", stores=[foreign.pk], at=NOON)

    with tenancy.scope(merchant):
        assert not StaffPin.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_refuses_a_name_that_is_none(name: str) -> None:
    assert refusal(merchant_id=MerchantFactory().pk, name=name) == "required"


@pytest.mark.parametrize("verb", ["update", "rotate", "revoke", "unlock"])
def test_another_merchants_person_is_not_found_and_stays(verb: str) -> None:
    row, stranger = StaffPinFactory(), MerchantFactory()

    with pytest.raises(NotFound):
        getattr(staff, verb)(merchant_id=stranger.pk, staff_id=row.pk, at=NOON)
    with pytest.raises(NotFound):
        getattr(staff, verb)(merchant_id=stranger.pk, staff_id=uuid7(), at=NOON)

    with tenancy.scope(row.merchant_id):
        assert StaffPin.objects.get(pk=row.pk).version == 1


def test_revoking_twice_changes_nothing_more() -> None:
    row = StaffPinFactory()

    first = staff.revoke(merchant_id=row.merchant_id, staff_id=row.pk, at=NOON)
    second = staff.revoke(merchant_id=row.merchant_id, staff_id=row.pk, at=NOON)

    assert (first.version, second.version, second.is_active) == (2, 2, False)


def test_a_revoked_person_comes_back_with_a_new_pin() -> None:
    row = StaffPinFactory()
    staff.revoke(merchant_id=row.merchant_id, staff_id=row.pk, at=NOON)

    made = staff.rotate(merchant_id=row.merchant_id, staff_id=row.pk, at=NOON)

    assert made.staff.is_active
    assert made.staff.revoked_at is None


def test_notes_who_did_it_without_the_pin() -> None:
    merchant, manager = MerchantFactory(), UserFactory()

    made = staff.create(merchant_id=merchant.pk, name="Anna", pin="482193", at=NOON, actor_id=manager.pk)

    with tenancy.scope(merchant):
        entry = AuditEntry.objects.get(action="staff_created")
    assert (entry.actor_id, entry.target) == (manager.pk, f"staff {made.staff.pk}")
    assert "482193" not in str(entry.facts)
