"""Mails that carry a link: to prove an address, or back to a card. No advertising in them, ever (rule 23).

What a mail says is decided here, after the enrolment has been answered: so the answer cannot tell who is known.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import formataddr, parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from core import tenancy
from customers.enums import LinkPurpose
from customers.models import Customer
from customers.queries import people
from customers.services import links
from merchants.enums import MerchantStatus
from merchants.models import Merchant

# A mail that nobody asked for is read later than one that somebody waits for.
UNASKED = timedelta(days=3)
SILENT = frozenset({MerchantStatus.LATE, MerchantStatus.SUSPENDED, MerchantStatus.CLOSED})


@dataclass(frozen=True, slots=True)
class _Letter:
    """Which mail goes to whom. link_of: who made the card that the link names; often `to`, but not always."""

    kind: str
    to: Customer
    link_of: Customer
    purpose: LinkPurpose
    lifetime: timedelta | None = None

    @property
    def name(self) -> str:
        """The name to greet by: of a proven person only, else anybody could write anything to any address."""
        return self.to.name if self.to.confirmed_at is not None else ""


def after_enrollment(
    *, merchant_id: UUID, customer_id: UUID, card_id: UUID, pages: str, at: datetime
) -> EmailMessage | None:
    """Return the mail that follows an enrolment, None where there is no address or the merchant may not write.

    A new address is asked to confirm; a known one (or the owner of a known number) is told that there is a card
    already. pages: the path under which the store's customer pages stand. Writes the link; the caller sends.
    """
    with tenancy.scope(merchant_id):
        merchant = Merchant.objects.get(pk=merchant_id)
        customer = Customer.objects.filter(pk=customer_id, erased_at__isnull=True).first()
        letter = _after_enrollment(customer) if customer and merchant.status not in SILENT else None
        return _message(merchant, letter, card_id=card_id, pages=pages, at=at) if letter else None


def way_back(*, merchant_id: UUID, customer_id: UUID, card_id: UUID, pages: str, at: datetime) -> EmailMessage | None:
    """Return the mail with the link that opens a card on another phone. Writes the link; the caller sends."""
    with tenancy.scope(merchant_id):
        customer = Customer.objects.filter(pk=customer_id, erased_at__isnull=True).exclude(email="").first()
        if customer is None:
            return None
        letter = _Letter("recover", customer, customer, LinkPurpose.RECOVER)
        return _message(Merchant.objects.get(pk=merchant_id), letter, card_id=card_id, pages=pages, at=at)


def _after_enrollment(customer: Customer) -> _Letter | None:
    if customer.email_key:
        known = people.confirmed_by_email(customer.email_key)
        if known is None:
            return _Letter("confirm", customer, customer, LinkPurpose.CONFIRM)
        # To the address that was proven, not as it was typed now.
        return None if known.pk == customer.pk else _Letter("known", known, customer, LinkPurpose.RECOVER, UNASKED)
    known = people.confirmed_by_phone(customer.phone_key)
    return _Letter("known", known, known, LinkPurpose.RECOVER, UNASKED) if known and known.pk != customer.pk else None


def _message(merchant: Merchant, letter: _Letter, *, card_id: UUID, pages: str, at: datetime) -> EmailMessage | None:
    token = links.issue(
        merchant_id=merchant.pk, customer=letter.link_of, card_id=card_id, purpose=letter.purpose, at=at,
        lifetime=letter.lifetime,
    )  # fmt: skip
    if token is None:
        return None
    context = {
        "merchant": merchant.name,
        "name": letter.name,
        "link": f"{settings.SITE_URL}{pages}/link/{token}",
        "enroll": f"{settings.SITE_URL}{pages}/recover",
    }
    with translation.override(letter.to.language):
        subject = render_to_string(f"customers/mail/{letter.kind}_subject.txt", context)
        body = render_to_string(f"customers/mail/{letter.kind}.txt", context)
    sender = formataddr((_one_line(merchant.name), parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
    return EmailMessage(_one_line(subject), body.strip() + "\n", sender, [letter.to.email])


def _one_line(text: str) -> str:
    return " ".join(text.split())
