"""Stores, staff, terminals and keys in the platform's admin. No hash is ever shown."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.admin import PlatformAdmin, ReadOnlyAdmin
from stores.models import ApiKey, PinGuard, StaffPin, Store, Terminal
from stores.services import api_keys, staff, terminals


@admin.register(Store)
class StoreAdmin(PlatformAdmin):
    """Stores; the code is in addresses and on posters and stays."""

    list_display = ["name", "code", "merchant", "city", "own_device_enabled", "closed_at"]
    list_filter = ["own_device_enabled", "country"]
    list_select_related = ["merchant"]
    search_fields = ["code", "name", "merchant__name", "merchant__slug"]
    readonly_fields = ["id", "merchant", "code", "created_at", "closed_at"]
    ordering = ["code"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Merchants open their stores themselves."""
        return False


@admin.register(StaffPin)
class StaffPinAdmin(ReadOnlyAdmin):
    """Staff and the locks of their PINs."""

    list_display = ["name", "merchant", "is_active", "failed_attempts", "locked_until", "last_used_at"]
    list_filter = ["is_active"]
    list_select_related = ["merchant"]
    search_fields = ["name", "external_id", "merchant__name", "merchant__slug"]
    fields = [
        "id", "merchant", "name", "external_id", "all_stores", "pin_digits", "is_active", "failed_attempts",
        "locked_until", "created_at", "rotated_at", "revoked_at", "last_used_at",
    ]  # fmt: skip
    actions = ["unlock"]
    ordering = ["merchant__name", "name"]

    @admin.action(description=_("Lift the lock"))
    def unlock(self, request: HttpRequest, queryset: QuerySet[StaffPin]) -> None:
        """Lift the locks of the chosen staff."""
        for row in queryset:
            staff.unlock(merchant_id=row.merchant_id, staff_id=row.pk, at=timezone.now(), actor_id=request.user.pk)


@admin.register(Terminal)
class TerminalAdmin(ReadOnlyAdmin):
    """Paired devices."""

    list_display = ["name", "merchant", "store", "paired_at", "last_seen_at", "revoked_at"]
    list_select_related = ["merchant", "store"]
    search_fields = ["name", "merchant__name", "merchant__slug", "store__code"]
    fields = ["id", "merchant", "store", "name", "paired_by", "paired_at", "last_seen_at", "revoked_at"]
    actions = ["revoke"]
    ordering = ["-paired_at"]

    @admin.action(description=_("Sign the devices out"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[Terminal]) -> None:
        """Take the chosen devices out of use."""
        for row in queryset:
            terminals.revoke(
                merchant_id=row.merchant_id, terminal_id=row.pk, at=timezone.now(), actor_id=request.user.pk
            )  # fmt: skip


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """API keys: what they may do and when they were used."""

    list_display = ["name", "prefix", "merchant", "store", "scopes", "last_used_at", "expires_at", "revoked_at"]
    list_select_related = ["merchant", "store"]
    search_fields = ["name", "=prefix", "merchant__name", "merchant__slug"]
    fields = [
        "id", "merchant", "store", "name", "prefix", "scopes", "created_by", "created_at", "expires_at",
        "last_used_at", "revoked_at",
    ]  # fmt: skip
    actions = ["revoke"]
    ordering = ["-created_at"]

    @admin.action(description=_("End the keys"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """End the chosen keys."""
        for row in queryset:
            api_keys.revoke(
                merchant_id=row.merchant_id, api_key_id=row.pk, at=timezone.now(), actor_id=request.user.pk
            )  # fmt: skip


@admin.register(PinGuard)
class PinGuardAdmin(ReadOnlyAdmin):
    """Wrong PINs by what sent them; deleting a row lifts its lock."""

    list_display = ["subject_kind", "subject_id", "device", "merchant", "failed_attempts", "lock_level", "locked_until"]
    list_filter = ["subject_kind"]
    list_select_related = ["merchant"]
    search_fields = ["=subject_id", "device", "merchant__name", "merchant__slug"]
    ordering = ["-locked_until"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let an administrator lift a lock."""
        return bool(request.user.is_superuser)
