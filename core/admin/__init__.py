"""The Django admin of the ground floor, and what the admins of all apps share."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import requeue
from core.admin import health
from core.admin.actions import Order, reasoned
from core.admin.base import BoundedPaginator, PlatformAdmin, ReadOnlyAdmin, by, hidden
from core.admin.reveal import Revealing
from core.models import AuditEntry, IdempotencyRecord, OutboxEvent

__all__ = [
    "AuditEntryAdmin", "BoundedPaginator", "Order", "PlatformAdmin", "ReadOnlyAdmin", "Revealing", "by", "health",
    "hidden", "reasoned",
]  # fmt: skip


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    """What happened and whether it has reached everybody."""

    list_display = ["id", "topic", "merchant_id", "state", "attempts", "created_at", "retry_at"]
    list_filter = ["state"]
    search_fields = ["topic__exact"]
    search_help_text = _("A topic, or a merchant's id.")
    id_columns = ("merchant_id",)
    ordering = ["-id"]
    actions = ["requeue"]

    @reasoned(_("Queue again"), effect=_("Failed events are delivered again with fresh tries."))
    def requeue(self, request: HttpRequest, rows: list[OutboxEvent], order: Order) -> int:
        """Queue the chosen failed events again."""
        return requeue.failed_events(
            ids=[row.pk for row in rows], reason=order.reason, at=order.at, actor_id=order.actor_id
        )  # fmt: skip


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyAdmin):
    """Answers that were given under a key. What was answered may name a person and is not shown."""

    list_display = ["key", "operation", "merchant_id", "status", "created_at"]
    search_fields = ["pk"]
    search_help_text = _("A merchant's id or a record's id.")
    id_columns = ("pk", "merchant_id")
    searched_by_index = True
    exclude = ["body", "fingerprint"]
    ordering = ["-id"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what. The database itself refuses to change or delete it."""

    list_display = ["created_at", "action", "target", "merchant_id", "actor_id", "reason"]
    search_fields = ["target__exact", "action__exact"]
    search_help_text = _("An action, a target such as “card <id>”, or the id of a merchant, a person or an entry.")
    id_columns = ("pk", "merchant_id", "actor_id")
    ordering = ["-id"]

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Let the panel's link name an action."""
        return lookup == "action__exact" or super().lookup_allowed(lookup, value, request)


_own_login, _own_index = admin.site.login, admin.site.index


def login(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Sign in to the admin: outside DEBUG through the site's own page, which asks for the second factor."""
    enter = _own_login if settings.DEBUG else secure_admin_login(_own_login)
    response: HttpResponse = enter(request, extra_context=extra_context)
    return response


def index(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Show the first page with the panel of what needs a look."""
    panel = health.panel(timezone.now())
    wrong = sum(line.tone != "ok" for line in panel)
    return _own_index(request, {**(extra_context or {}), "health": panel, "wrong": wrong})


admin.site.login = login  # type: ignore[method-assign]
admin.site.index = index  # type: ignore[method-assign,assignment]
