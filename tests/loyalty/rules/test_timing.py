"""Business days and cooldowns, clock changes included (rules 14 and 15)."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from loyalty.rules import timing

LUXEMBOURG = "Europe/Luxembourg"
MIDNIGHT, FOUR = time(0, 0), time(4, 0)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "start", "expected"),
    [
        ("2026-01-15T22:59:59", MIDNIGHT, date(2026, 1, 15)),
        ("2026-01-15T23:00:00", MIDNIGHT, date(2026, 1, 16)),
        ("2026-07-15T21:59:59", MIDNIGHT, date(2026, 7, 15)),
        ("2026-07-15T22:00:00", MIDNIGHT, date(2026, 7, 16)),
        ("2026-01-16T02:59:59", FOUR, date(2026, 1, 15)),
        ("2026-01-16T03:00:00", FOUR, date(2026, 1, 16)),
        # The clock goes forward on 29 March at 2:00, back on 25 October at 3:00.
        ("2026-03-29T01:59:59", FOUR, date(2026, 3, 28)),
        ("2026-03-29T02:00:00", FOUR, date(2026, 3, 29)),
        ("2026-10-25T02:59:59", FOUR, date(2026, 10, 24)),
        ("2026-10-25T03:00:00", FOUR, date(2026, 10, 25)),
    ],
)
def test_rule_15_business_date_is_local_and_turns_at_the_day_start(instant: str, start: time, expected: date) -> None:
    assert timing.business_date(utc(instant), LUXEMBOURG, start) == expected


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_rule_15_a_day_of_a_clock_change_is_one_day(day: str, hours: int) -> None:
    first = timing.day_ends(utc(f"{day}T12:00:00") - timedelta(days=1), LUXEMBOURG, MIDNIGHT)
    last = timing.day_ends(utc(f"{day}T12:00:00"), LUXEMBOURG, MIDNIGHT)

    assert last - first == timedelta(hours=hours)
    minutes = range(0, hours * 60, 7)
    dates = {timing.business_date(first + timedelta(minutes=minute), LUXEMBOURG, MIDNIGHT) for minute in minutes}
    assert dates == {date.fromisoformat(day)}


def test_rule_14_cooldown_is_elapsed_real_time_across_a_clock_change() -> None:
    stamped = utc("2026-03-29T00:50:00")

    assert timing.cooldown_ends(stamped, 30) == utc("2026-03-29T01:20:00")
    assert timing.cooldown_ends(None, 30) is None
    assert timing.cooldown_ends(stamped, 0) is None
