"""Rule 11: void undoes a slip, refund follows the money, adjust needs a manager and a reason; all are new rows."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.support.api import assert_problem
from tests.support.shop import Shop, done

Open = Callable[..., Shop]


def test_a_void_restores_cooldown_and_daily_count(shop: Open) -> None:
    cafe = shop(cooldown_minutes=60, max_daily_stamps=1)
    marie = cafe.joins()
    slip = cafe.stamps(marie)
    assert slip["void_until"].startswith("2026-03-10T12:10:00")
    cafe.later(minutes=10)

    voided = done(cafe.void(slip))

    assert (voided["stamp_count"], marie.shows()["stamp_count"]) == (0, 0)
    again = cafe.stamps(marie)
    assert (again["stamps_today"], again["stamps_remaining_today"]) == (1, 0)
    cafe.adds_up()


def test_a_till_voids_its_own_rows_for_ten_minutes(shop: Open) -> None:
    cafe = shop()
    marie, mine, other = cafe.joins(), cafe.till("earn"), cafe.till("earn")
    slip, late = cafe.stamps(marie, by=mine), cafe.stamps(marie, by=mine)

    assert_problem(cafe.void(slip, by=other), 403, "permission_denied")
    cafe.later(minutes=10)
    assert cafe.void(slip, by=mine).status_code == 201
    cafe.later(seconds=1)
    assert_problem(cafe.void(late, by=mine), 409, "void_window_closed")
    assert marie.shows()["stamp_count"] == 1
    cafe.adds_up()


def test_a_manager_voids_through_the_same_business_day(shop: Open) -> None:
    cafe = shop()
    marie = cafe.joins()
    cafe.move_to(datetime(2026, 3, 10, 8, 0, tzinfo=UTC))
    first, second = cafe.stamps(marie), cafe.stamps(marie)

    cafe.move_to(datetime(2026, 3, 10, 22, 59, 59, tzinfo=UTC))
    assert cafe.void(first, by=cafe.manager).status_code == 201
    cafe.later(seconds=1)
    assert_problem(cafe.void(second, by=cafe.manager), 409, "void_window_closed")
    cafe.adds_up()


def test_a_void_is_made_once(shop: Open) -> None:
    cafe = shop()
    marie = cafe.joins()
    slip = cafe.stamps(marie, 2)
    done(cafe.void(slip))

    assert_problem(cafe.void(slip), 409, "already_voided")
    assert marie.shows()["stamp_count"] == 0
    cafe.adds_up()


def test_a_refund_does_not_reopen_the_cooldown(shop: Open) -> None:
    cafe = shop(loyalty_type="hybrid", points_per_euro="1", cooldown_minutes=60)
    marie = cafe.joins()
    sale = cafe.sells(marie, 1000)
    assert sale["stamp"]["given"] is True

    done(cafe.refund(sale, 1000))

    assert_problem(cafe.asks("stamp", marie), 409, "cooldown_active")
    assert marie.shows()["points_balance"] == 0
    cafe.adds_up()


def test_an_adjustment_needs_the_role_and_a_reason(shop: Open) -> None:
    cafe = shop(loyalty_type="hybrid", points_per_euro="1")
    marie = cafe.joins()
    change: dict[str, Any] = {"stamps_delta": 2, "points_delta": 30}

    assert_problem(cafe.on_card("adjust", marie, by=cafe.till("earn", "redeem"), reason="x", **change), 403,
                   "permission_denied")  # fmt: skip
    reasons: list[dict[str, Any]] = [{}, {"reason": ""}, {"reason": "  "}]
    for reason in reasons:
        assert_problem(cafe.on_card("adjust", marie, **change, **reason), 400, "validation_error", "reason")
    assert (marie.shows()["stamp_count"], marie.shows()["points_balance"]) == (0, 0)
    assert cafe.on_card("adjust", marie, by=cafe.manager, reason="old paper card", **change).status_code == 201
    assert (marie.shows()["stamp_count"], marie.shows()["points_balance"]) == (2, 30)
    cafe.adds_up()


def test_every_correction_is_a_new_row_and_no_old_one_changes(shop: Open) -> None:
    cafe = shop(loyalty_type="hybrid", points_per_euro="1")
    marie = cafe.joins()
    sale, slip = cafe.sells(marie, 2000), cafe.stamps(marie)
    before = cafe.ledger(marie)

    done(cafe.void(slip))
    done(cafe.refund(sale, 500))
    done(cafe.on_card("adjust", marie, points_delta=5, reason="kindness"))

    after = cafe.ledger(marie)
    kept = [{**row, "reversed_by": None} for row in after[: len(before)]]
    assert kept == [{**row, "reversed_by": None} for row in before], "only who reversed them is told besides"
    added = after[len(before) :]
    assert [row["type"] for row in added] == ["void", "refund", "adjustment"]
    assert [row["reverses"] for row in added] == [slip["transaction_id"], sale["transaction_id"], None]
    cafe.adds_up()


def test_the_business_day_of_a_bar_ends_at_four(shop: Open) -> None:
    bar = shop(day_start="04:00")
    marie = bar.joins()
    bar.move_to(datetime(2026, 3, 10, 20, 0, tzinfo=UTC))
    first, second = bar.stamps(marie), bar.stamps(marie)

    bar.move_to(datetime(2026, 3, 11, 2, 59, 59, tzinfo=UTC))
    assert bar.void(first, by=bar.manager).status_code == 201
    bar.later(seconds=1)
    assert_problem(bar.void(second, by=bar.manager), 409, "void_window_closed")
    bar.adds_up()


def test_a_void_of_a_sale_takes_its_stamp_back_too(shop: Open) -> None:
    cafe = shop(loyalty_type="hybrid", points_per_euro="1", cooldown_minutes=60, max_daily_stamps=1)
    marie = cafe.joins()
    done(cafe.void(cafe.sells(marie, 1000)))
    assert (marie.shows()["stamp_count"], marie.shows()["points_balance"]) == (0, 0)

    again = cafe.sells(marie, 1000)

    assert (again["points_earned"], again["stamp"]["given"]) == (10, True)
    cafe.adds_up()
