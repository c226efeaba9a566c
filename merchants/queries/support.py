"""May the platform's people look into a merchant's pages, and who has looked. Inside the merchant's scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.models import AuditEntry
from merchants.models import SupportConsent, User

LOOKED = "support_looked"


@dataclass(frozen=True, slots=True)
class Look:
    """A page that somebody of the platform has opened."""

    at: datetime
    who: str
    page: str
    reason: str


def consent(*, at: datetime) -> SupportConsent | None:
    """Return the consent that holds at this moment and ends last, or None. One query."""
    rows = SupportConsent.objects.filter(withdrawn_at__isnull=True, expires_at__gt=at)
    return rows.select_related("granted_by").order_by("-expires_at").first()


def looks(merchant_id: UUID, *, count: int) -> Sequence[Look]:
    """Return the latest looks, the newest first. Two queries."""
    rows = AuditEntry.objects.filter(merchant_id=merchant_id, action=LOOKED).order_by("-created_at")[:count]
    entries = list(rows)
    people = User.objects.in_bulk({entry.actor_id for entry in entries if entry.actor_id})
    return [
        Look(entry.created_at, _name(people.get(entry.actor_id)), str(entry.facts.get("page", "")), entry.reason)
        for entry in entries
    ]  # fmt: skip


def _name(person: User | None) -> str:
    return person.get_full_name() if person is not None else "–"
