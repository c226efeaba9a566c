"""The button "Add to Google Wallet": an address of ours, signed, behind which Google's own is made when it is opened.

Google's link never ends, and it needs an object that is there; so pages carry ours, which ends after a week, asks for
the card again, and makes the object before it leads on.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing

from core import tenancy, throttling
from core.errors import NotFound, Throttled
from loyalty.enums import CardStatus
from loyalty.models import Card
from wallets.models import GooglePass
from wallets.providers.google import credentials, links
from wallets.services import google_push

PATH = "/api/v1/loyalty/passes/google/"
SALT = "wallets.google"
LIVES = timedelta(days=7)
HOLDABLE = (CardStatus.ACTIVE, CardStatus.FROZEN)
TRIES, PERIOD = 20, 60


def google_url(card: Card) -> str | None:
    """Return where the button leads, None when there is none: no Google here, or a card that is over."""
    if card.status not in HOLDABLE or not credentials.configured(card.merchant_id):
        return None
    return f"{settings.SITE_URL}{PATH}{token(merchant_id=card.merchant_id, card_id=card.pk)}"


def token(*, merchant_id: UUID, card_id: UUID) -> str:
    """Return the signed word of an address; it says which card, and when it was made."""
    return _signer().sign_object([merchant_id.hex, card_id.hex])


def open_token(signed: str, *, at: datetime) -> str:
    """Return Google's link of the card that a word is about, with the card as it is at `at` already at Google.

    Raises NotFound (an old or foreign word; a card that is over or whose person was erased), Throttled, and
    WalletUnavailable while Google cannot be reached.
    """
    merchant_id, card_id = _read(signed)
    if not throttling.allow(f"google-save:{card_id}", limit=TRIES, period=PERIOD):
        raise Throttled(retry_after=throttling.seconds_left(PERIOD))
    if not credentials.configured(merchant_id) or not _is_held(merchant_id, card_id):
        raise NotFound
    google_push.ensure(merchant_id=merchant_id, card_id=card_id, at=at)
    with tenancy.scope(merchant_id):
        object_id = GooglePass.objects.values_list("object_id", flat=True).get(card_id=card_id)
    return links.save_url(credentials.current(merchant_id), object_id, at=at)


def _is_held(merchant_id: UUID, card_id: UUID) -> bool:
    with tenancy.scope(merchant_id):
        alive = Card.objects.filter(pk=card_id, status__in=HOLDABLE, customer__erased_at__isnull=True)
        return alive.exists()


def _read(signed: str) -> tuple[UUID, UUID]:
    try:
        merchant, card = _signer().unsign_object(signed, max_age=LIVES)
        return UUID(merchant), UUID(card)
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        raise NotFound from None


def _signer() -> signing.TimestampSigner:
    """Sign with the data keys, as all addresses of ours that leave the house are."""
    newest, *older = settings.LOYALTY_DATA_KEYS
    return signing.TimestampSigner(key=newest, fallback_keys=[*older], salt=SALT)
