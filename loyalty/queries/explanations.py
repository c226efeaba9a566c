"""Why a balance moved, in one sentence of the reader's language, made when it is read.

A sale is explained under the rules of its own day, so an old row never changes its meaning with the program.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from babel.numbers import format_decimal
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import money
from loyalty.enums import TransactionType
from loyalty.models import Transaction

Rules = Mapping[str, Any]
_DIGITS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Merged:
    """What a row of a merge is about: the other card, by the end of its number, and whether it is the way back."""

    other: str
    back: bool


def explain(row: Transaction, rules: Rules, reversed_rules: Rules | None = None, merged: Merged | None = None) -> str:
    """Return the sentence of a ledger row.

    row: with reward, issued_reward and reverses loaded. rules: of the version it was made under; reversed_rules: of the
    row it reverses. merged: for a row of a merge.
    """
    if merged is not None:
        return _moved(row, merged)
    if row.type == TransactionType.VOID and row.reverses is not None:
        if row.reverses.type == TransactionType.POINTS_EXPIRED:
            return _("Not expired after all: a visit came in late")
        return _("Undone: %(what)s") % {"what": explain(row.reverses, reversed_rules or {})}
    return _BY_TYPE[row.type](row, rules)


def sale(
    *, cents: int, currency: str, granted: int, rules: Rules
) -> str:  # fmt: skip
    """Explain what a sale granted: "23.40 € × 10 = 234 points".

    granted: the points of this sale before a debt is paid. rules: points_per_euro_num and _den, rounding and
    minimum_purchase_cents as they stood on its day.
    """
    amount, minimum = money.show(cents, currency), int(rules.get("minimum_purchase_cents") or 0)
    if cents < minimum:
        return _("%(amount)s: purchases under %(minimum)s earn no points") % {
            "amount": amount, "minimum": money.show(minimum, currency),
        }  # fmt: skip
    rate = Fraction(int(rules.get("points_per_euro_num", 0)), int(rules.get("points_per_euro_den", 1)))
    exact = Fraction(cents, 10 ** money.exponent(currency)) * rate
    facts = {"amount": amount, "rate": _rate(rate), "exact": _decimal(exact), "count": granted}
    if exact == granted:
        return ngettext(
            "%(amount)s × %(rate)s = %(count)s point", "%(amount)s × %(rate)s = %(count)s points", granted
        ) % facts  # fmt: skip
    if rules.get("rounding") == "per_purchase":
        return ngettext(
            "%(amount)s × %(rate)s = %(exact)s, rounded down %(count)s point",
            "%(amount)s × %(rate)s = %(exact)s, rounded down %(count)s points",
            granted,
        ) % facts  # fmt: skip
    return ngettext(
        "%(amount)s × %(rate)s = %(exact)s; fractions add up: %(count)s point",
        "%(amount)s × %(rate)s = %(exact)s; fractions add up: %(count)s points",
        granted,
    ) % facts  # fmt: skip


def _earned(row: Transaction, rules: Rules) -> str:
    text = sale(
        cents=row.purchase_amount_cents or 0, currency=row.currency, granted=row.points_granted, rules=rules
    )  # fmt: skip
    if row.debt_delta >= 0:
        return text
    owed = ngettext("%(count)s point settles what was owed", "%(count)s points settle what was owed", -row.debt_delta)
    return _("%(sentence)s; %(addition)s") % {"sentence": text, "addition": owed % {"count": -row.debt_delta}}


def _stamps(row: Transaction, _rules: Rules) -> str:
    return ngettext("%(count)s stamp", "%(count)s stamps", row.stamps_delta) % {"count": row.stamps_delta}


def _enjoyed(row: Transaction, _rules: Rules) -> str:
    return _("Enjoyed: %(reward)s") % {"reward": reward_name(row)}


def _bought(row: Transaction, _rules: Rules) -> str:
    count = -row.points_delta
    return ngettext(
        "%(count)s point for: %(reward)s", "%(count)s points for: %(reward)s", count
    ) % {"count": count, "reward": reward_name(row)}  # fmt: skip


def _issued(row: Transaction, _rules: Rules) -> str:
    return _("The card is full. Ready: %(reward)s") % {"reward": reward_name(row)}


def _gone(row: Transaction, _rules: Rules) -> str:
    return _("Not collected in time: %(reward)s") % {"reward": reward_name(row)}


def _refunded(row: Transaction, _rules: Rules) -> str:
    amount = money.show(abs(row.purchase_amount_cents or 0), row.currency or "EUR")
    taken = -row.points_delta
    if taken <= 0:
        return _("Refund of %(amount)s") % {"amount": amount}
    return ngettext(
        "Refund of %(amount)s takes back %(count)s point", "Refund of %(amount)s takes back %(count)s points", taken
    ) % {"amount": amount, "count": taken}  # fmt: skip


def _bonus(row: Transaction, _rules: Rules) -> str:
    count = row.points_granted or row.points_delta
    return ngettext("Welcome: %(count)s point", "Welcome: %(count)s points", count) % {"count": count}


def _moved(row: Transaction, merged: Merged) -> str:
    if row.issued_reward_id is not None:
        return _("These stamps are in the reward: %(reward)s") % {"reward": reward_name(row)}
    words = {
        (TransactionType.MERGE_OUT, False): _("Merged into card %(card)s"),
        (TransactionType.MERGE_IN, False): _("Merged in from card %(card)s"),
        (TransactionType.MERGE_OUT, True): _("Merge undone: back to card %(card)s"),
        (TransactionType.MERGE_IN, True): _("Merge undone: back from card %(card)s"),
    }
    text = words[TransactionType(row.type), merged.back] % {"card": merged.other}
    if row.points_granted <= 0:
        return text
    made = ngettext(
        "fractions of both make %(count)s point", "fractions of both make %(count)s points", row.points_granted
    )
    return _("%(sentence)s; %(addition)s") % {"sentence": text, "addition": made % {"count": row.points_granted}}


def _expired(row: Transaction, _rules: Rules) -> str:
    count = -row.points_delta
    return ngettext("%(count)s point expired", "%(count)s points expired", count) % {"count": count}


def _fixed(text: Callable[[], str]) -> Callable[[Transaction, Rules], str]:
    return lambda _row, _rules: text()


_BY_TYPE: Mapping[str, Callable[[Transaction, Rules], str]] = {
    TransactionType.CARD_ENROLLED: _fixed(lambda: _("Card made")),
    TransactionType.WELCOME_BONUS: _bonus,
    TransactionType.STAMP_EARNED: _stamps,
    TransactionType.STAMP_REDEEMED: _enjoyed,
    TransactionType.POINTS_EARNED: _earned,
    TransactionType.POINTS_REDEEMED: _bought,
    TransactionType.POINTS_EXPIRED: _expired,
    TransactionType.REWARD_ISSUED: _issued,
    TransactionType.REWARD_EXPIRED: _gone,
    TransactionType.VOID: _fixed(lambda: _("Undone")),
    TransactionType.REFUND: _refunded,
    TransactionType.ADJUSTMENT: _fixed(lambda: _("Corrected by the team")),
    TransactionType.MERGE_IN: _fixed(lambda: _("Moved here from your other card")),
    TransactionType.MERGE_OUT: _fixed(lambda: _("Moved to your other card")),
    TransactionType.IMPORT: _fixed(lambda: _("Brought over from your old card")),
}


def reward_name(row: Transaction) -> str:
    """Return the name of the reward a row is about, as it was called on that day."""
    if row.issued_reward is not None:
        return str(row.issued_reward.name)
    return str(row.reward.name) if row.reward is not None else ""


def _rate(rate: Fraction) -> str:
    """Write a rate as people read it: 10, 0.1, and 1/50 where a decimal would hide what is meant."""
    if rate.denominator == 1 or rate.denominator in (2, 4, 5, 10):
        return _decimal(rate)
    return str(rate)


def _decimal(value: Fraction) -> str:
    shown = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(_DIGITS)
    return format_decimal(shown, locale=money.babel_locale())
