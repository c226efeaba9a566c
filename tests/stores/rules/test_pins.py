"""Rules of PINs without a database: form, triviality, locks that double (rules 21, 22)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.utils import translation

from stores.rules import pins
from stores.rules.pins import Strikes

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "pin",
    ["0000", "1111", "99999999", "1234", "2345", "0123", "7890", "8901", "4321", "9876", "3210", "1212", "6767",
     "123123", "45454545", "2580", "112233", "147258", "87654321"],
)  # fmt: skip
def test_refuses_what_everybody_tries_first_rule_22(pin: str) -> None:
    assert pins.is_trivial(pin)


@pytest.mark.parametrize("pin", ["4821", "7359", "1357", "9081", "482193", "20461837", "1245"])
def test_takes_other_pins_rule_22(pin: str) -> None:
    assert not pins.is_trivial(pin)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1234", True), ("12345678", True), ("123", False), ("123456789", False), ("12a4", False), ("", False),
     (" 1234", False), ("1234\n", False), ("١٢٣٤", False)],
)  # fmt: skip
def test_is_pin_takes_4_to_8_digits_rule_22(text: str, expected: bool) -> None:
    assert pins.is_pin(text) is expected


def test_generate_offers_six_digits_rule_22() -> None:
    made = [pins.generate() for _ in range(300)]

    assert all(len(pin) == 6 and pins.is_pin(pin) and not pins.is_trivial(pin) for pin in made)
    assert len(set(made)) > 290


def test_a_persons_lock_comes_at_the_limit_and_ends_with_a_fresh_start_rule_21() -> None:
    strikes = Strikes()
    for count in range(1, 5):
        strikes = pins.after_wrong_pin(strikes, at=NOON, limit=5, minutes=30)
        assert (strikes.failed, strikes.locked_until) == (count, None)

    strikes = pins.after_wrong_pin(strikes, at=NOON, limit=5, minutes=30)

    assert strikes.locked_until == NOON + timedelta(minutes=30)
    assert strikes.is_locked(NOON + timedelta(minutes=29, seconds=59))
    assert not strikes.is_locked(NOON + timedelta(minutes=30))
    later = pins.after_wrong_pin(strikes, at=NOON + timedelta(minutes=30), limit=5, minutes=30)
    assert (later.failed, later.locked_until) == (1, None)


def test_a_senders_locks_double_up_to_a_day_rule_21() -> None:
    strikes, at, lengths = Strikes(), NOON, []
    for _ in range(8):
        for _ in range(5):
            strikes = pins.after_nobodys_pin(strikes, at=at, limit=5, minutes=30)
        assert strikes.locked_until is not None
        lengths.append((strikes.locked_until - at) / timedelta(minutes=30))
        at = strikes.locked_until

    assert lengths == [1, 2, 4, 8, 16, 32, 48, 48]


def test_tries_of_a_day_stay_within_a_thousandth_promise_13() -> None:
    """A day of PINs alone at one terminal with 20 staff, six digits: guesses that match ÷ space ≤ 0.1 %."""
    strikes, at, tries = Strikes(), NOON, 0
    while at < NOON + timedelta(days=1):
        strikes = pins.after_nobodys_pin(strikes, at=at, limit=5, minutes=30)
        tries += 1
        at = strikes.locked_until or at

    assert tries * 20 / 10**6 <= 0.001


def test_the_budget_of_a_day_holds_for_named_staff_promise_13() -> None:
    """With names there are five tries per person and half hour: the sender's budget bounds them, however many staff."""
    assert pins.DAY_BUDGET * 5 / 10**6 <= 0.001


def test_subject_cuts_what_a_client_says_of_its_till() -> None:
    subject = pins.Subject("api_key", UUID(int=1), "till\x00" + "x" * 100)

    assert len(subject.device) == 64
    assert "\x00" not in subject.device


def test_messages_follow_the_active_language_and_count() -> None:
    one, three = pins.StaffPinInvalid(attempts_remaining=1), pins.StaffPinInvalid(attempts_remaining=3)
    locked = pins.StaffPinLocked(locked_until=NOON, at=NOON - timedelta(minutes=5), zone="Europe/Luxembourg")

    with translation.override("en"):
        assert one.detail == "Wrong PIN. 1 try left."
        assert three.detail == "Wrong PIN. 3 tries left."
        assert locked.detail == "Too many wrong PINs. Try again at 13:00."
    assert locked.retry_after == 301
    assert locked.facts == {"locked_until": NOON}
