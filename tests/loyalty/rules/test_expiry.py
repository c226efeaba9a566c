"""Rule 13, dates alone: the last day, the instant at which it ends, which warning fits."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.rules import expiry

LUXEMBOURG, NEW_YORK, AUCKLAND = "Europe/Luxembourg", "America/New_York", "Pacific/Auckland"
ZONES = (LUXEMBOURG, NEW_YORK, AUCKLAND, "Africa/Cairo", "Asia/Kathmandu", "Pacific/Apia", "UTC")
DAY = date(2026, 3, 10)
days = st.dates(date(2020, 1, 1), date(2060, 12, 31))


def program(**rules: Any) -> Any:
    return SimpleNamespace(
        **{"points_expiration_days": 100, "expiry_not_before": None, "status": "active", "has_points": True, **rules}
    )


def test_the_last_day_is_that_many_days_after_the_last_visit() -> None:
    assert expiry.last_day(DAY, program(points_expiration_days=365)) == date(2027, 3, 10)
    assert expiry.last_day(date(2028, 2, 29), program(points_expiration_days=365)) == date(2029, 2, 28)


def test_nothing_expires_before_everybody_was_warned() -> None:
    assert expiry.last_day(DAY, program(expiry_not_before=date(2026, 9, 1))) == date(2026, 9, 1)
    assert expiry.last_day(DAY, program(expiry_not_before=date(2026, 4, 1))) == DAY + timedelta(days=100)


@pytest.mark.parametrize(
    "rules",
    [{"points_expiration_days": 0}, {"status": "draft"}, {"status": "paused"}, {"status": "ended"},
     {"has_points": False}],
)  # fmt: skip
def test_points_expire_in_a_running_program_only(rules: dict[str, Any]) -> None:
    assert expiry.last_day(DAY, program(**rules)) is None


@pytest.mark.parametrize(
    ("day", "zone", "ends"),
    [
        (date(2026, 3, 10), LUXEMBOURG, datetime(2026, 3, 10, 23, tzinfo=UTC)),
        # 23 hours: the clock went forward in the night before.
        (date(2026, 3, 29), LUXEMBOURG, datetime(2026, 3, 29, 22, tzinfo=UTC)),
        # 25 hours.
        (date(2026, 10, 25), LUXEMBOURG, datetime(2026, 10, 25, 23, tzinfo=UTC)),
        (date(2026, 3, 8), NEW_YORK, datetime(2026, 3, 9, 4, tzinfo=UTC)),
        (date(2026, 4, 5), AUCKLAND, datetime(2026, 4, 5, 12, tzinfo=UTC)),
        # Midnight itself does not exist: the day is over when the clock jumps.
        (date(2026, 4, 23), "Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ],
)
def test_a_day_ends_by_the_clock_on_the_wall(day: date, zone: str, ends: datetime) -> None:
    assert expiry.end_of(day, zone) == ends


@given(days, st.sampled_from(ZONES))
def test_the_end_of_a_day_is_the_first_instant_of_the_next(day: date, zone: str) -> None:
    ends = expiry.end_of(day, zone)

    assert expiry.local_date(ends, zone) == day + timedelta(days=1)
    assert expiry.local_date(ends - timedelta(seconds=1), zone) == day
    assert ends.astimezone(ZoneInfo(zone)).date() == day + timedelta(days=1)


@given(days, st.integers(1, 3650), st.one_of(st.none(), days), st.integers(-40, 40))
def test_points_are_valid_up_to_the_last_day_and_not_after(
    visit: date, silence: int, floor: date | None, offset: int
) -> None:
    rules = program(points_expiration_days=silence, expiry_not_before=floor)
    last = expiry.last_day(visit, rules)
    assert last is not None
    card: Any = SimpleNamespace(last_activity_on=visit, points_balance=5)
    today = last + timedelta(days=offset)

    assert (expiry.expired_on(card, rules, today) is not None) == (offset > 0)
    assert last >= visit + timedelta(days=silence)
    assert floor is None or last >= floor


@given(days, st.integers(31, 3650))
def test_each_warning_comes_once_and_in_its_order(visit: date, silence: int) -> None:
    rules = program(points_expiration_days=silence)
    last = expiry.last_day(visit, rules)
    assert last is not None

    seen = [expiry.warning(last, last - timedelta(days=left), rules) for left in range(40, -3, -1)]

    assert seen == [None] * 9 + [None] + [30] * 23 + [7] * 8 + [None] * 2


@pytest.mark.parametrize(
    ("silence", "left", "fits"),
    [(365, 31, None), (365, 30, 30), (365, 8, 30), (365, 7, 7), (365, 0, 7), (365, -1, None), (30, 30, None),
     (30, 8, None), (30, 7, 7), (7, 7, None)],
)  # fmt: skip
def test_a_warning_that_would_follow_each_visit_is_none(silence: int, left: int, fits: int | None) -> None:
    assert expiry.warning(DAY + timedelta(days=left), DAY, program(points_expiration_days=silence)) == fits


@pytest.mark.parametrize(
    ("old", "new", "sooner"), [(0, 365, True), (365, 100, True), (100, 365, False), (100, 0, False), (100, 100, False)]
)
def test_what_lets_points_expire_sooner(old: int, new: int, sooner: bool) -> None:
    assert expiry.comes_sooner(old, new) is sooner


@given(days, st.integers(0, 3650), days)
def test_points_that_came_by_other_means_live_for_the_notice(visit: date, silence: int, today: date) -> None:
    rules = program(points_expiration_days=silence)
    counted_from = expiry.with_notice(visit, rules, today)
    last = expiry.last_day(counted_from, rules)

    assert counted_from >= visit
    assert last is None or last >= today + expiry.NOTICE
