"""Rule 15: a card gets so many stamps per business day, in all stores together; a day may have 23 or 25 hours."""

from collections.abc import Callable
from datetime import UTC, datetime

from tests.support.api import assert_problem
from tests.support.shop import Shop

Open = Callable[..., Shop]


def test_counts_per_card_over_all_stores(shop: Open) -> None:
    cafe = shop(max_daily_stamps=3)
    other = cafe.opens_store()
    marie, nora = cafe.joins(), cafe.joins()
    cafe.stamps(marie, 2)
    last = cafe.stamps(marie, X_Store_Code=other)
    assert (last["stamps_today"], last["stamps_remaining_today"]) == (3, 0)

    for store in (cafe.code, other):
        refused = assert_problem(cafe.asks("stamp", marie, X_Store_Code=store), 409, "daily_limit_reached")
        assert refused["resets_at"].startswith("2026-03-10T23:00:00")

    assert cafe.stamps(nora)["stamps_today"] == 1
    cafe.adds_up()


def test_more_than_the_day_leaves_gives_nothing(shop: Open) -> None:
    cafe = shop(max_daily_stamps=3)
    marie = cafe.joins()
    cafe.stamps(marie, 2)

    assert_problem(cafe.asks("stamp", marie, quantity=2), 409, "daily_limit_reached")

    assert marie.shows()["stamp_count"] == 2
    cafe.adds_up()


def test_the_day_is_the_local_one_not_that_of_utc(shop: Open) -> None:
    cafe = shop(max_daily_stamps=1)
    marie = cafe.joins()
    # 23:30 in Luxembourg, then 00:30 of the next day: one and the same day in UTC.
    cafe.move_to(datetime(2026, 3, 10, 22, 30, tzinfo=UTC))
    cafe.stamps(marie)
    cafe.move_to(datetime(2026, 3, 10, 23, 30, tzinfo=UTC))
    cafe.stamps(marie)

    # One o'clock in UTC is another day there, but not here.
    cafe.move_to(datetime(2026, 3, 11, 1, 0, tzinfo=UTC))
    assert_problem(cafe.asks("stamp", marie), 409, "daily_limit_reached")
    cafe.adds_up()


def test_a_bar_may_begin_its_day_at_four(shop: Open) -> None:
    bar = shop(max_daily_stamps=1, day_start="04:00")
    marie = bar.joins()
    bar.move_to(datetime(2026, 3, 10, 21, 0, tzinfo=UTC))
    bar.stamps(marie)

    bar.move_to(datetime(2026, 3, 11, 2, 59, 59, tzinfo=UTC))
    refused = assert_problem(bar.asks("stamp", marie), 409, "daily_limit_reached")
    assert refused["resets_at"].startswith("2026-03-11T03:00:00")
    bar.later(seconds=1)

    assert bar.stamps(marie)["stamps_today"] == 1
    bar.adds_up()


def test_a_day_of_23_hours_has_one_limit(shop: Open) -> None:
    cafe = shop(max_daily_stamps=1)
    marie = cafe.joins()
    # 29 March 2026 begins at 23:00 UTC and ends at 22:00 UTC.
    cafe.move_to(datetime(2026, 3, 28, 23, 0, tzinfo=UTC))
    cafe.stamps(marie)

    cafe.move_to(datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC))
    refused = assert_problem(cafe.asks("stamp", marie), 409, "daily_limit_reached")
    assert refused["resets_at"].startswith("2026-03-29T22:00:00")
    cafe.later(seconds=1)

    assert cafe.stamps(marie)["stamp_count"] == 2
    cafe.adds_up()


def test_a_day_of_25_hours_has_one_limit(shop: Open) -> None:
    cafe = shop(max_daily_stamps=1)
    marie = cafe.joins()
    # 25 October 2026 begins at 22:00 UTC and ends at 23:00 UTC.
    cafe.move_to(datetime(2026, 10, 24, 22, 0, tzinfo=UTC))
    cafe.stamps(marie)

    cafe.move_to(datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC))
    refused = assert_problem(cafe.asks("stamp", marie), 409, "daily_limit_reached")
    assert refused["resets_at"].startswith("2026-10-25T23:00:00")
    cafe.later(seconds=1)

    assert cafe.stamps(marie)["stamp_count"] == 2
    cafe.adds_up()
