"""The Django admin of the ground floor, and what the admins of all apps share."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from core.models import AuditEntry, IdempotencyRecord, OutboxEvent

COUNTED_AT_MOST = 10_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages that never count a big table to its end."""

    @cached_property
    def count(self) -> int:
        """Count the rows, up to a bound."""
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNTED_AT_MOST].count())


class PlatformAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What every admin page of ours has: bounded counts, small pages, nothing deleted by the way."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    actions_selection_counter = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Delete nothing here: rows end by a date or a state, and others refer to them."""
        return False


class ReadOnlyAdmin(PlatformAdmin):
    """Rows to look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Add nothing by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Change nothing by hand."""
        return False


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    """What happened and whether it has reached everybody."""

    list_display = ["id", "topic", "merchant_id", "state", "attempts", "created_at", "retry_at"]
    list_filter = ["state", "topic"]
    search_fields = ["=merchant_id", "topic"]
    ordering = ["-id"]


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyAdmin):
    """Answers that were given under a key."""

    list_display = ["key", "operation", "merchant_id", "status", "created_at"]
    list_filter = ["operation"]
    search_fields = ["=key", "=merchant_id"]
    ordering = ["-created_at"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ["created_at", "action", "target", "merchant_id", "actor_id", "reason"]
    list_filter = ["action"]
    search_fields = ["=merchant_id", "=actor_id", "target"]
    ordering = ["-created_at"]
    date_hierarchy = "created_at"


_own_login = admin.site.login


def login(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Sign in to the admin: outside DEBUG through the site's own page, which asks for the second factor."""
    enter = _own_login if settings.DEBUG else secure_admin_login(_own_login)
    response: HttpResponse = enter(request, extra_context=extra_context)
    return response


admin.site.login = login  # type: ignore[method-assign]
