"""Staff members and team members as the back office lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from core.errors import NotFound
from merchants.enums import Role
from merchants.models import Membership
from merchants.queries import invitations
from stores.models import StaffPin, Store
from stores.queries import pins


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works with a PIN."""

    id: UUID
    name: str
    external_id: str
    where: str
    store_ids: tuple[UUID, ...]
    state: str
    tone: str
    active: bool
    locked_until: datetime | None
    last_used_at: datetime | None

    def as_initial(self) -> dict[str, Any]:
        """Return what the form shows."""
        return {"name": self.name, "external_id": self.external_id, "stores": [str(store) for store in self.store_ids]}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who signs in to the back office."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    role: str
    role_label: str


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody who was invited and has not answered."""

    id: UUID
    email: str
    role: str
    role_label: str
    expires_at: datetime
    expired: bool


def staff(stores: Sequence[Store], *, at: datetime) -> list[Person]:
    """Return the merchant's staff, those who left at the end. Three queries, however many they are."""
    found = [_person(row, stores, at) for row in pins.all_staff()]
    return sorted(found, key=lambda person: (not person.active, person.name.casefold()))


def person(staff_id: UUID, stores: Sequence[Store], *, at: datetime) -> Person:
    """Return one staff member; raises NotFound."""
    row = pins.all_staff().filter(pk=staff_id).first()
    if row is None:
        raise NotFound
    return _person(row, stores, at)


def team() -> list[Member]:
    """Return who signs in to the back office, owners first."""
    rows = Membership.objects.filter(is_active=True).select_related("user").order_by("created_at")
    found = [
        Member(row.pk, row.user_id, row.user.get_full_name(), row.user.email, row.role, row.get_role_display())
        for row in rows
    ]
    return sorted(found, key=lambda member: list(Role.values).index(member.role))


def invited(*, at: datetime) -> list[Invited]:
    """Return the open invitations, the newest first."""
    return [
        Invited(row.pk, row.email, row.role, row.get_role_display(), row.expires_at, row.expires_at <= at)
        for row in invitations.pending()
    ]


def _person(row: StaffPin, stores: Sequence[Store], at: datetime) -> Person:
    links = tuple(link.store for link in row.store_links.all())
    locked = row.locked_until if row.is_active and row.locked_until and row.locked_until > at else None
    state, tone = _state(row, locked)
    return Person(
        id=row.pk, name=row.name, external_id=row.external_id, where=_where(row, links, stores),
        store_ids=tuple(store.pk for store in links), state=state, tone=tone, active=row.is_active,
        locked_until=locked, last_used_at=row.last_used_at,
    )  # fmt: skip


def _where(row: StaffPin, links: Sequence[Store], stores: Sequence[Store]) -> str:
    if row.all_stores:
        return _("In all stores") if len(stores) > 1 else ""
    return ", ".join(sorted(store.name for store in links)) or _("In no store")


def _state(row: StaffPin, locked: datetime | None) -> tuple[str, str]:
    if not row.is_active:
        return _("Left"), ""
    if locked:
        return _("Locked"), "warn"
    return _("Works"), "ok"


def colleagues() -> list[tuple[str, str]]:
    """Return who works here now, as choices of a form: (id, name). One query."""
    rows = StaffPin.objects.filter(is_active=True).order_by("name", "id")
    return [(str(staff_id), name) for staff_id, name in rows.values_list("id", "name")]
