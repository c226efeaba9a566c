"""What higher apps have to say when a merchant changes. They register in their AppConfig.ready.

`change_currency` is called inside the merchant's scope with the new currency, before it is saved: an app takes its own
rows along, or raises CurrencyFixed when it has booked something in the old one.
"""

from typing import Protocol
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core.errors import ValidationFailed


class CurrencyChange(Protocol):
    """Takes an app's rows along, or raises CurrencyFixed."""

    def __call__(self, *, merchant_id: UUID, currency: str) -> None:
        """React."""


_currency_changes: list[CurrencyChange] = []


class CurrencyFixed(ValidationFailed):
    """Amounts are booked in the merchant's currency: another one would change what they say."""

    def __init__(self) -> None:
        super().__init__({"currency": [("immutable", _("Amounts are booked in this currency; it stays."))]})


def on_currency_change(react: CurrencyChange) -> None:
    """Let an app answer when a merchant wants another currency."""
    if react not in _currency_changes:
        _currency_changes.append(react)


def change_currency(*, merchant_id: UUID, currency: str) -> None:
    """Take everybody's rows along to the new currency; raises CurrencyFixed when somebody cannot."""
    for react in _currency_changes:
        react(merchant_id=merchant_id, currency=currency)
