"""Who a merchant knows: customers by a proven address."""

from collections.abc import Sequence
from uuid import UUID

from customers.enums import Channel
from customers.models import Consent, Customer


def confirmed_by_email(email_key: str) -> Customer | None:
    """Return the one customer who proved this address, None when nobody did (or for no address)."""
    if not email_key:
        return None
    return Customer.objects.filter(email_key=email_key, confirmed_at__isnull=False, erased_at__isnull=True).first()


def confirmed_by_phone(phone_key: str) -> Customer | None:
    """Return the latest customer with this number who has a proven address to write to."""
    if not phone_key:
        return None
    known = Customer.objects.filter(phone_key=phone_key, confirmed_at__isnull=False, erased_at__isnull=True)
    return known.exclude(email_key="").order_by("-id").first()


def consents_of(customer_id: UUID) -> Sequence[Consent]:
    """Return what counts now: the newest decision per purpose and channel."""
    rows = Consent.objects.filter(customer_id=customer_id).order_by("purpose", "channel", "-recorded_at", "-id")
    return list(rows.distinct("purpose", "channel"))


def waiting_consents_of(customer_id: UUID) -> list[Consent]:
    """Return what was ticked for e-mail and waits for the address to be confirmed."""
    rows = consents_of(customer_id)
    return [row for row in rows if row.granted and row.confirmed_at is None and row.channel == Channel.EMAIL]
