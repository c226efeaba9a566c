"""What a manager puts right about a customer; addresses and consents are the customer's own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from core import outbox, tenancy
from core.errors import NotFound
from core.models import AuditEntry
from customers.models import Customer
from customers.queries import keys
from customers.services import customers, own_cards
from loyalty.models import Card


def correct(
    *, merchant_id: UUID, customer_id: UUID, changes: Mapping[str, Any], at: datetime, actor_id: UUID | None = None
) -> Customer:
    """Change name and language, and whose own card it is (`staff_id`, None: nobody's); what is not given stays.

    Raises NotFound (also for an unknown staff member) and ValidationFailed. What changed is noted, never the values.
    """
    with tenancy.scope(merchant_id):
        rows = Customer.objects.select_for_update(of=("self",), no_key=True)
        customer = rows.filter(pk=customer_id, erased_at=None).first()
        if customer is None:
            raise NotFound
        changed = _words(customer, changes)
        if "staff_id" in changes and changes["staff_id"] != customer.staff_pin_id:
            _own_card(merchant_id, customer, changes["staff_id"], at, actor_id)
            changed.append("staff_id")
        if changed:
            _tell(customer, changed, at, actor_id)
    return customer


def _words(customer: Customer, changes: Mapping[str, Any]) -> list[str]:
    """Save name and language as the customer would have typed them; returns the names of those that changed."""
    contact = customers.read_contact(
        name=changes.get("name", ""), language=changes.get("language", ""), country=""
    )  # fmt: skip
    read = {"name": contact.name, "language": contact.language}
    changed = [name for name in read if name in changes and getattr(customer, name) != read[name]]
    for name in changed:
        setattr(customer, name, read[name])
    if changed:
        customer.name_key = keys.name_key(customer.name)
        customer.save(update_fields=[*changed, "name_key"])
    return changed


def _own_card(
    merchant_id: UUID, customer: Customer, staff_id: UUID | None, at: datetime, actor_id: UUID | None
) -> None:  # fmt: skip
    ids: dict[str, Any] = {"merchant_id": merchant_id, "customer_id": customer.pk, "at": at, "user_id": actor_id}
    if staff_id is None:
        own_cards.unlink(**ids)
    else:
        own_cards.link(**ids, staff_id=staff_id)


def _tell(customer: Customer, changed: list[str], at: datetime, actor_id: UUID | None) -> None:
    """Note who changed what, and let passes that show the person be made anew."""
    AuditEntry.objects.create(
        merchant_id=customer.merchant_id, actor_id=actor_id, action="customer_corrected",
        target=f"customer {customer.pk}", facts={"fields": sorted(changed), "at": at.isoformat()},
    )  # fmt: skip
    if {"name", "language"} & set(changed):
        for card_id in Card.objects.filter(customer_id=customer.pk).values_list("pk", flat=True):
            outbox.publish("card.changed", merchant_id=customer.merchant_id, card_id=str(card_id))
