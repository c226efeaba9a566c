"""Why a balance moved, in words (rules 9 and 12)."""

from typing import Any

import pytest
from django.utils import translation

from loyalty.enums import TransactionType
from loyalty.models import IssuedReward, Reward, Transaction
from loyalty.queries import explanations

CARRY = {"points_per_euro_num": 10, "points_per_euro_den": 1, "rounding": "carry", "minimum_purchase_cents": 0}
FIFTIETH = {"points_per_euro_num": 1, "points_per_euro_den": 50}
EURO = "\u00a0€"


def sale(cents: int, granted: int, **rules: Any) -> str:
    with translation.override("en"):
        return explanations.sale(cents=cents, currency="EUR", granted=granted, rules={**CARRY, **rules})


@pytest.mark.parametrize(
    ("cents", "granted", "rules", "text"),
    [
        (2340, 234, {}, f"23.40{EURO} × 10 = 234 points"),
        (10, 1, {}, f"0.10{EURO} × 10 = 1 point"),
        (0, 0, {}, f"0.00{EURO} × 10 = 0 points"),
        (2345, 234, {"rounding": "per_purchase"}, f"23.45{EURO} × 10 = 234.5, rounded down 234 points"),
        (3000, 0, FIFTIETH, f"30.00{EURO} × 1/50 = 0.6; fractions add up: 0 points"),
        (2000, 1, FIFTIETH, f"20.00{EURO} × 1/50 = 0.4; fractions add up: 1 point"),
        (1000, 1, {"points_per_euro_num": 1, "points_per_euro_den": 10}, f"10.00{EURO} × 0.1 = 1 point"),
        (499, 0, {"minimum_purchase_cents": 500}, f"4.99{EURO}: purchases under 5.00{EURO} earn no points"),
        (500, 50, {"minimum_purchase_cents": 500}, f"5.00{EURO} × 10 = 50 points"),
    ],
)  # fmt: skip
def test_rule_9_explains_a_sale(cents: int, granted: int, rules: dict[str, Any], text: str) -> None:
    assert sale(cents, granted, **rules) == text


def test_counts_a_currency_without_cents() -> None:
    with translation.override("en"):
        text = explanations.sale(cents=500, currency="JPY", granted=5000, rules=CARRY)

    assert text.endswith("× 10 = 5000 points")


def row(kind: str, **values: Any) -> Transaction:
    return Transaction(type=kind, currency="EUR", **values)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (row("card_enrolled"), "Card made"),
        (row("stamp_earned", stamps_delta=1), "1 stamp"),
        (row("stamp_earned", stamps_delta=3), "3 stamps"),
        (row("reward_issued", issued_reward=IssuedReward(name="Free coffee")), "The card is full. Ready: Free coffee"),
        (row("stamp_redeemed", issued_reward=IssuedReward(name="Free coffee")), "Enjoyed: Free coffee"),
        (row("points_redeemed", points_delta=-100, reward=Reward(name="Tote bag")), "100 points for: Tote bag"),
        (row("refund", purchase_amount_cents=-500, points_delta=-50), f"Refund of 5.00{EURO} takes back 50 points"),
        (row("refund", purchase_amount_cents=500, points_delta=0), f"Refund of 5.00{EURO}"),
        (row("welcome_bonus", points_delta=50, points_granted=50), "Welcome: 50 points"),
        (row("points_expired", points_delta=-7), "7 points expired"),
        (row("void", reverses=row("stamp_earned", stamps_delta=1)), "Undone: 1 stamp"),
        (row("void"), "Undone"),
    ],
)
def test_explains_every_kind(made: Transaction, text: str) -> None:
    with translation.override("en"):
        assert explanations.explain(made, CARRY, CARRY) == text


def test_rule_12_says_what_settled_a_debt() -> None:
    made = row("points_earned", purchase_amount_cents=1000, points_granted=100, points_delta=80, debt_delta=-20)

    with translation.override("en"):
        text = explanations.explain(made, CARRY)

    assert text == f"10.00{EURO} × 10 = 100 points; 20 points settle what was owed"


@pytest.mark.parametrize("kind", TransactionType.values)
def test_has_words_for_a_row_with_nothing_beside_it(kind: str) -> None:
    assert explanations.explain(row(kind, purchase_amount_cents=1), {})
