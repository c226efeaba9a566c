"""Money: integers of minor units with their currency; shown by Babel, never computed in floats."""

import re
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision
from django.utils.translation import get_language

MAX_MINOR_UNITS = 10**8
# Digits with one point or comma: no sign, no exponent, no digits of other scripts.
PLAIN_AMOUNT = re.compile(r"[0-9]{1,20}(?:[.,][0-9]{0,20})?|[.,][0-9]{1,20}")


def exponent(currency: str) -> int:
    """Return the number of digits after the point of a currency (EUR 2, JPY 0)."""
    return int(get_currency_precision(currency))


def show(minor_units: int, currency: str, language: str | None = None) -> str:
    """Write an amount the way readers of the language do: 2340 EUR → "23.40 €", "23,40 €"."""
    amount = Decimal(minor_units).scaleb(-exponent(currency))
    return format_currency(amount, currency, locale=babel_locale(language))


def parse(text: str | int, currency: str) -> int:
    """Read a decimal amount into minor units; raises ValueError on anything else than a plain amount.

    Takes at most the currency's digits after the point; a comma counts as point.
    """
    plain = str(text).strip()
    if not PLAIN_AMOUNT.fullmatch(plain):
        raise ValueError("not an amount")
    amount = Decimal(plain.replace(",", "."))
    minor = amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise ValueError("too many digits")
    if minor > MAX_MINOR_UNITS:
        raise ValueError("too large")
    return int(minor)


def babel_locale(language: str | None = None) -> str:
    """Return Babel's name of a language; en reads as on the continent, fr as in France: thousands stand apart."""
    code = (language or get_language() or "en").split("-")[0]
    return {"en": "en_150", "fr": "fr", "de": "de_LU", "lb": "lb"}.get(code, "en_150")
