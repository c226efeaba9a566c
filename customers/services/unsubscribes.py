"""Unsubscribing by one click (RFC 8058): a signed address that works without login, for ever and at once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core import signing

from core import tenancy
from core.errors import NotFound
from customers.enums import Channel, Purpose
from customers.models import Customer
from customers.services import consents

PATH = "/u/"
SALT = "customers.unsubscribe"
SOURCE, UNDO = "unsubscribe", "unsubscribe_undone"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a link is about: one purpose on one channel of one customer."""

    merchant_id: UUID
    customer_id: UUID
    purpose: str
    channel: str


def token(about: Subscription) -> str:
    """Return the signed words of a link; it never expires, and names nobody to whoever reads it."""
    return _signer().sign_object([about.merchant_id.hex, about.customer_id.hex, about.purpose, about.channel])


def url(about: Subscription) -> str:
    """Return the address that unsubscribes."""
    return f"{settings.SITE_URL}{PATH}{token(about)}"


def read(signed: str) -> Subscription:
    """Return what a link is about; raises NotFound for one that we did not sign."""
    try:
        merchant, customer, purpose, channel = _signer().unsign_object(signed)
        found = Subscription(UUID(merchant), UUID(customer), Purpose(purpose), Channel(channel))
    except (signing.BadSignature, ValueError, TypeError):
        raise NotFound from None
    return found


def find(subscription: Subscription) -> Customer:
    """Return the customer, in an open scope; raises NotFound when they were erased."""
    found = Customer.objects.filter(pk=subscription.customer_id, erased_at__isnull=True).first()
    if found is None:
        raise NotFound
    return found


def unsubscribe(subscription: Subscription, *, at: datetime) -> None:
    """Withdraw the consent, also of the record that this one was merged into. Twice is as good as once."""
    merchant_id = subscription.merchant_id
    with tenancy.scope(merchant_id):
        customer = find(subscription)
        people = [customer.pk] + ([customer.merged_into_id] if customer.merged_into_id else [])
        consents.withdraw(
            merchant_id=merchant_id, customer_ids=people, purpose=subscription.purpose, channel=subscription.channel,
            source=SOURCE, at=at,
        )  # fmt: skip


def undo(subscription: Subscription, *, at: datetime) -> None:
    """Take an unsubscription back: what was agreed before holds again. Nothing is granted that was not before."""
    merchant_id = subscription.merchant_id
    with tenancy.scope(merchant_id):
        customer = find(subscription)
        for person in filter(None, (customer.pk, customer.merged_into_id)):
            consents.take_back(
                merchant_id=merchant_id, customer_id=person, purpose=subscription.purpose,
                channel=subscription.channel, source=SOURCE, undo=UNDO, at=at,
            )  # fmt: skip


def is_on(subscription: Subscription) -> bool:
    """Tell whether the newest word is not a withdrawal; in an open scope."""
    return consents.is_on(subscription.customer_id, subscription.purpose, subscription.channel)


def _signer() -> signing.Signer:
    """Sign with the data keys: they are kept as long as data, where the web's own secret may be changed at will."""
    newest, *older = settings.LOYALTY_DATA_KEYS
    return signing.Signer(key=newest, fallback_keys=[*older], salt=SALT)
