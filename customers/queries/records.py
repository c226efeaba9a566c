"""Which records are one person: those that were merged into one another, and what higher apps know besides."""

from uuid import UUID

from django.db.models import Q

from customers import extensions
from customers.models import Customer


def of_person(customer_id: UUID) -> set[UUID]:
    """Return the ids of all records of the person behind one of them, this one included; in an open scope.

    Records that a merge made one (rule 25) and that nobody took apart since, in both directions and over several steps.
    """
    found, new = {customer_id}, {customer_id}
    while new:
        related = set()
        rows = Customer.objects.filter(Q(pk__in=new) | Q(merged_into_id__in=new)).values_list("pk", "merged_into_id")
        for pair in rows:
            related |= {record for record in pair if record is not None}
        for eraser in extensions.erasers():
            related |= eraser.related(new)
        new = related - found
        found |= new
    return found


def others_with_address(email: str) -> Q:
    """Return the condition for records that hold an address as typed, proven or waiting."""
    return Q(email__iexact=email) | Q(pending_email__iexact=email)
