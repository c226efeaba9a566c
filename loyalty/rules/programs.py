"""What a program's fields may hold, where its life may go, and to whom a change applies: pure facts, no database."""

import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core.money import MAX_MINOR_UNITS
from loyalty.enums import FullCard, LoyaltyType, ProgramStatus, Rounding, Shortfall

MAX_POINTS = 2**31 - 1
# Smallest and largest value of each number, both allowed.
LIMITS: dict[str, tuple[int, int]] = {
    "stamps_target": (1, 50),
    "stamps_reward_valid_days": (1, 3650),
    "welcome_bonus_points": (0, 1_000_000),
    "minimum_purchase_cents": (0, MAX_MINOR_UNITS),
    "minimum_redemption_points": (0, MAX_POINTS),
    "points_expiration_days": (0, 3650),
    "cooldown_minutes": (0, 10_080),
    "max_daily_stamps": (0, 1000),
    "void_window_minutes": (0, 1440),
}
LENGTHS: dict[str, int] = {"name": 80, "stamps_reward_description": 120}
TERMS_LENGTH = 5000
LONGEST_RUN_OFF = timedelta(days=3650)
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
CHOICES: dict[str, list[str]] = {
    "loyalty_type": LoyaltyType.values,
    "status": ProgramStatus.values,
    "full_card": FullCard.values,
    "rounding": Rounding.values,
    "refund_shortfall": Shortfall.values,
}
# draft → active ⇄ paused → ended
STEPS: dict[str, frozenset[str]] = {
    ProgramStatus.DRAFT: frozenset({ProgramStatus.ACTIVE}),
    ProgramStatus.ACTIVE: frozenset({ProgramStatus.PAUSED}),
    ProgramStatus.PAUSED: frozenset({ProgramStatus.ACTIVE, ProgramStatus.ENDED}),
    ProgramStatus.ENDED: frozenset(),
}
BEGINNINGS = frozenset({ProgramStatus.DRAFT, ProgramStatus.ACTIVE})

NOW, NEW_CYCLES, NEW_SALES = "now", "new_cycles", "new_sales"
# Target and reward are fixed on a card when its cycle begins; a sale is worth what its day's rules say; the rest is
# a limit or a face and counts at once.
APPLIES_TO: dict[str, str] = {
    "stamps_target": NEW_CYCLES,
    "stamps_reward_description": NEW_CYCLES,
    "points_per_euro": NEW_SALES,
    "rounding": NEW_SALES,
    "minimum_purchase_cents": NEW_SALES,
    "welcome_bonus_points": NEW_SALES,
}

MAX_RATE = 1000
MAX_RATE_TERM = 1_000_000
_RATE = re.compile(
    r"(?P<num>\d{1,10})\s*/\s*(?P<den>\d{1,10})|(?P<decimal>\d{1,10}(?:\.\d{1,10})?|\.\d{1,10})", re.ASCII
)  # fmt: skip


def applies_to(field: str) -> str:
    """Return from when on a change of the field counts: now, new_cycles or new_sales."""
    return APPLIES_TO.get(field, NOW)


def may_become(old: str, new: str) -> bool:
    """Tell whether a program's status may change from old to new."""
    return new in STEPS[old]


def parse_rate(value: Any) -> Fraction:
    """Read points per unit of currency: a number by its decimal text (0.1 is 1/10), a decimal string or "a/b".

    Raises ValueError for anything else, for zero or less, above 1000, or when a term of the fraction in lowest terms
    exceeds 1,000,000. A float is read by its shortest decimal text.
    """
    known = isinstance(value, (int, float, Decimal, Fraction, str)) and not isinstance(value, bool)
    rate = value if isinstance(value, Fraction) else _read(value if known else "")
    if not 0 < rate <= MAX_RATE or max(rate.numerator, rate.denominator) > MAX_RATE_TERM:
        raise ValueError("out of range")
    return rate


def show_rate(num: int, den: int) -> str:
    """Write a rate in lowest terms: 10/1 → "10", 2/100 → "1/50"."""
    return str(Fraction(num, den))


def _read(value: float | Decimal | str) -> Fraction:
    text = value.strip() if isinstance(value, str) else _plain(value)
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError("not a rate")
    if found["decimal"]:
        return Fraction(found["decimal"])
    if int(found["den"]) == 0:
        raise ValueError("not a rate")
    return Fraction(int(found["num"]), int(found["den"]))


def _plain(value: float | Decimal) -> str:
    """Write a number without an exponent; the check of its size comes first, since 1e999999 would fill the memory."""
    number = Decimal(str(value))
    if not number.is_finite() or abs(number.adjusted()) > 12:
        raise ValueError("out of range")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
