"""Staff members and their PINs: made, changed, revoked, unlocked by a manager (rule 22)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import NotFound, ValidationFailed
from core.models import AuditEntry
from stores.models import StaffPin, StaffPinStore, Store
from stores.rules import pins as rules
from stores.services import pin_hashing

GENERATE_TRIES = 100


class Unchanged:
    """Stands for "leave it as it is" where None means something."""


UNCHANGED: Final = Unchanged()


@dataclass(frozen=True, slots=True)
class NewPin:
    """A staff member and the PIN that was made for them; it is shown this once and kept nowhere."""

    staff: StaffPin
    pin: str | None

    @property
    def has_warning(self) -> bool:
        """Whether the PIN is shorter than we advise."""
        return self.staff.pin_digits < rules.WARN_BELOW_DIGITS


def create(
    *,
    merchant_id: UUID,
    name: str,
    at: datetime,
    pin: str | None = None,
    stores: Sequence[UUID] | None = None,
    external_id: str = "",
    user_id: UUID | None = None,
    actor_id: UUID | None = None,
) -> NewPin:
    """Add a staff member with a PIN of 4 to 8 digits; without one, six digits are made and returned this once.

    `stores` are the stores they work in, None for all. The PIN is not trivial and no other active staff member of the
    merchant has it. Raises ValidationFailed (`pin`, `name`) and NotFound (a store that is not the merchant's).
    """
    with tenancy.scope(merchant_id):
        chosen = _choose_pin(merchant_id, pin)
        hashed = pin_hashing.make(merchant_id, chosen)
        staff = StaffPin.objects.create(
            merchant_id=merchant_id, name=_clean_name(name), external_id=external_id.strip(), user_id=user_id,
            pin_digits=len(chosen), rotated_at=at, pin_hash=hashed.pin_hash, pin_bucket=hashed.pin_bucket,
            pepper_id=hashed.pepper_id,
        )  # fmt: skip
        _set_stores(staff, stores)
        _note(staff, "staff_created", actor_id)
    return NewPin(staff, chosen if pin is None else None)


def update(
    *,
    merchant_id: UUID,
    staff_id: UUID,
    at: datetime,
    name: str | None = None,
    pin: str | None = None,
    stores: Sequence[UUID] | Unchanged | None = UNCHANGED,
    external_id: str | None = None,
    actor_id: UUID | None = None,
) -> StaffPin:
    """Change a staff member; what is not given stays. A PIN given here ends the sessions made with the old one.

    A revoked member comes back with a new PIN only. Raises NotFound and ValidationFailed as `create`.
    """
    with tenancy.scope(merchant_id):
        staff = _lock(staff_id)
        if name is not None:
            staff.name = _clean_name(name)
        if external_id is not None:
            staff.external_id = external_id.strip()
        if pin is not None:
            _give_pin(staff, _choose_pin(merchant_id, pin, other_than=staff.pk), at)
        staff.save()
        if not isinstance(stores, Unchanged):
            _set_stores(staff, stores)
        _note(staff, "staff_updated", actor_id)
    return staff


def rotate(*, merchant_id: UUID, staff_id: UUID, at: datetime, actor_id: UUID | None = None) -> NewPin:
    """Give a staff member a new PIN of six digits, returned this once; sessions made with the old one end."""
    with tenancy.scope(merchant_id):
        staff = _lock(staff_id)
        chosen = _choose_pin(merchant_id, None, other_than=staff.pk)
        _give_pin(staff, chosen, at)
        staff.save()
        _note(staff, "staff_pin_rotated", actor_id)
    return NewPin(staff, chosen)


def revoke(*, merchant_id: UUID, staff_id: UUID, at: datetime, actor_id: UUID | None = None) -> StaffPin:
    """End a staff member's PIN and the sessions made with it, at once. Revoking twice changes nothing."""
    with tenancy.scope(merchant_id):
        staff = _lock(staff_id)
        if staff.is_active:
            staff.is_active, staff.revoked_at, staff.version = False, at, staff.version + 1
            staff.save(update_fields=["is_active", "revoked_at", "version"])
            _note(staff, "staff_revoked", actor_id)
    return staff


def unlock(*, merchant_id: UUID, staff_id: UUID, at: datetime, actor_id: UUID | None = None) -> StaffPin:
    """Lift a lock before its time and forget the wrong tries; a manager does this."""
    with tenancy.scope(merchant_id):
        staff = _lock(staff_id)
        was_locked = staff.locked_until is not None and staff.locked_until > at
        staff.failed_attempts, staff.locked_until = 0, None
        staff.save(update_fields=["failed_attempts", "locked_until"])
        if was_locked:
            _note(staff, "staff_unlocked", actor_id)
    return staff


def _lock(staff_id: UUID) -> StaffPin:
    staff = StaffPin.objects.select_for_update(no_key=True, of=("self",)).filter(pk=staff_id).first()
    if staff is None:
        raise NotFound
    return staff


def _give_pin(staff: StaffPin, pin: str, at: datetime) -> None:
    hashed = pin_hashing.make(staff.merchant_id, pin)
    staff.pin_hash, staff.pin_bucket, staff.pepper_id = hashed.pin_hash, hashed.pin_bucket, hashed.pepper_id
    staff.pin_digits, staff.rotated_at, staff.version = len(pin), at, staff.version + 1
    staff.failed_attempts, staff.locked_until = 0, None
    staff.is_active, staff.revoked_at = True, None


def _choose_pin(merchant_id: UUID, wanted: str | None, other_than: UUID | None = None) -> str:
    """Return the wanted PIN or a made one that nobody has; until the commit nobody else chooses one."""
    if wanted is not None:
        _refuse_bad_form(wanted)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"stores.staff/{merchant_id}"])
    if wanted is not None:
        if _is_taken(merchant_id, wanted, other_than):
            raise ValidationFailed.of("pin", "pin_taken", _("Choose another PIN."))
        return wanted
    for _attempt in range(GENERATE_TRIES):
        made = rules.generate()
        if not _is_taken(merchant_id, made, other_than):
            return made
    raise ValidationFailed.of("pin", "pin_taken", _("No free PIN was found. Choose one yourself."))


