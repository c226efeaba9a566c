"""Rules of points: exact worth, rounding, refunds, debt (rules 9, 10, 12). Integers only.

A sale is worth `cents * num * 1_000_000 // (100 * den)` millionths of a point (10^exponent instead of 100 for other
currencies). In `carry` mode the rule is per card: after any sale or refund the points granted so far equal
Σ worth // 1_000_000. In `per_purchase` mode it is per sale.
"""

from dataclasses import dataclass

from loyalty.rules.states import CardState, ProgramRules

MICRO = 1_000_000
MAX_POINTS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Change:
    """What a sale or its reversal does to a card. granted: points earned (or taken back), before debts."""

    granted: int
    points_delta: int
    debt_delta: int
    micro_delta: int
    granted_delta: int
    below_minimum: bool = False


@dataclass(frozen=True, slots=True)
class Sale:
    """A recorded sale as earlier refunds left it: its amount, its exact worth, and what it still holds of its grant."""

    net_cents: int
    net_micro: int
    net_granted: int


def worth(cents: int, rules: ProgramRules, exponent: int = 2) -> int:
    """Return the exact worth of a sale in millionths of a point; 0 below the minimum purchase."""
    if cents < rules.minimum_purchase_cents:
        return 0
    return cents * rules.points_per_euro_num * MICRO // (10**exponent * rules.points_per_euro_den)


def earn(card: CardState, rules: ProgramRules, cents: int, exponent: int = 2) -> Change:
    """Decide what a sale grants; a debt is paid first."""
    micro = worth(cents, rules, exponent)
    carried = rules.rounding == "carry"
    granted = (card.points_micro + micro) // MICRO - card.points_granted if carried else micro // MICRO
    paid = min(card.points_debt, granted)
    return Change(
        granted=granted,
        points_delta=granted - paid,
        debt_delta=-paid,
        micro_delta=micro if carried else 0,
        granted_delta=granted if carried else 0,
        below_minimum=cents < rules.minimum_purchase_cents,
    )


def take_back(
    card: CardState,
    rules: ProgramRules,
    sale: Sale,
    net_cents: int,
    *,
    policy: str,
    exponent: int = 2,
    debt_paid: int = 0,
) -> Change:
    """Decide what is taken back when a sale shrinks to `net_cents`.

    rules: the version of the day of sale. policy: refund_shortfall as it stands today. debt_paid: points of the sale
    that had paid a debt and are owed again (voids restore everything). Never depends on the order of refunds.
    """
    micro = worth(net_cents, rules, exponent) if net_cents else 0
    if rules.rounding == "carry":
        micro_delta = micro - sale.net_micro
        delta = (card.points_micro + micro_delta) // MICRO - card.points_granted
        granted_delta = delta
    else:
        micro_delta = granted_delta = 0
        delta = micro // MICRO - sale.net_granted
    return settle(card, delta, policy=policy, micro_delta=micro_delta, granted_delta=granted_delta, debt_paid=debt_paid)


def settle(
    card: CardState, delta: int, *, policy: str, micro_delta: int = 0, granted_delta: int = 0, debt_paid: int = 0
) -> Change:  # fmt: skip
    """Take `-delta` points from a card: first what had paid a debt, then the balance; the rest by the policy."""
    delta = min(delta, 0)
    owed_again = min(debt_paid, -delta)
    wanted = -delta - owed_again
    taken = min(card.points_balance, wanted)
    short = wanted - taken if policy == "settle_later" else 0
    return Change(
        granted=delta,
        points_delta=-taken,
        debt_delta=owed_again + short,
        micro_delta=micro_delta,
        granted_delta=granted_delta,
    )


def to_next_point(points_micro: int, rules: ProgramRules, exponent: int = 2) -> int | None:
    """Return the minor units that are missing for the next point; None when points are not for money."""
    if rules.points_per_euro_num == 0:
        return None
    missing = MICRO - points_micro % MICRO if rules.rounding == "carry" else MICRO
    scaled, per_cent = missing * 10**exponent * rules.points_per_euro_den, rules.points_per_euro_num * MICRO
    return -(-scaled // per_cent)


def affordable(balance: int, costs: list[int], rules: ProgramRules) -> int:
    """Return how many rewards of the catalogue the balance affords."""
    if balance < rules.minimum_redemption_points:
        return 0
    return sum(1 for cost in costs if cost <= balance)
