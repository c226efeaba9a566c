"""Merchants and people in the platform's admin."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.admin import PlatformAdmin, ReadOnlyAdmin
from merchants.models import Invitation, Membership, Merchant, MerchantSettings, User
from merchants.services import merchants


class NewUserForm(BaseUserCreationForm):
    """A new person: address and password."""

    class Meta:
        model = User
        fields = ["email"]


@admin.register(User)
class UserAdmin(PlatformAdmin, DjangoUserAdmin):
    """People; passwords are set, never seen."""

    add_form = NewUserForm
    list_display = ["email", "name", "language", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_superuser", "is_active", "language"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = ["groups", "user_permissions"]
    fieldsets = [
        (None, {"fields": ["email", "password", "name", "language"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "password1", "password2"]})]


class SettingsInline(admin.StackedInline):
    """What the platform allows the merchant."""

    model = MerchantSettings
    can_delete = False
    max_num = 1
    min_num = 1

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Settings are made with the merchant."""
        return False


@admin.register(Merchant)
class MerchantAdmin(PlatformAdmin):
    """Merchants: profile, standing, and what the platform allows them. They come into being by signing up."""

    list_display = ["name", "slug", "trade", "country", "status", "status_since", "created_at"]
    list_filter = ["status", "trade", "country"]
    search_fields = ["name", "slug", "legal_name"]
    ordering = ["name"]
    readonly_fields = ["id", "slug", "currency", "status_since", "branding_version", "onboarding_step", "created_at"]
    inlines = [SettingsInline]
    fieldsets = [
        (None, {"fields": ["id", "name", "slug", "legal_name", "trade", "created_at", "onboarding_step"]}),
        (_("Place"), {"fields": ["country", "currency", "time_zone", "default_language"]}),
        (_("Looks"), {"fields": ["card_color", "branding_version"]}),
        (_("Standing"), {"fields": ["status", "status_since"]}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Merchants sign up themselves."""
        return False

    def save_model(self, request: HttpRequest, obj: Merchant, form: Any, change: Any) -> None:
        """Save through the service, which keeps since when the standing holds and the version of the looks."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        status = changes.pop("status", None)
        actor_id, at = request.user.pk, timezone.now()
        if changes:
            merchants.update(merchant_id=obj.pk, at=at, actor_id=actor_id, **changes)
        if status is not None:
            merchants.set_status(merchant_id=obj.pk, status=status, at=at, actor_id=actor_id)


@admin.register(MerchantSettings)
class MerchantSettingsAdmin(PlatformAdmin):
    """What the platform allows each merchant."""

    list_display = ["merchant", "staff_pin_policy", "pin_max_failed_attempts", "pin_lockout_minutes", "max_stores"]
    list_filter = ["staff_pin_policy", "allow_self_enrollment", "allow_void_transactions"]
    list_select_related = ["merchant"]
    search_fields = ["merchant__name", "merchant__slug"]
    readonly_fields = ["merchant"]
    ordering = ["merchant__name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Settings are made with the merchant."""
        return False


@admin.register(Membership)
class MembershipAdmin(PlatformAdmin):
    """Who works for which merchant."""

    list_display = ["user", "merchant", "role", "is_active", "created_at"]
    list_filter = ["role", "is_active"]
    list_select_related = ["user", "merchant"]
    search_fields = ["user__email", "merchant__name", "merchant__slug"]
    readonly_fields = ["user", "merchant", "created_at"]
    ordering = ["-created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Owners invite their team themselves."""
        return False


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Invitations that are under way; the token is a hash and not shown."""

    list_display = ["email", "merchant", "role", "created_at", "expires_at", "accepted_at", "revoked_at"]
    list_filter = ["role"]
    list_select_related = ["merchant"]
    search_fields = ["email", "merchant__name", "merchant__slug"]
    exclude = ["token_hash"]
    ordering = ["-created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        """Read the inviting person along."""
        return super().get_queryset(request).select_related("invited_by")


# allauth's own page would show the secrets.
admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Second factors; deleting one lets in a person who lost their phone."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    exclude = ["data"]
    ordering = ["-created_at"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a superuser takes a second factor away."""
        return bool(request.user.is_superuser)
