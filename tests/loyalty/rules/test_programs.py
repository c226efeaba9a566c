"""Rates, the life of a program, and from when on a change counts (rules 4 and 9)."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from loyalty.rules import programs


@pytest.mark.parametrize(
    ("value", "rate", "shown"),
    [
        (10, Fraction(10), "10"),
        (Decimal("0.1"), Fraction(1, 10), "1/10"),
        (Decimal("0.10"), Fraction(1, 10), "1/10"),
        (0.1, Fraction(1, 10), "1/10"),
        ("0.1", Fraction(1, 10), "1/10"),
        (".5", Fraction(1, 2), "1/2"),
        ("1/50", Fraction(1, 50), "1/50"),
        (" 2 / 100 ", Fraction(1, 50), "1/50"),
        ("10.000", Fraction(10), "10"),
        (Decimal("1E+2"), Fraction(100), "100"),
        (Decimal("2e-2"), Fraction(1, 50), "1/50"),
        (1000, Fraction(1000), "1000"),
        (Fraction(3, 7), Fraction(3, 7), "3/7"),
    ],
)
def test_rate_is_read_exactly_and_shown_in_lowest_terms(value: Any, rate: Fraction, shown: str) -> None:
    read = programs.parse_rate(value)

    assert read == rate
    assert programs.show_rate(read.numerator, read.denominator) == shown


@pytest.mark.parametrize(
    "value",
    [
        0, -1, 1001, True, None, [], {}, "", "a", "0", "-1", "1/0", "1/-5", "0/5", "1,5", "1/2/3", "١", "1e3", "0x10",
        "nan", "inf", float("nan"), float("inf"), Decimal("NaN"), Decimal("1e999999"), Decimal("1e-999999"), 2**64,
        "9" * 50, "1/1000001", "0.0000001", b"1", "1 0",
    ],
)  # fmt: skip
def test_rate_that_cannot_be_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        programs.parse_rate(value)


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("draft", "active", True),
        ("active", "paused", True),
        ("paused", "active", True),
        ("paused", "ended", True),
        ("draft", "paused", False),
        ("draft", "ended", False),
        ("active", "draft", False),
        ("active", "ended", False),
        ("paused", "draft", False),
        ("ended", "active", False),
        ("ended", "paused", False),
        ("ended", "draft", False),
    ],
)
def test_rule_4_life_of_a_program(old: str, new: str, allowed: bool) -> None:
    assert programs.may_become(old, new) is allowed


def test_limits_count_now_targets_for_new_cycles_and_rates_for_new_sales() -> None:
    assert programs.applies_to("cooldown_minutes") == programs.applies_to("max_daily_stamps") == "now"
    assert programs.applies_to("stamps_target") == programs.applies_to("stamps_reward_description") == "new_cycles"
    assert programs.applies_to("points_per_euro") == programs.applies_to("rounding") == "new_sales"
