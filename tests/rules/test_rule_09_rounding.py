"""Rule 9: points are whole numbers, no cent is lost on the way to the next one, and the way to it is shown."""

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from tests.support.shop import Shop

Open = Callable[..., Shop]


def points(rate: Any, **rules: Any) -> dict[str, Any]:
    return {"loyalty_type": "points", "points_per_euro": rate, **rules}


def test_thirty_and_twenty_euros_are_the_point_of_fifty(shop: Open) -> None:
    boutique = shop(**points("1/50"))
    marie = boutique.joins()

    first, second = boutique.sells(marie, 3000), boutique.sells(marie, 2000)

    assert (first["points_earned"], first["to_next_point_cents"]) == (0, 2000)
    assert (second["points_earned"], second["points_balance"], second["to_next_point_cents"]) == (1, 1, 5000)
    boutique.adds_up()


def test_what_is_carried_is_shown_to_the_customer(shop: Open) -> None:
    boutique = shop(**points("1/10"))
    marie = boutique.joins(language="en")

    answer = boutique.sells(marie, 4840)

    assert (answer["points_earned"], answer["to_next_point_cents"]) == (4, 160)
    assert marie.shows()["to_next_point_cents"] == 160
    assert "1.60" in marie.page(f"/loyalty/{boutique.code}/dashboard")
    assert boutique.sells(marie, 160)["points_balance"] == 5
    boutique.adds_up()


def test_per_purchase_floors_each_sale(shop: Open) -> None:
    boutique = shop(**points("1/50", rounding="per_purchase"))
    marie = boutique.joins()

    assert [boutique.sells(marie, cents)["points_earned"] for cents in (3000, 2000, 9999, 10000)] == [0, 0, 1, 2]
    boutique.adds_up()


@pytest.mark.parametrize("rate", ["1/50", "1/3", 0.1, "0.29", "7/3", "10"])
def test_points_granted_are_always_the_floor_of_the_sum(shop: Open, rate: Any) -> None:
    boutique = shop(**points(rate))
    marie = boutique.joins()
    share, chance = Fraction(str(rate)), random.Random(9)
    micro, granted = 0, 0

    for _ in range(25):
        cents = chance.choice([1, 10, 29, 30, 99, 333, 1999, chance.randrange(1, 20_000)])
        micro += cents * share.numerator * 1_000_000 // (100 * share.denominator)
        granted += boutique.sells(marie, cents)["points_earned"]
        assert granted == micro // 1_000_000
    assert marie.shows()["points_balance"] == granted
    boutique.adds_up()


def test_a_rate_is_read_as_it_is_written_and_never_as_a_float(shop: Open) -> None:
    boutique = shop(**points(0.1))
    marie = boutique.joins()

    assert boutique.pos.get("program").json()["points_per_euro"] == "1/10"
    assert [boutique.sells(marie, 100)["points_earned"] for _ in range(10)] == [0] * 9 + [1]
    biggest = boutique.sells(marie, 10**8)
    assert biggest["points_earned"] == 100_000
    boutique.adds_up()


def test_the_carried_part_survives_a_change_of_the_rate_and_a_redemption(shop: Open) -> None:
    boutique = shop(**points("1/50"))
    marie, voucher = boutique.joins(), boutique.reward(1)
    boutique.sells(marie, 8000)
    boutique.hands_out(marie, voucher)
    boutique.changes(points_per_euro="1/10")

    # 30 € at 1/50 are 0.6 points; 4 € at 1/10 are 0.4.
    assert boutique.sells(marie, 400)["points_earned"] == 1
    boutique.adds_up()


def test_a_sale_under_the_minimum_is_accepted_and_says_why_it_gives_nothing(shop: Open) -> None:
    boutique = shop(**points("1", minimum_purchase_cents=1000))
    marie = boutique.joins()

    answer = boutique.sells(marie, 999)

    assert (answer["points_earned"], answer["points_balance"]) == (0, 0)
    assert "10.00" in answer["explanation"]
    assert boutique.sells(marie, 1000)["points_earned"] == 10
    boutique.adds_up()
