"""Rule 14: between two stamps of a card passes the cooldown, in real time; exactly as much is enough."""

from collections.abc import Callable
from datetime import UTC, datetime

from tests.support.api import assert_problem
from tests.support.shop import Shop, done

Open = Callable[..., Shop]


def test_exactly_the_limit_is_allowed(shop: Open) -> None:
    cafe = shop(cooldown_minutes=15)
    marie = cafe.joins()
    given = cafe.stamps(marie)
    assert given["next_stamp_available_at"].startswith("2026-03-10T12:15:00")

    cafe.later(minutes=14, seconds=59)
    refused = assert_problem(cafe.asks("stamp", marie), 409, "cooldown_active")
    assert refused["next_stamp_available_at"] == given["next_stamp_available_at"]
    cafe.later(seconds=1)

    assert cafe.stamps(marie)["stamp_count"] == 2
    cafe.adds_up()


def test_a_voided_stamp_starts_no_cooldown(shop: Open) -> None:
    cafe = shop(cooldown_minutes=15)
    marie = cafe.joins()
    cafe.stamps(marie)
    cafe.later(minutes=20)
    slip = cafe.stamps(marie)

    done(cafe.void(slip))

    assert cafe.stamps(marie)["stamp_count"] == 2
    cafe.adds_up()


def test_a_refused_stamp_does_not_begin_it_anew(shop: Open) -> None:
    cafe = shop(cooldown_minutes=15)
    marie = cafe.joins()
    cafe.stamps(marie)
    cafe.later(minutes=10)
    assert_problem(cafe.asks("stamp", marie), 409, "cooldown_active")
    cafe.later(minutes=5)

    assert cafe.stamps(marie)["stamp_count"] == 2


def test_the_hour_that_a_clock_is_turned_back_is_real_time(shop: Open) -> None:
    cafe = shop(cooldown_minutes=60)
    marie = cafe.joins()
    # 02:30 summer time, half an hour before the clocks in Luxembourg go back.
    cafe.move_to(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    cafe.stamps(marie)

    cafe.move_to(datetime(2026, 10, 25, 1, 29, 59, tzinfo=UTC))
    assert_problem(cafe.asks("stamp", marie), 409, "cooldown_active")
    cafe.later(seconds=1)

    assert cafe.stamps(marie)["stamp_count"] == 2


def test_it_is_the_cards_own_in_every_store_and_nobody_elses(shop: Open) -> None:
    cafe = shop(cooldown_minutes=15)
    other = cafe.opens_store()
    marie, nora = cafe.joins(), cafe.joins()
    cafe.stamps(marie)

    assert_problem(cafe.asks("stamp", marie, X_Store_Code=other), 409, "cooldown_active")
    assert cafe.stamps(nora)["stamp_count"] == 1
    can = done(cafe.asks("cards/lookup", marie), 200)["can"]["stamp"]
    assert (can["allowed"], can["code"], can["at"][:19]) == (False, "cooldown_active", "2026-03-10T12:15:00")


def test_points_neither_start_nor_meet_it(shop: Open) -> None:
    cafe = shop(loyalty_type="hybrid", points_per_euro="1", cooldown_minutes=15)
    marie = cafe.joins()
    cafe.stamps(marie)

    sale = cafe.sells(marie, 1000)

    assert sale["points_earned"] == 10
    assert (sale["stamp"]["given"], sale["stamp"]["code"]) == (False, "cooldown_active")
    assert sale["stamp"]["at"].startswith("2026-03-10T12:15:00")
    cafe.later(minutes=15)
    assert cafe.stamps(marie)["stamp_count"] == 2
    cafe.adds_up()
