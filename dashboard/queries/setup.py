"""How far a store is set up: what the home page and the onboarding look at."""

from dataclasses import dataclass
from uuid import UUID

from dashboard.queries import live, recount
from dashboard.queries.lately import SQL


@dataclass(frozen=True, slots=True)
class Setup:
    """What is there already."""

    has_staff: bool
    has_terminal: bool
    has_cards: bool


def state(store_id: UUID) -> Setup:
    """Return how far a store is set up, in one query."""
    (row,) = recount.ask(SQL["setup"], {"merchant": live.merchant_id(), "store": store_id})
    return Setup(**row)
