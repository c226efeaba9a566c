"""Rule 12: what a refund cannot take is written off or kept as a debt; no balance is negative, no reward vanishes."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.shop import Phone, Shop, done

Open = Callable[..., Shop]


def spent(shop: Open, **rules: Any) -> tuple[Shop, Phone, dict[str, Any]]:
    """A sale of 20 € at 1 point per euro, of which 15 points are spent."""
    boutique = shop(**{"loyalty_type": "points", "points_per_euro": "1", **rules})
    marie, voucher = boutique.joins(), boutique.reward(15)
    sale = boutique.sells(marie, 2000)
    boutique.hands_out(marie, voucher)
    assert marie.shows()["points_balance"] == 5
    return boutique, marie, sale


@pytest.mark.parametrize("rounding", ["carry", "per_purchase"])
def test_write_off_takes_what_is_there_and_counts_the_rest_as_taken_back(shop: Open, rounding: str) -> None:
    boutique, marie, sale = spent(shop, rounding=rounding)
    assert boutique.pos.get("program").json()["refund_shortfall"] == "write_off", "unless the program says otherwise"

    done(boutique.refund(sale, 2000))

    assert (marie.shows()["points_balance"], marie.shows()["points_debt"]) == (0, 0)
    next_sale = boutique.sells(marie, 1000)
    assert (next_sale["points_earned"], next_sale["points_balance"]) == (10, 10), "later grants are not reduced"
    boutique.adds_up()


@pytest.mark.parametrize("rounding", ["carry", "per_purchase"])
def test_settle_later_keeps_a_visible_debt_that_is_paid_first(shop: Open, rounding: str) -> None:
    boutique, marie, sale = spent(shop, refund_shortfall="settle_later", rounding=rounding)

    done(boutique.refund(sale, 2000))
    assert (marie.shows()["points_balance"], marie.shows()["points_debt"]) == (0, 15)

    first = boutique.sells(marie, 1000)
    assert (first["points_earned"], first["points_balance"]) == (10, 0)
    assert marie.shows()["points_debt"] == 5
    boutique.sells(marie, 1000)
    assert (marie.shows()["points_balance"], marie.shows()["points_debt"]) == (5, 0)
    boutique.adds_up()


def test_several_refunds_never_make_a_balance_negative(shop: Open) -> None:
    boutique, marie, sale = spent(shop)

    for cents in (700, 1, 1299):
        done(boutique.refund(sale, cents))
        assert marie.shows()["points_balance"] >= 0
        assert marie.shows()["points_debt"] == 0
    assert marie.shows()["points_balance"] == 0
    assert all(row["points_after"] >= 0 for row in boutique.ledger(marie))
    boutique.adds_up()


def test_a_refund_cancels_no_reward_that_was_issued(shop: Open) -> None:
    cafe = shop(loyalty_type="hybrid", points_per_euro="1", stamps_target=1)
    marie = cafe.joins()
    sale = cafe.sells(marie, 500)
    assert marie.shows()["rewards_available"] == 1

    done(cafe.refund(sale, 500))

    assert (marie.shows()["rewards_available"], marie.shows()["points_balance"]) == (1, 0)
    assert cafe.hands_out(marie)["stamps_redeemed"] == 1
    cafe.adds_up()


@pytest.mark.parametrize(("policy", "debt"), [("write_off", 0), ("settle_later", 15)])
def test_a_void_of_points_already_spent_follows_the_same_policy(shop: Open, policy: str, debt: int) -> None:
    boutique, marie, sale = spent(shop, refund_shortfall=policy)

    done(boutique.void(sale))

    assert (marie.shows()["points_balance"], marie.shows()["points_debt"]) == (0, debt)
    boutique.adds_up()
