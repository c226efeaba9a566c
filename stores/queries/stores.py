"""Reads of the merchant's stores."""

from uuid import UUID

from django.db.models import Q, QuerySet

from core.errors import NotFound
from stores.models import Store


def open_stores() -> "QuerySet[Store]":
    """Return the stores that are not closed."""
    return Store.objects.filter(closed_at=None)


def by_reference(reference: str) -> Store:
    """Return the open store that a caller names by code or id; raises NotFound."""
    try:
        named = Q(code=reference) | Q(pk=UUID(reference))
    except ValueError:
        named = Q(code=reference)
    found = open_stores().filter(named).first()
    if found is None:
        raise NotFound
    return found
