"""Whose own card it is: staff may not stamp a card linked to themselves (rule 22); a manager says which those are."""

from datetime import datetime
from uuid import UUID

from core import audit, tenancy
from core.errors import NotFound
from customers.models import Customer
from stores.models import StaffPin


def link(
    *, merchant_id: UUID, customer_id: UUID, staff_id: UUID, at: datetime, user_id: UUID | None = None
) -> Customer:  # fmt: skip
    """Note that a customer is a staff member; raises NotFound (no such customer, or nobody of that id works here)."""
    with tenancy.scope(merchant_id):
        if not StaffPin.objects.filter(pk=staff_id, is_active=True).exists():
            raise NotFound
        return _save(customer_id, staff_id, "own_card_linked", user_id)


def unlink(*, merchant_id: UUID, customer_id: UUID, at: datetime, user_id: UUID | None = None) -> Customer:
    """Note that a customer is nobody of the staff; raises NotFound."""
    with tenancy.scope(merchant_id):
        return _save(customer_id, None, "own_card_unlinked", user_id)


def _save(customer_id: UUID, staff_id: UUID | None, action: str, user_id: UUID | None) -> Customer:
    customer = Customer.objects.select_for_update(no_key=True).filter(pk=customer_id, erased_at__isnull=True).first()
    if customer is None:
        raise NotFound
    before = customer.staff_pin_id
    if before == staff_id:
        return customer
    customer.staff_pin_id = staff_id
    customer.save(update_fields=["staff_pin"])
    facts = {"staff": str(staff_id or before)}
    audit.note(
        action=action, target=f"customer {customer.pk}", actor_id=user_id, merchant_id=customer.merchant_id, facts=facts
    )  # fmt: skip
    return customer
