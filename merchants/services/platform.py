"""What the platform's administrators do to a merchant: each with a person and a reason, audited, in one transaction."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import audit, tenancy
from core.errors import NotFound, ValidationFailed
from merchants.enums import MerchantStatus
from merchants.models import Merchant, MerchantSettings
from merchants.services import fields, merchants

# Switches that an action with a reason turns, and what the audit calls it: (off, on).
SWITCHES = {
    "enrollment_suspended": ("enrollment_allowed", "enrollment_suspended"),
    "messages_suspended": ("messages_allowed", "messages_suspended"),
}
# What is changed as settings; the switches are not among them.
SETTINGS = (
    "staff_pin_policy", "pin_max_failed_attempts", "pin_lockout_minutes", "allow_self_enrollment",
    "allow_void_transactions", "allow_cross_store_redemption", "own_card_policy", "ask_pin_again", "double_opt_in",
    "max_stores", "features",
)  # fmt: skip
MOST_STORES = 10_000
STANDINGS = {
    MerchantStatus.ACTIVE: "merchant_reactivated",
    MerchantStatus.LATE: "merchant_late",
    MerchantStatus.SUSPENDED: "merchant_suspended",
    MerchantStatus.CLOSED: "merchant_closed",
}


def switch(*, merchant_id: UUID, name: str, on: bool, reason: str, at: datetime, actor_id: UUID) -> bool:
    """Stop or allow a merchant's new enrolments or messages (`name` of SWITCHES); False when it stood so already.

    Raises ValidationFailed (`reason`) and NotFound.
    """
    why = audit.clean_reason(reason)
    with tenancy.scope(merchant_id):
        row = _locked_settings()
        if getattr(row, name) is on:
            return False
        setattr(row, name, on)
        row.save(update_fields=[name])
        audit.note(
            action=SWITCHES[name][on], target=f"merchant {merchant_id}", actor_id=actor_id, merchant_id=merchant_id,
            reason=why, facts={"at": at.isoformat()},
        )  # fmt: skip
    return True


def set_standing(*, merchant_id: UUID, status: str, reason: str, at: datetime, actor_id: UUID) -> bool:
    """Suspend, reactivate, close a merchant or note that it is late; False when it stood so already.

    Raises ValidationFailed (`reason`, `status`) and NotFound.
    """
    why = audit.clean_reason(reason)
    if status not in STANDINGS:
        raise ValidationFailed.of("status", "invalid_choice", _("Choose another standing."))
    with tenancy.scope(merchant_id):
        # Locked before the look: two administrators at once are one change and one "nothing had to change".
        old = Merchant.objects.select_for_update().filter(pk=merchant_id).values_list("status", flat=True).first()
        if old is None:
            raise NotFound
        if old == status:
            return False
        merchants.set_status(merchant_id=merchant_id, status=status, at=at, actor_id=actor_id)
        audit.note(
            action=STANDINGS[MerchantStatus(status)], target=f"merchant {merchant_id}", actor_id=actor_id,
            merchant_id=merchant_id, reason=why, facts={"old": old, "new": status, "at": at.isoformat()},
        )  # fmt: skip
    return True


def change_settings(
    *, merchant_id: UUID, changes: Mapping[str, Any], at: datetime, actor_id: UUID, reason: str = ""
) -> MerchantSettings:
    """Change what the platform allows a merchant; the audit keeps old and new. What is not given stays.

    Raises ValidationFailed (by field, also for a setting that is none) and NotFound.
    """
    unknown = [name for name in changes if name not in SETTINGS]
    if unknown:
        raise ValidationFailed.of(unknown[0], "unknown_field", _("There is no such setting."))
    with tenancy.scope(merchant_id):
        row = _locked_settings()
        old = {name: getattr(row, name) for name in changes if getattr(row, name) != changes[name]}
        for name in old:
            setattr(row, name, changes[name])
        check_settings(row, list(old))
        if old:
            row.save(update_fields=list(old))
            audit.note(
                action="merchant_settings_changed", target=f"merchant {merchant_id}", actor_id=actor_id,
                merchant_id=merchant_id, reason=reason,
                facts={"old": old, "new": {name: changes[name] for name in old}, "at": at.isoformat()},
            )  # fmt: skip
    return row


def _locked_settings() -> MerchantSettings:
    row = MerchantSettings.objects.select_for_update(of=("self",)).first()
    if row is None:
        raise NotFound
    return row


def check_settings(row: MerchantSettings, names: Collection[str]) -> None:
    """Raise ValidationFailed for settings that a merchant cannot have."""
    fields.check(row, names)
    if "max_stores" in names and not 1 <= row.max_stores <= MOST_STORES:
        raise ValidationFailed.of("max_stores", "invalid", _("Choose a number from 1 to 10,000."))
    switches = row.features
    if "features" in names and not (
        isinstance(switches, dict) and all(isinstance(value, bool) for value in switches.values())
    ):
        raise ValidationFailed.of("features", "invalid", _('Write switches as {"name": true}.'))
