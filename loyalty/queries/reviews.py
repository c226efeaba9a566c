"""Reads of what waits for a manager's look: refused operations that a till had kept."""

from uuid import UUID

from django.db.models import QuerySet

from core.errors import NotFound
from loyalty.enums import ReviewState
from loyalty.models import ReviewItem

MOST_COUNTED = 100


def listed(*, state: str | None = None, store_id: UUID | None = None) -> "QuerySet[ReviewItem]":
    """Return items, unordered, with what is shown of them."""
    found = ReviewItem.objects.select_related("store", "terminal", "staff_pin", "card", "card__customer", "resolved_by")
    if state is not None:
        found = found.filter(state=state)
    return found if store_id is None else found.filter(store_id=store_id)


def one(item_id: UUID) -> ReviewItem:
    """Return an item; raises NotFound."""
    item: ReviewItem | None = listed().filter(pk=item_id).first()
    if item is None:
        raise NotFound
    return item


def count_open(store_id: UUID) -> int:
    """Return how many items wait at a store, 100 at most: a badge needs no more."""
    return ReviewItem.objects.filter(store_id=store_id, state=ReviewState.OPEN)[:MOST_COUNTED].count()
