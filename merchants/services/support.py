"""A merchant lets the platform's people look into its pages for a while, and ends it at once; each look is noted."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import audit, tenancy
from core.errors import DomainError, PermissionDenied, ValidationFailed
from core.models import AuditEntry
from merchants import permissions
from merchants.models import Membership, SupportConsent
from merchants.queries import support

HOURS = (1, 24, 168)
LONGEST_TARGET = 128


class NoConsent(DomainError):
    """Nobody of the merchant lets the platform look now."""

    code = "no_consent"
    status = 403
    message = _("The business does not let anybody look at present. An owner can allow it on their page.")


def allow(*, merchant_id: UUID, hours: int, at: datetime, actor_id: UUID) -> SupportConsent:
    """Let the platform's administrators look for so many hours; what was allowed before ends with it.

    Raises PermissionDenied (not an owner) and ValidationFailed (`hours`).
    """
    if hours not in HOURS:
        raise ValidationFailed.of("hours", "invalid_choice", _("Choose 1 hour, 24 hours or 7 days."))
    with tenancy.scope(merchant_id):
        _refuse_unless_owner(actor_id)
        _end(at, actor_id)
        made = SupportConsent.objects.create(
            granted_by_id=actor_id, granted_at=at, expires_at=at + timedelta(hours=hours)
        )
        _note("support_allowed", made, actor_id, {"hours": hours, "at": at.isoformat()})
    return made


def withdraw(*, merchant_id: UUID, at: datetime, actor_id: UUID) -> bool:
    """End every look at once; False when nobody might look. Raises PermissionDenied (not an owner)."""
    with tenancy.scope(merchant_id):
        _refuse_unless_owner(actor_id)
        ended = _end(at, actor_id)
        for row in ended:
            _note("support_withdrawn", row, actor_id, {"at": at.isoformat()})
    return bool(ended)


def look(*, merchant_id: UUID, page: str, reason: str, at: datetime, actor_id: UUID) -> SupportConsent:
    """Note that an administrator opens a page of the merchant; raises NoConsent.

    In a transaction of its own: the look is noted even if the page fails. page: the path alone, since a search holds
    a customer's name.
    """
    with tenancy.scope(merchant_id):
        consent = support.consent(at=at)
        if consent is None:
            raise NoConsent
        audit.note(
            action=support.LOOKED, target=f"page {page}"[:LONGEST_TARGET], actor_id=actor_id, merchant_id=merchant_id,
            reason=reason, facts={"page": page, "consent": str(consent.pk), "at": at.isoformat()},
        )  # fmt: skip
    return consent


def _refuse_unless_owner(actor_id: UUID) -> None:
    role = Membership.objects.filter(user_id=actor_id, is_active=True).values_list("role", flat=True).first()
    if not permissions.has_right(role or "", permissions.SUPPORT_LOOKS):
        raise PermissionDenied


def _end(at: datetime, actor_id: UUID) -> list[SupportConsent]:
    """Lock and end what holds."""
    rows = SupportConsent.objects.select_for_update().filter(withdrawn_at__isnull=True, expires_at__gt=at)
    found = list(rows.order_by("pk"))
    for row in found:
        row.withdrawn_at, row.withdrawn_by_id = at, actor_id
        row.save(update_fields=["withdrawn_at", "withdrawn_by"])
    return found


def _note(action: str, row: SupportConsent, actor_id: UUID, facts: dict[str, object]) -> AuditEntry:
    return audit.note(
        action=action, target=f"support consent {row.pk}", actor_id=actor_id, merchant_id=row.merchant_id,
        facts={**facts, "until": row.expires_at.isoformat()},
    )  # fmt: skip
