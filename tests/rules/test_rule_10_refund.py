"""Rule 10: a refund recomputes the sale with all that came back, at the rate of its day, and takes the difference."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from core.ids import uuid7
from tests.support.api import assert_problem
from tests.support.shop import Shop, done

Open = Callable[..., Shop]
MODES = ["carry", "per_purchase"]


def boutique(shop: Open, rate: str = "1/10", **rules: Any) -> Shop:
    return shop(**{"loyalty_type": "points", "points_per_euro": rate, **rules})


@pytest.mark.parametrize("rounding", MODES)
def test_four_small_refunds_take_back_the_whole_sale(shop: Open, rounding: str) -> None:
    mode = boutique(shop, rounding=rounding)
    marie = mode.joins()
    sale = mode.sells(marie, 2000)
    assert sale["points_earned"] == 2

    balances = []
    for _ in range(4):
        done(mode.refund(sale, 500))
        balances.append(marie.shows()["points_balance"])

    assert balances == [1, 1, 0, 0]
    assert sum(row["points_delta"] for row in marie.history() if row["type"] == "refund") == -2
    mode.adds_up()


@pytest.mark.parametrize("rounding", MODES)
def test_half_a_sale_of_last_month_comes_back_at_the_old_rate(shop: Open, rounding: str) -> None:
    mode = boutique(shop, "10", rounding=rounding)
    marie = mode.joins()
    mode.move_to(datetime(2026, 2, 10, 12, tzinfo=UTC))
    sale = mode.sells(marie, 4000)
    mode.later(days=28)
    mode.changes(points_per_euro="1")
    mode.sells(marie, 1000)

    answer = done(mode.refund(sale, 2000, by=mode.manager))

    assert marie.shows()["points_balance"] == 400 + 10 - 200
    refund = marie.history()[-1]
    assert (refund["type"], refund["points_delta"], refund["reverses"]) == ("refund", -200, sale["transaction_id"])
    assert refund["id"] == answer["transaction_id"]
    mode.adds_up()


@pytest.mark.parametrize("rounding", MODES)
def test_the_order_of_refunds_makes_no_difference(shop: Open, rounding: str) -> None:
    mode = boutique(shop, "1/7", rounding=rounding)
    ends = set()
    for order in itertools.permutations([(0, 1), (0, 333), (1, 999), (1, 1001)]):
        marie = mode.joins()
        sales = [mode.sells(marie, 1999), mode.sells(marie, 2501)]
        for which, cents in order:
            done(mode.refund(sales[which], cents))
            assert marie.shows()["points_balance"] >= 0
        ends.add(marie.shows()["points_balance"])
        done(mode.refund(sales[0], 1999 - 334))
        done(mode.refund(sales[1], 501))
        assert marie.shows()["points_balance"] == 0, "zero after the full refund"
    assert len(ends) == 1
    mode.adds_up()


def test_a_refund_in_carry_mode_is_counted_per_card(shop: Open) -> None:
    mode = boutique(shop, "1/50")
    marie = mode.joins()
    mode.sells(marie, 3000)
    sale = mode.sells(marie, 2000)
    assert sale["points_earned"] == 1

    done(mode.refund(sale, 1))

    assert (marie.shows()["points_balance"], marie.shows()["to_next_point_cents"]) == (0, 1)
    assert mode.sells(marie, 1)["points_earned"] == 1
    mode.adds_up()


def test_more_than_the_sale_and_an_unknown_sale_are_refused(shop: Open) -> None:
    mode = boutique(shop)
    marie = mode.joins()
    sale = mode.sells(marie, 2000)
    done(mode.refund(sale, 1500))
    rows = len(mode.ledger(marie))

    assert_problem(mode.refund(sale, 501), 409, "refund_exceeds_sale")
    assert_problem(mode.refund({"transaction_id": str(uuid7())}, 100), 404, "not_found")
    assert len(mode.ledger(marie)) == rows
    # What no sale explains is put right by hand, with a reason.
    assert_problem(mode.on_card("adjust", marie, points_delta=-1), 400, "validation_error", "reason")
    assert mode.on_card("adjust", marie, points_delta=1, reason="receipt of another till").status_code == 201
    mode.adds_up()


def test_another_merchants_sale_is_not_there_and_nothing_changes(shop: Open) -> None:
    here, there = boutique(shop), boutique(shop)
    marie = there.joins()
    sale = there.sells(marie, 2000)

    assert_problem(here.refund(sale, 500), 404, "not_found")
    assert marie.shows()["points_balance"] == 2
    there.adds_up()


@pytest.mark.parametrize("rounding", MODES)
def test_a_sale_that_falls_under_the_minimum_is_worth_nothing(shop: Open, rounding: str) -> None:
    mode = boutique(shop, "1", rounding=rounding, minimum_purchase_cents=2000)
    marie = mode.joins()
    sale = mode.sells(marie, 3000)

    done(mode.refund(sale, 1000))
    assert marie.shows()["points_balance"] == 20
    done(mode.refund(sale, 1))
    assert marie.shows()["points_balance"] == 0
    done(mode.refund(sale, 1999))

    assert marie.shows()["points_balance"] == 0
    mode.adds_up()


def test_the_full_refund_of_the_first_sale_takes_the_welcome_back(shop: Open) -> None:
    mode = boutique(shop, "1", welcome_bonus_points=50)
    marie = mode.joins()
    assert marie.shows()["points_balance"] == 0, "enrolling pays nothing"
    sale = mode.sells(marie, 1000)
    assert (sale["points_earned"], sale["welcome_bonus_points"], sale["points_balance"]) == (10, 50, 60)

    done(mode.refund(sale, 500))
    assert marie.shows()["points_balance"] == 55
    done(mode.refund(sale, 500))

    assert marie.shows()["points_balance"] == 0
    mode.adds_up()
