"""How far a store is set up: what the home page and the onboarding look at."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef

from loyalty.models import Card
from merchants.models import Merchant
from stores.models import StaffPin, Terminal


@dataclass(frozen=True, slots=True)
class Setup:
    """What is there already."""

    has_staff: bool
    has_terminal: bool
    has_cards: bool


def state(store_id: UUID) -> Setup:
    """Return how far a store is set up, in one query."""
    paired = Terminal.objects.filter(merchant_id=OuterRef("pk"), store_id=store_id, revoked_at__isnull=True)
    found = Merchant.objects.values_list(
        Exists(StaffPin.objects.filter(merchant_id=OuterRef("pk"), is_active=True)),
        Exists(paired),
        Exists(Card.objects.filter(merchant_id=OuterRef("pk"))),
    ).get()
    return Setup(*found)
