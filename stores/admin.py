"""Stores, staff, terminals and keys in the platform's admin. No hash is ever shown."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.admin import Order, PlatformAdmin, ReadOnlyAdmin, by, reasoned
from stores.models import ApiKey, PinGuard, StaffPin, Store, Terminal
from stores.services import platform, stores

MERCHANT = ("merchant__name", "merchant__slug")


def _is_locked(row: Any) -> bool:
    return bool(row.failed_attempts or row.locked_until)


def _is_in_use(row: Any) -> bool:
    return row.revoked_at is None


@admin.register(Store)
class StoreAdmin(PlatformAdmin):
    """Stores; the code is in addresses and on posters and stays."""

    list_display = ["name", "code", "merchant", "city", "own_device_enabled", "closed_at"]
    list_filter = [*by("merchant"), "own_device_enabled", ("closed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["merchant"]
    detail_select_related = ("merchant",)
    search_fields = ["code", "name", *MERCHANT]
    search_help_text = _("A code, a name, a merchant or an id.")
    id_columns = ("pk", "merchant_id")
    readonly_fields = ["id", "merchant", "code", "created_at", "closed_at"]
    ordering = ["code"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Merchants open their stores themselves."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leave closed stores as they were."""
        return (obj is None or obj.closed_at is None) and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Store, form: Any, change: Any) -> None:
        """Save through the service, which checks and audits."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            stores.update(
                merchant_id=obj.merchant_id, store_id=obj.pk, at=timezone.now(), actor_id=request.user.pk, **changes
            )  # fmt: skip


@admin.register(StaffPin)
class StaffPinAdmin(ReadOnlyAdmin):
    """Staff and the locks of their PINs."""

    list_display = ["name", "merchant", "is_active", "failed_attempts", "locked_until", "last_used_at"]
    list_filter = [*by("merchant"), "is_active", ("locked_until", admin.EmptyFieldListFilter)]
    list_select_related = ["merchant"]
    detail_select_related = ("merchant",)
    search_fields = ["name", "external_id", *MERCHANT]
    id_columns = ("pk", "merchant_id")
    fields = [
        "id", "merchant", "name", "external_id", "all_stores", "pin_digits", "is_active", "failed_attempts",
        "locked_until", "created_at", "rotated_at", "revoked_at", "last_used_at",
    ]  # fmt: skip
    actions = ["unlock"]
    ordering = ["merchant__name", "name"]

    @reasoned(_("Lift the lock"), effect=_("The PIN works again and its wrong tries are forgotten."), when=_is_locked)
    def unlock(self, request: HttpRequest, rows: list[StaffPin], order: Order) -> int:
        """Lift the locks of the chosen staff."""
        return sum(
            platform.unlock_staff(
                merchant_id=row.merchant_id, staff_id=row.pk, reason=order.reason, at=order.at, actor_id=order.actor_id
            )
            for row in rows
        )  # fmt: skip


@admin.register(Terminal)
class TerminalAdmin(ReadOnlyAdmin):
    """Paired devices."""

    list_display = ["name", "merchant", "store", "paired_at", "last_seen_at", "revoked_at"]
    list_filter = [*by("merchant", "store"), ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["merchant", "store"]
    detail_select_related = ("merchant", "store", "paired_by")
    search_fields = ["name", "store__code", *MERCHANT]
    id_columns = ("pk", "merchant_id", "store_id")
    fields = ["id", "merchant", "store", "name", "paired_by", "paired_at", "last_seen_at", "revoked_at"]
    actions = ["revoke"]
    ordering = ["-id"]

    @reasoned(
        _("Sign the devices out"), effect=_("They stop at once and have to be paired again."), when=_is_in_use,
        grave=True,
    )  # fmt: skip
    def revoke(self, request: HttpRequest, rows: list[Terminal], order: Order) -> int:
        """Take the chosen devices out of use."""
        return sum(
            platform.revoke_terminal(
                merchant_id=row.merchant_id, terminal_id=row.pk, reason=order.reason, at=order.at,
                actor_id=order.actor_id,
            )
            for row in rows
        )  # fmt: skip


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """API keys: what they may do and when they were used."""

    list_display = ["name", "prefix", "merchant", "store", "scopes", "last_used_at", "expires_at", "revoked_at"]
    list_filter = [*by("merchant", "store"), ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["merchant", "store"]
    detail_select_related = ("merchant", "store", "created_by")
    search_fields = ["name", "prefix__exact", *MERCHANT]
    id_columns = ("pk", "merchant_id", "store_id")
    fields = [
        "id", "merchant", "store", "name", "prefix", "scopes", "created_by", "created_at", "expires_at",
        "last_used_at", "revoked_at",
    ]  # fmt: skip
    actions = ["revoke"]
    ordering = ["-id"]

    @reasoned(_("End the keys"), effect=_("They are refused at once and for good."), when=_is_in_use, grave=True)
    def revoke(self, request: HttpRequest, rows: list[ApiKey], order: Order) -> int:
        """End the chosen keys."""
        return sum(
            platform.revoke_key(
                merchant_id=row.merchant_id, api_key_id=row.pk, reason=order.reason, at=order.at,
                actor_id=order.actor_id,
            )
            for row in rows
        )  # fmt: skip


@admin.register(PinGuard)
class PinGuardAdmin(ReadOnlyAdmin):
    """Wrong PINs by what sent them: a terminal, a key (per till), a person."""

    list_display = ["subject_kind", "subject_id", "device", "merchant", "failed_attempts", "lock_level", "locked_until"]
    list_filter = [*by("merchant"), "subject_kind", ("locked_until", admin.EmptyFieldListFilter)]
    list_select_related = ["merchant"]
    detail_select_related = ("merchant",)
    search_fields = ["device", *MERCHANT]
    search_help_text = _("The id of a terminal, key or person, or a merchant.")
    id_columns = ("pk", "subject_id", "merchant_id")
    actions = ["unlock"]
    ordering = ["-id"]

    @reasoned(_("Lift the lock"), effect=_("PINs from there are taken again."), when=_is_locked)
    def unlock(self, request: HttpRequest, rows: list[PinGuard], order: Order) -> int:
        """Lift the locks of the chosen senders."""
        return sum(
            platform.unlock(
                merchant_id=row.merchant_id, guard_id=row.pk, reason=order.reason, at=order.at,
                actor_id=order.actor_id,
            )
            for row in rows
        )  # fmt: skip
