"""What higher apps add to a card's answer. They register in their AppConfig.ready; without them a card is a web card.

`states` fills `card.wallet`, for a whole page of cards at once; `links` makes the addresses of the wallet buttons; a
notice stands under them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from loyalty.models import Card


class WalletState(TypedDict):
    """Where a card lives besides the web, and since when a pass lags behind (None: up to date)."""

    apple_devices: int
    google_saved: bool
    out_of_date_since: datetime | None


class WalletLinks(TypedDict):
    """Where the buttons lead; None hides one."""

    google_url: str | None
    apple_url: str | None


States = Callable[[Sequence[UUID]], Mapping[UUID, WalletState]]
Links = Callable[[Card], WalletLinks]
Notice = Callable[[], str]

_states: list[States] = []
_links: list[Links] = []
_notices: list[Notice] = []


def register_wallets(*, states: States, links: Links) -> None:
    """Let an app answer for wallets; the last registered one speaks."""
    _states[:], _links[:] = [states], [links]


def register_wallet_notice(notice: Notice) -> None:
    """Let an app say a word under the wallet buttons; the last registered one speaks."""
    _notices[:] = [notice]


def wallet_states(card_ids: Sequence[UUID]) -> dict[UUID, WalletState]:
    """Return the wallet state of each card, in one go."""
    known = dict(_states[0](card_ids)) if _states and card_ids else {}
    return {card_id: known.get(card_id) or no_wallet() for card_id in card_ids}


def wallet_links(card: Card) -> WalletLinks:
    """Return the addresses of a card's wallet buttons."""
    return _links[0](card) if _links else WalletLinks(google_url=None, apple_url=None)


def wallet_notice() -> str:
    """Return what customers should know before they add the card, "" for nothing."""
    return _notices[0]() if _notices else ""


def no_wallet() -> WalletState:
    """Return the state of a card that is in no wallet."""
    return WalletState(apple_devices=0, google_saved=False, out_of_date_since=None)
