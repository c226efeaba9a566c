"""How a merchant's cards live in people's wallets: what works, how many, what lags; and what the operator has to do."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from wallets.enums import Provider
from wallets.providers.base import Problem
from wallets.queries import overviews, standing
from wallets.queries.overviews import Holding

# Updates take seconds; what is younger than this is on its way and no cause for a word.
USUAL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class WalletPanel:
    """One wallet on the merchant's page. tone and state: of its chip; text: what it means for customers.

    problems: for whoever runs the platform; only shown in development.
    """

    name: str
    is_working: bool
    state: str
    tone: str
    text: str
    holding: Holding
    late: bool
    problems: tuple[Problem, ...]
    for_development: bool


def panels(*, at: datetime) -> list[WalletPanel]:
    """Return both wallets, inside the merchant's scope."""
    return [_panel(provider, at) for provider in Provider]


def _panel(provider: Provider, at: datetime) -> WalletPanel:
    found, holding = standing.of(provider), overviews.of_merchant(provider)
    if not found.set_up:
        state, tone, text = (
            _("Not set up"),
            "",
            _("Customers see no button for it. Their card on the web works all the same."),
        )
    elif not found.is_working:
        state, tone = _("Stopped"), "bad"
        text = _(
            "Nothing new goes out at the moment; it catches up by itself once it is mended. Cards on the web are right."
        )
    else:
        state, tone = _("Works"), "ok"
        text = _("Customers add their card with one tap, and it follows every stamp and point within seconds.")
    late = bool(holding.oldest and at - holding.oldest > USUAL)
    return WalletPanel(
        name=provider.label, is_working=found.is_working, state=state, tone=tone, text=text, holding=holding, late=late,
        problems=found.problems if settings.DEBUG else (), for_development=found.for_development and settings.DEBUG,
    )  # fmt: skip
