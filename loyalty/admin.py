"""Programs, rewards, cards and the ledger in the platform's admin. Balances and ledger are looked at, never edited."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.admin import PlatformAdmin, ReadOnlyAdmin
from loyalty.models import (
    Card,
    IssuedReward,
    Program,
    ProgramVersion,
    RefusedAttempt,
    Reward,
    StoreProgram,
    Transaction,
    TransactionDetail,
)
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
    list_filter = ["status", "loyalty_type"]
    list_select_related = ["merchant"]
    search_fields = ["name", "merchant__name", "merchant__slug"]
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
    list_filter = ["is_active"]
    list_select_related = ["program", "merchant"]
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
    list_select_related = ["store", "program", "merchant"]
    search_fields = ["store__code", "program__name", "merchant__slug"]
    ordering = ["-id"]


@admin.register(ProgramVersion)
class ProgramVersionAdmin(ReadOnlyAdmin):
    """The rules as they stood."""

    list_display = ["program", "number", "merchant", "created_at", "created_by"]
    list_select_related = ["program", "merchant", "created_by"]
    search_fields = ["program__name", "merchant__slug"]
    ordering = ["-id"]


class BigTableAdmin(ReadOnlyAdmin):
    """Rows of a table that only grows: newest first by id, found by an id or a card number, never by a scan of text."""

    ordering = ["-id"]
    card_column = "card_id"
    id_columns: tuple[str, ...] = ("pk", "card_id")
    search_help_text = _("A card number or an id.")
    search_fields = ["pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:  # fmt: skip
        """Find by card number or id."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.isascii() and term.isdigit():
            numbers = Card.objects.filter(card_number=term).values_list("pk", flat=True)
            return queryset.filter(**{f"{self.card_column}__in": list(numbers[:50])}), False
        try:
            wanted = UUID(term)
        except ValueError:
            return queryset.none(), False
        found = Q()
        for column in self.id_columns:
            found |= Q(**{column: wanted})
        return queryset.filter(found), False


@admin.register(Card)
class CardAdmin(BigTableAdmin):
    """Cards and their balances, which only the ledger moves. The hash of the access secret is not shown."""

    list_display = [
        "card_number", "merchant", "program", "status", "stamp_count", "points_balance", "last_activity_on",
        "enrolled_at",
    ]  # fmt: skip
    list_filter = ["status"]
    list_select_related = ["merchant", "program"]
    exclude = ["access_hash"]
    card_column = "pk"
    id_columns = ("pk", "customer_id")


@admin.register(IssuedReward)
class IssuedRewardAdmin(BigTableAdmin):
    """Rewards that belong to a card."""

    list_display = ["name", "card", "merchant", "source", "state", "issued_at", "expires_at", "redeemed_at"]
    list_filter = ["state", "source"]
    list_select_related = ["card", "merchant"]


@admin.register(Transaction)
class TransactionAdmin(BigTableAdmin):
    """The ledger. The database itself refuses to change it."""

    list_display = [
        "occurred_at", "merchant", "card", "type", "stamps_delta", "points_delta", "store", "staff_pin", "channel",
    ]  # fmt: skip
    list_filter = ["type", "channel"]
    list_select_related = ["merchant", "card", "store", "staff_pin"]
    id_columns = ("pk", "card_id", "reverses_id")


@admin.register(TransactionDetail)
class TransactionDetailAdmin(BigTableAdmin):
    """What an operation carried of personal data or free text."""

    list_display = ["transaction_id", "merchant", "ip", "note"]
    list_select_related = ["merchant"]
    card_column = "transaction__card_id"
    id_columns = ("pk", "transaction_id")


@admin.register(RefusedAttempt)
class RefusedAttemptAdmin(BigTableAdmin):
    """Operations that were refused, and why."""

    list_display = ["occurred_at", "merchant", "operation", "code", "card", "store", "staff_pin", "caller_kind"]
    list_filter = ["operation", "code"]
    list_select_related = ["merchant", "card", "store", "staff_pin"]
