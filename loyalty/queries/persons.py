"""Which customer records are one person, as far as cards tell: whose cards were merged into one (rule 25)."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from loyalty.models import Card


def related(customers: Collection[UUID]) -> set[UUID]:
    """Return the customers at both ends of the standing merges of these customers' cards; in an open scope.

    A record whose card was merged away is not marked itself while it has another card, in another program.
    """
    merged = Card.objects.filter(merged_into__isnull=False)
    rows = merged.filter(Q(customer_id__in=customers) | Q(merged_into__customer_id__in=customers))
    return {record for pair in rows.values_list("customer_id", "merged_into__customer_id") for record in pair}


def cards_of(customers: Collection[UUID]) -> list[UUID]:
    """Return all cards that the records ever had and still have, closed and merged ones too, in the order of ids."""
    return list(Card.objects.filter(customer_id__in=customers).order_by("pk").values_list("pk", flat=True))
