"""Terminals and API keys as the back office lists them: those that still work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from stores.models import ApiKey, Terminal


@dataclass(frozen=True, slots=True)
class Key:
    """A key for a till system or a script, without its text."""

    id: UUID
    name: str
    prefix: str
    may: str
    where: str
    last_used_at: datetime | None


def terminals(store_id: UUID, *, only: UUID | None = None) -> Sequence[Terminal]:
    """Return the paired devices of a store, or the one of that id, as a list of one or none."""
    found = Terminal.objects.filter(store_id=store_id, revoked_at__isnull=True)
    return list(found.filter(pk=only) if only else found)


def api_keys(*, only: UUID | None = None) -> list[Key]:
    """Return the merchant's keys that were not revoked, or the one of that id, as a list of one or none."""
    found = ApiKey.objects.filter(revoked_at__isnull=True).select_related("store")
    return [_key(row) for row in (found.filter(pk=only) if only else found)]


def _key(row: ApiKey) -> Key:
    return Key(
        id=row.pk, name=row.name, prefix=row.prefix, may=", ".join(row.scopes),
        where=row.store.name if row.store else _("In all stores"), last_used_at=row.last_used_at,
    )  # fmt: skip
