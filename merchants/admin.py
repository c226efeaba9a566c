"""Merchants and people in the platform's admin."""

from typing import Any, cast

from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.admin import PlatformAdmin, ReadOnlyAdmin, by
from core.errors import ValidationFailed
from merchants.admin_standing import StandingActions
from merchants.models import Invitation, Membership, Merchant, MerchantSettings, SupportConsent, User
from merchants.services import merchants, platform

TURNED_BY_ACTIONS = tuple(platform.SWITCHES)


class NewUserForm(BaseUserCreationForm):
    """A new person: address and password."""

    class Meta:
        model = User
        fields = ["email"]


class LanguageFilter(admin.SimpleListFilter):
    """People by the language that they chose; most chose none, and that has no name to filter by."""

    title = _("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer our languages, each by its own name."""
        return [(code, str(name)) for code, name in settings.LANGUAGES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return those who chose it."""
        return queryset.filter(language=self.value()) if self.value() else queryset


@admin.register(User)
class UserAdmin(PlatformAdmin, DjangoUserAdmin):
    """People; passwords are set, never seen."""

    add_form = NewUserForm
    list_display = ["email", "name", "language", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_superuser", "is_active", LanguageFilter]
    search_fields = ["email", "name"]
    id_columns = ("pk",)
    ordering = ["email"]
    readonly_fields = ["last_login", "date_joined"]
    # Plain lists: the two-sided chooser has names that screen readers do not read.
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["email", "password", "name", "language"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "password1", "password2"]})]


class CheckedForm(forms.ModelForm):
    """A form that asks the service what is wrong with the new values, and says it beside the fields."""

    def check(self, names: list[str]) -> None:
        """Raise ValidationFailed for values that the service would refuse."""
        raise NotImplementedError

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            self.check(self.changed_data)
        except ValidationFailed as refusal:
            for name, found in refusal.errors.items():
                self.add_error(name if name in self.fields else None, [str(text) for _code, text in found])


class SettingsForm(CheckedForm):
    """What the platform allows a merchant."""

    class Meta:
        model = MerchantSettings
        fields = list(platform.SETTINGS)

    def check(self, names: list[str]) -> None:
        """Ask the service."""
        platform.check_settings(self.instance, names)

    def changes(self) -> dict[str, Any]:
        """Return what was changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in platform.SETTINGS}


class MerchantForm(CheckedForm):
    """A merchant's profile."""

    class Meta:
        model = Merchant
        fields = ["name", "legal_name", "trade", "country", "time_zone", "default_language", "card_color"]

    def check(self, names: list[str]) -> None:
        """Ask the service."""
        merchants.check(self.instance, names)


class SettingsInline(admin.StackedInline):
    """What the platform allows the merchant. The two stops are turned by actions, which ask why."""

    model = MerchantSettings
    form = SettingsForm
    fields = [*TURNED_BY_ACTIONS, *platform.SETTINGS]
    readonly_fields = TURNED_BY_ACTIONS
    can_delete = False
    max_num = 1
    min_num = 1

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Settings are made with the merchant."""
        return False


@admin.register(Merchant)
class MerchantAdmin(StandingActions, PlatformAdmin):
    """Merchants: profile, standing, and what the platform allows them. They come into being by signing up."""

    form = MerchantForm
    list_display = ["name", "slug", "trade", "country", "status", "status_since", "created_at"]
    list_filter = ["status", "trade", "country"]
    search_fields = ["name", "slug", "legal_name"]
    search_help_text = _("A name, a short name or an id.")
    id_columns = ("pk",)
    ordering = ["name"]
    readonly_fields = [
        "id", "slug", "currency", "status", "status_since", "branding_version", "onboarding_step", "created_at",
    ]  # fmt: skip
    inlines = [SettingsInline]
    fieldsets = [
        (None, {"fields": ["id", "name", "slug", "legal_name", "trade", "created_at", "onboarding_step"]}),
        (_("Standing"), {"fields": ["status", "status_since"]}),
        (_("Place"), {"fields": ["country", "currency", "time_zone", "default_language"]}),
        (_("Looks"), {"fields": ["card_color", "branding_version"]}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Merchants sign up themselves."""
        return False

    def save_model(self, request: HttpRequest, obj: Merchant, form: Any, change: Any) -> None:
        """Save through the service, which keeps the version of the looks."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            merchants.update(merchant_id=obj.pk, at=timezone.now(), actor_id=request.user.pk, **changes)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        """Save the settings through the service, which audits old and new."""
        for row in formset.forms:
            _save_settings(request, row)
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []


@admin.register(MerchantSettings)
class MerchantSettingsAdmin(PlatformAdmin):
    """What the platform allows each merchant."""

    form = SettingsForm
    list_display = [
        "merchant", "enrollment_suspended", "messages_suspended", "staff_pin_policy", "pin_max_failed_attempts",
        "pin_lockout_minutes", "max_stores",
    ]  # fmt: skip
    list_filter = ["enrollment_suspended", "messages_suspended", "staff_pin_policy", "allow_self_enrollment"]
    list_select_related = ["merchant"]
    detail_select_related = ("merchant",)
    search_fields = ["merchant__name", "merchant__slug"]
    id_columns = ("pk", "merchant_id")
    fields = ["merchant", *TURNED_BY_ACTIONS, *platform.SETTINGS]
    readonly_fields = ["merchant", *TURNED_BY_ACTIONS]
    ordering = ["merchant__name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Settings are made with the merchant."""
        return False

    def save_model(self, request: HttpRequest, obj: MerchantSettings, form: Any, change: Any) -> None:
        """Save through the service, which audits old and new."""
        _save_settings(request, form)


def _save_settings(request: HttpRequest, form: Any) -> None:
    changes = form.changes()
    if changes:
        platform.change_settings(
            merchant_id=form.instance.merchant_id, changes=changes, at=timezone.now(),
            actor_id=cast(User, request.user).pk,
        )  # fmt: skip


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Who works for which merchant. Owners manage their team themselves."""

    list_display = ["user", "merchant", "role", "is_active", "created_at"]
    list_filter = [*by("merchant"), "role", "is_active"]
    list_select_related = ["user", "merchant"]
    detail_select_related = ("user", "merchant")
    search_fields = ["user__email", "merchant__name", "merchant__slug"]
    id_columns = ("pk", "user_id", "merchant_id")
    fields = ["id", "user", "merchant", "role", "is_active", "created_at"]
    ordering = ["-id"]


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Invitations that are under way; the token is a hash and not shown."""

    list_display = ["email", "merchant", "role", "created_at", "expires_at", "accepted_at", "revoked_at"]
    list_filter = [*by("merchant"), "role"]
    list_select_related = ["merchant"]
    search_fields = ["email", "merchant__name", "merchant__slug"]
    id_columns = ("pk", "merchant_id")
    exclude = ["token_hash"]
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        """Read the inviting person along."""
        return super().get_queryset(request).select_related("invited_by")


@admin.register(SupportConsent)
class SupportConsentAdmin(ReadOnlyAdmin):
    """Who let the platform's people look into their pages, and until when. Owners grant and withdraw it themselves."""

    list_display = ["merchant", "granted_by", "granted_at", "expires_at", "withdrawn_at"]
    list_filter = by("merchant")
    list_select_related = ["merchant", "granted_by"]
    detail_select_related = ("merchant", "granted_by", "withdrawn_by")
    search_fields = ["merchant__name", "merchant__slug"]
    id_columns = ("pk", "merchant_id")
    fields = ["id", "merchant", "granted_by", "granted_at", "expires_at", "withdrawn_at", "withdrawn_by"]
    ordering = ["-id"]


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
