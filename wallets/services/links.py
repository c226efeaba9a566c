"""Where the wallet buttons lead. The address of a pass is signed, so that a link opens this pass and no other one."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing

from core import tenancy
from loyalty.enums import CardStatus
from loyalty.extensions import WalletLinks
from loyalty.models import Card
from wallets.models import ApplePass
from wallets.providers.apple.provider import APPLE
from wallets.services import google_links, passes

SALT = "wallets.download"
VALID_FOR = timedelta(days=7)
PATH = "/api/v1/loyalty/passes/apple/{serial}.pkpass"
LIVING = frozenset({CardStatus.ACTIVE, CardStatus.FROZEN})


@dataclass(frozen=True, slots=True)
class Downloadable:
    """A pass that may be downloaded by whoever has the right to it, ids only."""

    merchant_id: UUID
    pass_id: UUID
    card_id: UUID


def links(card: Card) -> WalletLinks:
    """Return the addresses of a card's wallet buttons, inside its merchant's scope; a card that is over has none."""
    if card.status not in LIVING or card.customer.erased_at is not None:
        return WalletLinks(google_url=None, apple_url=None)
    return WalletLinks(google_url=google_links.google_url(card), apple_url=apple_url(card))


def apple_url(card: Card) -> str | None:
    """Return the signed address of a card's pass, good for a week; None without credentials."""
    if not APPLE.configured(card.merchant_id):
        return None
    serial = passes.apple(card.pk).serial
    return f"{settings.SITE_URL}{PATH.format(serial=serial)}?s={_signature(serial)}"


def is_signed(serial: str, signature: str) -> bool:
    """Tell whether we signed the address of this serial number within the last week."""
    try:
        _signer().unsign(f"{serial}:{signature}", max_age=VALID_FOR)
    except signing.BadSignature:
        return False
    return True


def find(serial: str) -> Downloadable | None:
    """Return the pass of a serial number, None when there is none or its person was erased."""
    found = tenancy.lookup("apple_pass", serial)
    if not found:
        return None
    merchant_id, pass_id = found[0]
    with tenancy.scope(merchant_id):
        alive = ApplePass.objects.filter(pk=pass_id, erased_at__isnull=True, card__customer__erased_at__isnull=True)
        card_id = alive.values_list("card_id", flat=True).first()
    return Downloadable(merchant_id, pass_id, card_id) if card_id else None


def _signature(serial: str) -> str:
    return _signer().sign(serial).removeprefix(f"{serial}:")


def _signer() -> signing.TimestampSigner:
    newest, *older = settings.LOYALTY_DATA_KEYS
    return signing.TimestampSigner(key=newest, fallback_keys=[*older], salt=SALT)
