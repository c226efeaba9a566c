"""The people who run a merchant: their roles. The last owner stays."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import DomainError, NotFound, PermissionDenied, ValidationFailed
from core.models import AuditEntry
from merchants import permissions
from merchants.enums import Role
from merchants.models import Membership


class LastOwner(DomainError):
    """A merchant always has an owner."""

    code = "last_owner"
    message = _("Somebody must own the account. Make another person owner first.")


def change_role(
    *, merchant_id: UUID, membership_id: UUID, role: str, actor_id: UUID | None, at: datetime
) -> Membership:  # fmt: skip
    """Give a team member another role. Only an owner makes or unmakes owners.

    actor_id: the person who acts; None is a script with the right to manage, which acts as a manager does.
    Raises NotFound, PermissionDenied, ValidationFailed (`role`) and LastOwner.
    """
    if role not in Role.values:
        raise ValidationFailed.of("role", "unknown_role", _("Choose owner, manager or staff."))
    with tenancy.scope(merchant_id):
        team, member = _lock_team(membership_id)
        _refuse_unless_allowed(team, actor_id, touches_owner=Role.OWNER in (role, member.role))
        if role != Role.OWNER:
            _keep_an_owner(team, member)
        member.role = role
        member.save(update_fields=["role"])
        _note(member, "team_role_changed", actor_id, at)
    return member


def remove(*, merchant_id: UUID, membership_id: UUID, actor_id: UUID | None, at: datetime) -> None:
    """End a team member's access at once. Raises NotFound, PermissionDenied and LastOwner."""
    with tenancy.scope(merchant_id):
        team, member = _lock_team(membership_id)
        _refuse_unless_allowed(team, actor_id, touches_owner=member.role == Role.OWNER)
        _keep_an_owner(team, member)
        member.is_active = False
        member.save(update_fields=["is_active"])
        _note(member, "team_member_removed", actor_id, at)


def _lock_team(membership_id: UUID) -> tuple[list[Membership], Membership]:
    """Lock all active members: two owners who remove each other at once would leave nobody."""
    team = list(Membership.objects.select_for_update().filter(is_active=True).order_by("pk"))
    member = next((row for row in team if row.pk == membership_id), None)
    if member is None:
        raise NotFound
    return team, member


def _refuse_unless_allowed(team: list[Membership], actor_id: UUID | None, *, touches_owner: bool) -> None:
    role = Role.MANAGER if actor_id is None else next((row.role for row in team if row.user_id == actor_id), "")
    if not permissions.has_right(role, permissions.OWNER_ROLES if touches_owner else permissions.TEAM):
        raise PermissionDenied


def _keep_an_owner(team: list[Membership], member: Membership) -> None:
    if not any(row.role == Role.OWNER and row.pk != member.pk for row in team):
        raise LastOwner


def _note(member: Membership, action: str, actor_id: UUID | None, at: datetime) -> None:
    AuditEntry.objects.create(
        merchant_id=member.merchant_id, actor_id=actor_id, action=action, target=f"user {member.user_id}",
        facts={"role": member.role, "at": at.isoformat()},
    )  # fmt: skip