def _refuse_bad_form(pin: str) -> None:
    if not rules.is_pin(pin):
        raise ValidationFailed.of("pin", "pin_form", _("A PIN has 4 to 8 digits."))
    if rules.is_trivial(pin):
        raise ValidationFailed.of("pin", "pin_trivial", _("This PIN is easy to guess. Choose another one."))


def _is_taken(merchant_id: UUID, pin: str, other_than: UUID | None) -> bool:
    places = Q()
    for pepper_id, bucket in pin_hashing.buckets(merchant_id, pin):
        places |= Q(pepper_id=pepper_id, pin_bucket=bucket)
    rows = StaffPin.objects.filter(places, is_active=True).exclude(pk=other_than).values_list("pin_hash", "pepper_id")
    return any(pin_hashing.matches(pin_hash, pepper_id, pin) for pin_hash, pepper_id in rows)


def _set_stores(staff: StaffPin, stores: Sequence[UUID] | None) -> None:
    """Let the person work in these stores (None: in all); raises NotFound for one that is not the merchant's."""
    StaffPinStore.objects.filter(staff_pin=staff).delete()
    wanted = set(stores or ())
    if stores is not None and not wanted:
        raise ValidationFailed.of("stores", "required", _("Choose at least one store."))
    if Store.objects.filter(pk__in=wanted, closed_at=None).count() != len(wanted):
        raise NotFound
    StaffPinStore.objects.bulk_create(
        StaffPinStore(merchant_id=staff.merchant_id, staff_pin=staff, store_id=store_id) for store_id in sorted(wanted)
    )
    if staff.all_stores != (stores is None):
        staff.all_stores = stores is None
        staff.save(update_fields=["all_stores"])


def _clean_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= 60 or "\x00" in cleaned:
        raise ValidationFailed.of("name", "required", _("A name has 1 to 60 characters."))
    return cleaned


def _note(staff: StaffPin, action: str, actor_id: UUID | None) -> None:
    AuditEntry.objects.create(
        merchant_id=staff.merchant_id, actor_id=actor_id, action=action, target=f"staff {staff.pk}"
    )  # fmt: skip
