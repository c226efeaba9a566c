"""Which mail with a link follows what a customer did: after joining, after a new address, on the way back to a card.

Decided after the request has been answered: so the answer cannot tell who is known. Each is queued once per event,
however often the event is delivered; the mailbox sends it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from core import tenancy
from customers.enums import MailKind
from customers.models import Customer
from customers.queries import keys, people
from customers.services import addresses, mailbox, silence


def after_enrollment(*, merchant_id: UUID, customer_id: UUID, card_id: UUID, pages: str, at: datetime) -> bool:
    """Queue the mail that follows an enrolment; False where there is none to send or it was queued before.

    A new address is asked to confirm; a known one (or the owner of a known number) is told that there is a card
    already. pages: the path under which the store's customer pages stand.
    """
    with tenancy.scope(merchant_id):
        customer = Customer.objects.filter(pk=customer_id, erased_at__isnull=True).first()
        if customer is None or silence.holds(merchant_id=merchant_id):
            return False
        facts = {"card_id": str(card_id), "pages": pages}
        event = f"enrolled/{customer_id}"
        if addresses.waiting(customer):
            return _ask_to_confirm(customer, event=event, facts=facts, at=at)
        known = people.confirmed_by_phone(customer.phone_key) if not customer.email_key else None
        if known is None or known.pk == customer.pk:
            return False
        return _tell_owner(known, of=known, event=event, facts=facts, at=at)


def new_address(
    *, merchant_id: UUID, customer_id: UUID, card_id: UUID, pages: str, event: str, at: datetime
) -> bool:  # fmt: skip
    """Queue the mail that asks to confirm an address typed into the profile, or asks once more on demand."""
    with tenancy.scope(merchant_id):
        customer = Customer.objects.filter(pk=customer_id, erased_at__isnull=True).first()
        if customer is None or not addresses.waiting(customer):
            return False
        facts = {"card_id": str(card_id), "pages": pages, "why": "profile"}
        return _ask_to_confirm(customer, event=event, facts=facts, at=at)


def way_back(
    *, merchant_id: UUID, customer_id: UUID, card_id: UUID, pages: str, event: str, at: datetime,
    kind: MailKind = MailKind.RECOVER,
) -> bool:  # fmt: skip
    """Queue the mail with the link that opens a card on another phone; False for somebody without an address."""
    with tenancy.scope(merchant_id):
        customer = Customer.objects.filter(pk=customer_id, erased_at__isnull=True).exclude(email="").first()
        if customer is None:
            return False
        facts = {"card_id": str(card_id), "pages": pages}
        return mailbox.queue(
            merchant_id=merchant_id, customer_id=customer.pk, kind=kind, event=event, facts=facts, at=at
        )  # fmt: skip


def _ask_to_confirm(customer: Customer, *, event: str, facts: dict[str, Any], at: datetime) -> bool:
    known = addresses.owner(keys.email_key(addresses.waiting(customer)))
    if known is not None:
        return _tell_owner(known, of=customer, event=event, facts=facts, at=at)
    return mailbox.queue(
        merchant_id=customer.merchant_id, customer_id=customer.pk, kind=MailKind.CONFIRM, event=event, facts=facts,
        at=at,
    )  # fmt: skip


def _tell_owner(known: Customer, *, of: Customer, event: str, facts: dict[str, Any], at: datetime) -> bool:
    """Write to the address that was proven, not as it was typed now. of: who made the card that the link names."""
    return mailbox.queue(
        merchant_id=known.merchant_id, customer_id=known.pk, kind=MailKind.KNOWN, event=event,
        facts={**facts, "of": str(of.pk)}, at=at,
    )  # fmt: skip
