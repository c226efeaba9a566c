"""Programs and rewards in the platform's admin: every change goes through a service."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.admin import PlatformAdmin, ReadOnlyAdmin, by
from loyalty.models import Program, ProgramVersion, Reward, StoreProgram
from loyalty.rules import programs as rules
from loyalty.services import program_fields, programs, rewards

RATE = ("points_per_euro_num", "points_per_euro_den")
EDITABLE = [name for name in program_fields.FIELDS if name not in ("loyalty_type", "points_per_euro")]


class ProgramForm(forms.ModelForm):
    """A program's fields, checked as the service will check them."""

    class Meta:
        model = Program
        fields = [*EDITABLE, *RATE]

    def changes(self) -> dict[str, Any]:
        """Return what was changed, by the names of the service."""
        values = {name: self.cleaned_data[name] for name in self.changed_data if name in program_fields.FIELDS}
        if set(self.changed_data) & set(RATE):
            values["points_per_euro"] = "/".join(str(self.cleaned_data[name]) for name in RATE)
        return values

    def clean(self) -> dict[str, Any]:
        """Refuse what the service would refuse."""
        cleaned = super().clean() or self.cleaned_data
        status, old = cleaned.get("status"), self.initial.get("status")
        if status and old and status != old and not rules.may_become(old, status):
            self.add_error("status", str(programs.StatusChangeRefused.message))
        if not self.errors:
            for name, problem in program_fields.problems(self.changes()).items():
                self.add_error(name if name in self.fields else None, problem)
        return cleaned


class VersionInline(admin.TabularInline):
    """The rules as they stood, the newest first."""

    model = ProgramVersion
    fields = ["number", "created_at", "created_by", "rules"]
    readonly_fields = ["number", "created_at", "created_by", "rules"]
    ordering = ["-number"]
    can_delete = False
    extra = 0
    max_num = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProgramVersion]:
        """Read the people along."""
        return super().get_queryset(request).select_related("created_by")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A version never changes."""
        return False


@admin.register(Program)
class ProgramAdmin(PlatformAdmin):
    """Programs. A change goes through the service, so that it is a new rule version."""

    form = ProgramForm
    fields = [
        "id", "merchant", "loyalty_type", "is_default", "version", "currency", *EDITABLE, *RATE, "created_at",
        "changed_at",
    ]  # fmt: skip
    list_display = ["name", "merchant", "loyalty_type", "status", "version", "is_default", "changed_at"]
    list_filter = [*by("merchant"), "status", "loyalty_type"]
    list_select_related = ["merchant"]
    detail_select_related = ("merchant",)
    search_fields = ["name", "merchant__name", "merchant__slug"]
    search_help_text = _("A name, a merchant or an id.")
    id_columns = ("pk", "merchant_id")
    readonly_fields = [
        "id", "merchant", "loyalty_type", "is_default", "version", "currency", "created_at", "changed_at",
    ]  # fmt: skip
    inlines = [VersionInline]
    ordering = ["-id"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Merchants make their programs themselves."""
        return False

    def save_model(self, request: HttpRequest, obj: Program, form: Any, change: Any) -> None:
        """Save through the service."""
        programs.update(
            merchant_id=obj.merchant_id, program_id=obj.pk, data=form.changes(), user_id=request.user.pk,
            at=timezone.now(),
        )  # fmt: skip


@admin.register(Reward)
class RewardAdmin(PlatformAdmin):
    """Rewards that points buy."""

    list_display = ["name", "program", "merchant", "points_cost", "is_active", "archived_at"]
    list_filter = [*by("merchant", "program"), "is_active"]
    list_select_related = ["program", "merchant"]
    detail_select_related = ("program", "merchant")
    id_columns = ("pk", "program_id", "merchant_id")
    search_fields = ["name", "merchant__name", "merchant__slug"]
    fields = [
        "id", "merchant", "program", "name", "description", "points_cost", "valid_days", "position", "is_active",
        "created_at", "archived_at",
    ]  # fmt: skip
    readonly_fields = ["id", "merchant", "program", "created_at", "archived_at"]
    ordering = ["-id"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Merchants make their rewards themselves."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leave archived rewards as they were."""
        return (obj is None or obj.archived_at is None) and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Reward, form: Any, change: Any) -> None:
        """Save through the service."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        rewards.update(merchant_id=obj.merchant_id, reward_id=obj.pk, data=changes, at=timezone.now())


@admin.register(StoreProgram)
class StoreProgramAdmin(ReadOnlyAdmin):
    """Which store runs which program."""

    list_display = ["store", "program", "merchant"]
    list_filter = by("merchant", "store", "program")
    detail_select_related = ("store", "program", "merchant")
    id_columns = ("pk", "store_id", "program_id", "merchant_id")
    list_select_related = ["store", "program", "merchant"]
    search_fields = ["store__code", "program__name", "merchant__slug"]
    ordering = ["-id"]


@admin.register(ProgramVersion)
class ProgramVersionAdmin(ReadOnlyAdmin):
    """The rules as they stood."""

    list_display = ["program", "number", "merchant", "created_at", "created_by"]
    list_filter = by("merchant", "program")
    detail_select_related = ("program", "merchant", "created_by")
    id_columns = ("pk", "program_id", "merchant_id")
    list_select_related = ["program", "merchant", "created_by"]
    search_fields = ["program__name", "merchant__slug"]
    ordering = ["-id"]
