"""Locks of what sends PINs (a terminal, a key, a person), lifted by the platform; and devices and keys it ends."""

from datetime import datetime
from uuid import UUID

from core import audit, tenancy
from core.errors import NotFound
from stores.models import ApiKey, PinGuard, StaffPin, Terminal
from stores.services import api_keys, staff, terminals


def unlock(*, merchant_id: UUID, guard_id: UUID, reason: str, at: datetime, actor_id: UUID) -> bool:
    """Lift the lock of a sender and forget its wrong tries; False when there were none. Raises NotFound."""
    why = audit.clean_reason(reason)
    with tenancy.scope(merchant_id):
        guard = PinGuard.objects.select_for_update(of=("self",)).filter(pk=guard_id).first()
        if guard is None:
            raise NotFound
        if not (guard.failed_attempts or guard.lock_level or guard.locked_until):
            return False
        guard.failed_attempts, guard.lock_level, guard.locked_until = 0, 0, None
        guard.save(update_fields=["failed_attempts", "lock_level", "locked_until"])
        _note("sender_unlocked", f"{guard.subject_kind} {guard.subject_id}", merchant_id, why, at, actor_id)
    return True


def unlock_staff(*, merchant_id: UUID, staff_id: UUID, reason: str, at: datetime, actor_id: UUID) -> bool:
    """Lift the lock of a staff member's PIN; False when there was nothing to lift. Raises NotFound."""
    why = audit.clean_reason(reason)
    with tenancy.scope(merchant_id):
        row = StaffPin.objects.filter(pk=staff_id).first()
        if row is None:
            raise NotFound
        if not row.failed_attempts and row.locked_until is None:
            return False
        staff.unlock(merchant_id=merchant_id, staff_id=staff_id, at=at, actor_id=actor_id)
        _note("staff_unlocked_by_platform", f"staff {staff_id}", merchant_id, why, at, actor_id)
    return True


def revoke_terminal(*, merchant_id: UUID, terminal_id: UUID, reason: str, at: datetime, actor_id: UUID) -> bool:
    """Sign a device out; False when it was out already. Raises NotFound."""
    why = audit.clean_reason(reason)
    with tenancy.scope(merchant_id):
        if Terminal.objects.filter(pk=terminal_id, revoked_at__isnull=False).exists():
            return False
        terminals.revoke(merchant_id=merchant_id, terminal_id=terminal_id, at=at, actor_id=actor_id)
        _note("terminal_revoked_by_platform", f"terminal {terminal_id}", merchant_id, why, at, actor_id)
    return True


def revoke_key(*, merchant_id: UUID, api_key_id: UUID, reason: str, at: datetime, actor_id: UUID) -> bool:
    """End an API key; False when it had ended already. Raises NotFound."""
    why = audit.clean_reason(reason)
    with tenancy.scope(merchant_id):
        if ApiKey.objects.filter(pk=api_key_id, revoked_at__isnull=False).exists():
            return False
        api_keys.revoke(merchant_id=merchant_id, api_key_id=api_key_id, at=at, actor_id=actor_id)
        _note("api_key_revoked_by_platform", f"api key {api_key_id}", merchant_id, why, at, actor_id)
    return True


def _note(action: str, target: str, merchant_id: UUID, why: str, at: datetime, actor_id: UUID) -> None:
    audit.note(
        action=action, target=target, actor_id=actor_id, merchant_id=merchant_id, reason=why,
        facts={"at": at.isoformat()},
    )  # fmt: skip
