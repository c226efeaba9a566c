"""Addresses: typed, waiting to be proven, proven. A link proves the address it was sent to, never what was typed since.

A customer without a proven address may write another one at any time. One with a proven address keeps it until the new
one is proven as well: a slip of the finger must not take the way back to the card.
"""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from core import tenancy
from customers.models import Customer
from customers.queries import keys
from customers.services import consents


def waiting(customer: Customer) -> str:
    """Return the address that a mail should ask to confirm, empty when there is none."""
    if customer.pending_email:
        return customer.pending_email
    return "" if customer.confirmed_at is not None else customer.email


def note(customer: Customer, typed: str) -> bool:
    """Set the fields of an address that was typed (empty: none any more), without saving.

    Returns whether there is an address now that has to be proven. Who is known by the address plays no part.
    """
    key = keys.email_key(typed)
    if key == customer.email_key:
        customer.pending_email = ""
        customer.email = customer.email if customer.confirmed_at is not None else typed
        return False
    if key and customer.confirmed_at is not None and customer.email_key:
        customer.pending_email = typed
        return True
    customer.email, customer.email_key, customer.confirmed_at, customer.pending_email = typed, key, None, ""
    return bool(key)


def prove(*, merchant_id: UUID, customer_id: UUID, address: str, at: datetime) -> Customer | None:
    """Note that the customer proved `address` (a key, as MagicLink keeps it); returns the customer who has it.

    That is another one where somebody else proved the same address before: the unique constraint on proven addresses
    decides between two who prove it at the same moment. None when the address is not the customer's any more.
    """
    with tenancy.scope(merchant_id):
        rows = Customer.objects.select_for_update(of=("self",), no_key=True)
        customer = rows.filter(pk=customer_id, erased_at__isnull=True).first()
        if customer is None or not address:
            return None
        if customer.email_key == address and customer.confirmed_at is not None:
            return customer
        if keys.email_key(waiting(customer)) != address:
            return None
        return customer if _take(customer, at) else owner(address)


def owner(address: str) -> Customer | None:
    """Return who proved an address (a key), None when nobody did; in an open scope."""
    proven = Customer.objects.filter(email_key=address, confirmed_at__isnull=False, erased_at__isnull=True)
    return proven.first() if address else None


def _take(customer: Customer, at: datetime) -> bool:
    """Make the waiting address the proven one; False when it is another customer's."""
    before = customer.email, customer.email_key, customer.confirmed_at, customer.pending_email
    moves = bool(customer.pending_email)
    if moves:
        customer.email, customer.email_key = customer.pending_email, keys.email_key(customer.pending_email)
    customer.confirmed_at, customer.pending_email = at, ""
    try:
        with transaction.atomic():
            customer.save(update_fields=["email", "email_key", "confirmed_at", "pending_email"])
    except IntegrityError:
        customer.email, customer.email_key, customer.confirmed_at, _pending = before
        customer.pending_email = ""
        customer.save(update_fields=["pending_email"])
        return False
    if moves:
        consents.carry(customer=customer, old_key=before[1], at=at)
    return True
