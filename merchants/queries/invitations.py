"""Invitations: which are open, and what the one behind a link offers."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import DomainError, NotFound
from merchants.enums import MerchantStatus, Role
from merchants.models import Invitation, Membership, Merchant, User
from merchants.permissions import MANAGE, ROLE_SCOPES


class InvitationGone(DomainError):
    """The link was used, taken back, is too old, or never was one."""

    code, status, keep = "invitation_gone", 410, False
    message = _("This invitation no longer works.")


@dataclass(frozen=True, slots=True)
class Offer:
    """What an open invitation says to whom."""

    merchant_id: UUID
    invitation_id: UUID
    merchant_name: str
    language: str
    email: str
    role: str
    role_label: str
    invited_by: str
    expires_at: datetime
    time_zone: str


def pending() -> "QuerySet[Invitation]":
    """Return the invitations that nobody has answered, those whose time is over too, the newest first."""
    waiting = Invitation.objects.filter(accepted_at__isnull=True, revoked_at__isnull=True)
    return waiting.select_related("invited_by").order_by("-created_at", "-id")


def require(invitation_id: UUID) -> None:
    """Raise NotFound unless the merchant has such an invitation, answered or not."""
    if not Invitation.objects.filter(pk=invitation_id).exists():
        raise NotFound


def behind(token: str) -> tuple[UUID, UUID]:
    """Return (merchant id, invitation id) of a link's token; raises InvitationGone. Needs no scope."""
    rows = tenancy.lookup("invitation", hash_of(token))
    if not rows:
        raise InvitationGone
    return UUID(str(rows[0][0])), UUID(str(rows[0][1]))


def offer(token: str, *, at: datetime) -> Offer:
    """Return what the invitation behind a link offers; opens the scope. Raises InvitationGone."""
    merchant_id, invitation_id = behind(token)
    with tenancy.scope(merchant_id):
        row = pending().filter(pk=invitation_id).first()
        merchant = Merchant.objects.get(pk=merchant_id)
        if row is None or not is_open(row, merchant, at=at):
            raise InvitationGone
        return Offer(
            merchant_id=merchant_id, invitation_id=invitation_id, merchant_name=merchant.name,
            language=merchant.default_language, email=row.email, role=row.role, role_label=row.get_role_display(),
            invited_by=row.invited_by.name if row.invited_by else "", expires_at=row.expires_at,
            time_zone=merchant.time_zone,
        )  # fmt: skip


def is_open(row: Invitation, merchant: Merchant, *, at: datetime) -> bool:
    """Tell whether an unanswered invitation still counts: in time, the business open, its sender still entitled."""
    return row.expires_at > at and merchant.status != MerchantStatus.CLOSED and _sender_may(row)


def is_member(email: str) -> bool:
    """Tell whether an address belongs to somebody of the team."""
    return Membership.objects.filter(is_active=True, user__email=email).exists()


def team_ids(merchant_id: UUID) -> set[UUID]:
    """Return who is in a merchant's team; opens the scope."""
    with tenancy.scope(merchant_id):
        return set(Membership.objects.filter(is_active=True).values_list("user_id", flat=True))


def account_of(email: str) -> User | None:
    """Return whose account an address is: for the holder of a link that proves the address, and nobody else."""
    return User.objects.filter(email=email).first()


def hash_of(token: str) -> str:
    """Return what an invitation keeps of its token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _sender_may(row: Invitation) -> bool:
    """Tell whether the sender may still invite to this role: nobody outlives their own access by an invitation."""
    if row.invited_by_id is None:
        return True
    role = Membership.objects.filter(user_id=row.invited_by_id, is_active=True).values_list("role", flat=True).first()
    return role == Role.OWNER or (row.role != Role.OWNER and MANAGE in ROLE_SCOPES.get(role or "", frozenset()))
