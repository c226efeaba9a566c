"""PIN sessions: 15 minutes, one sender, one version of the PIN (rule 22)."""

from datetime import UTC, datetime, timedelta

import pytest

from core.ids import uuid7
from stores.services import pins
from stores.services.pins import SessionClaims, StaffSessionExpired, Subject, VerifiedStaff
from tests.factories.stores import StaffPinFactory

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MERCHANT, TILL = uuid7(), Subject("api_key", uuid7(), "till-1")
ANNA = VerifiedStaff(uuid7(), "Anna", 3)


def token() -> str:
    return pins.start_session(staff=ANNA, merchant_id=MERCHANT, subject=TILL, at=NOON)[0]


@pytest.mark.parametrize("minutes", [0, 14.9])
def test_it_works_for_fifteen_minutes_rule_22(minutes: float) -> None:
    made, ends = pins.start_session(staff=ANNA, merchant_id=MERCHANT, subject=TILL, at=NOON)

    claims = pins.read_session(made, merchant_id=MERCHANT, subject=TILL, at=NOON + timedelta(minutes=minutes))

    assert claims == SessionClaims(ANNA.id, 3)
    assert ends == NOON + timedelta(minutes=15)


@pytest.mark.parametrize("minutes", [15, 16, 60 * 24, -10])
def test_ends_hard_rule_22(minutes: int) -> None:
    with pytest.raises(StaffSessionExpired) as caught:
        pins.read_session(token(), merchant_id=MERCHANT, subject=TILL, at=NOON + timedelta(minutes=minutes))

    assert (caught.value.code, caught.value.status) == ("staff_pin_required", 403)


@pytest.mark.parametrize(
    "subject",
    [Subject("api_key", TILL.id, "till-2"), Subject("api_key", uuid7(), "till-1"), Subject("terminal", TILL.id)],
)
def test_is_worth_nothing_elsewhere_rule_22(subject: Subject) -> None:
    with pytest.raises(StaffSessionExpired):
        pins.read_session(token(), merchant_id=MERCHANT, subject=subject, at=NOON)


def test_is_worth_nothing_at_another_merchant() -> None:
    with pytest.raises(StaffSessionExpired):
        pins.read_session(token(), merchant_id=uuid7(), subject=TILL, at=NOON)


@pytest.mark.parametrize("text", ["", "x", "a:b:c", "\x00", "é" * 2000, "W10:1:x"])
def test_refuses_what_we_did_not_sign(text: str) -> None:
    with pytest.raises(StaffSessionExpired):
        pins.read_session(text, merchant_id=MERCHANT, subject=TILL, at=NOON)
    with pytest.raises(StaffSessionExpired):
        pins.read_session(token()[:-1] + "!", merchant_id=MERCHANT, subject=TILL, at=NOON)


@pytest.mark.django_db
def test_dies_with_the_version_of_the_pin_rule_22() -> None:
    row = StaffPinFactory()
    changes = [
        lambda: pins.rotate(merchant_id=row.merchant_id, staff_id=row.pk, at=NOON).staff.version,
        lambda: pins.update(merchant_id=row.merchant_id, staff_id=row.pk, pin="904417", at=NOON).version,
        lambda: pins.revoke(merchant_id=row.merchant_id, staff_id=row.pk, at=NOON).version,
    ]

    versions = [row.version, *(change() for change in changes)]

    assert versions == [1, 2, 3, 4]


@pytest.mark.django_db
def test_outlives_a_new_name_rule_22() -> None:
    row = StaffPinFactory()

    assert pins.update(merchant_id=row.merchant_id, staff_id=row.pk, name="Anne", at=NOON).version == 1
