"""Exports: who may take which file, a trace of it, and the file block by block.

A full export is the owner's: the cards and the customers (whole books, with personal data), and the transactions
without a period. A manager takes those of a period of at most a year: bookkeeping needs them, and they name nobody.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import NotFound, PermissionDenied, ValidationFailed
from core.models import AuditEntry
from loyalty.queries import cards as card_queries
from loyalty.queries import exports
from loyalty.queries.exports import Filters
from merchants.permissions import FULL_EXPORT, has_right

# What each file can be narrowed by.
NARROWED_BY: dict[str, tuple[str, ...]] = {
    "cards": ("store",),
    "transactions": ("store", "from", "to"),
    "customers": (),
}
A_YEAR = 366
LONGEST_CODE = 100


class FullExport(PermissionDenied):
    """The caller may manage, but the file is more than a manager takes away."""

    message = _("Only an owner exports this. A manager takes the transactions of up to a year.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The file somebody asks for, with what it is narrowed by, as they wrote it."""

    kind: str
    filters: Filters
    given: dict[str, str]

    @property
    def is_full(self) -> bool:
        """Whether this is more than figures of a period."""
        since, until = self.filters.since, self.filters.until
        return self.kind != "transactions" or since is None or until is None or (until - since).days > A_YEAR

    def at_store(self, store_id: UUID | None) -> "Wanted":
        """Return the file of one store, of all for None: a key may be bound to one and not say so."""
        return replace(self, filters=replace(self.filters, store_id=store_id))

    @property
    def facts(self) -> dict[str, str]:
        """What the audit keeps: what was asked for, and the store where it was not named."""
        store_id = self.filters.store_id
        return self.given if store_id is None or "store" in self.given else {**self.given, "store_id": str(store_id)}


def read(kind: str, given: Mapping[str, Any]) -> Wanted:
    """Read what is asked for, inside the merchant's scope. given: `store` (a code), `from` and `to` (days, inclusive).

    Raises NotFound (no such file, no such store) and ValidationFailed (`store`, `from`, `to`).
    """
    if kind not in NARROWED_BY:
        raise NotFound
    used = {name: str(given.get(name, "")).strip() for name in ("store", "from", "to") if given.get(name)}
    for name in used:
        if name not in NARROWED_BY[kind]:
            raise ValidationFailed.of(name, "not_for_this_file", _("This file cannot be narrowed by it."))
    store_id = card_queries.store_of(_code(used["store"])) if used.get("store") else None
    since, until = _day(used, "from"), _day(used, "to")
    if since and until and since > until:
        raise ValidationFailed.of("to", "before_from", _("The last day is before the first one."))
    return Wanted(kind, Filters(store_id, since, until), used)


def start(
    *, merchant_id: UUID, wanted: Wanted, role: str, at: datetime, actor_id: UUID | None, api_key_id: UUID | None = None
) -> Iterator[bytes]:  # fmt: skip
    """Note who takes the file, and return it as a stream that opens its own scopes.

    Raises FullExport (`permission_denied`) when the role may not take it.
    """
    if wanted.is_full and not has_right(role, FULL_EXPORT):
        raise FullExport(required_right=FULL_EXPORT)
    facts = {"at": at.isoformat(), **wanted.facts, **({"api_key": str(api_key_id)} if api_key_id else {})}
    with tenancy.scope(merchant_id):
        AuditEntry.objects.create(
            merchant_id=merchant_id, actor_id=actor_id, action="export", target=f"{wanted.kind}.csv", facts=facts
        )
    return exports.stream(wanted.kind, merchant_id, wanted.filters)


def file_name(slug: str, kind: str, at: datetime) -> str:
    """Return a file's name: the shop, what it holds, the day."""
    return f"{slug}-{kind}-{at:%Y-%m-%d}.csv"


def _code(text: str) -> str:
    if len(text) > LONGEST_CODE or "\x00" in text:
        raise NotFound
    return text


def _day(used: Mapping[str, str], name: str) -> date | None:
    text = used.get(name, "")
    if not text:
        return None
    try:
        # fromisoformat also reads weeks and compact forms, which nobody means.
        found = date.fromisoformat(text) if len(text) == len("2026-01-31") and text[4] == text[7] == "-" else None
    except ValueError:
        found = None
    if found is None:
        raise ValidationFailed.of(name, "invalid_date", _("Write a day as 2026-01-31."))
    return found
