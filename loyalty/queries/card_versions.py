"""A short word for how a card looks now: it changes whenever the card page would look different."""

import hashlib
from datetime import date

from loyalty.models import Card, Program
from merchants.models import Merchant

LENGTH = 22


def of(card: Card, program: Program, merchant: Merchant, today: date) -> str:
    """Return the version of a card's page; `today`, since rewards and points expire by the day."""
    facts = (
        card.pk, card.seq, card.version, card.status, card.rewards_ready, program.version, program.status,
        merchant.branding_version, merchant.status, today,
    )  # fmt: skip
    return hashlib.sha256("/".join(map(str, facts)).encode()).hexdigest()[:LENGTH]
