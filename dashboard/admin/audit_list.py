"""The list of audit entries with words for actions and names for ids, which only the top of the product knows."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.admin import AuditEntryAdmin
from core.models import AuditEntry
from core.templatetags.ui import when
from dashboard.admin import audited
from merchants.models import Merchant, User

admin.site.unregister(AuditEntry)


@admin.register(AuditEntry)
class WordedAuditEntryAdmin(AuditEntryAdmin):
    """The same list, readable at three in the morning."""

    list_display = ["at", "what", "merchant", "who", "target", "reason"]
    list_display_links = ["what"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read the names along."""
        merchants = Merchant.objects.filter(pk=OuterRef("merchant_id")).values("name")[:1]
        called = Coalesce(NullIf("name", Value("")), "email", output_field=CharField())
        people = User.objects.filter(pk=OuterRef("actor_id")).annotate(called=called).values("called")[:1]
        return super().get_queryset(request).annotate(at_merchant=Subquery(merchants), by_person=Subquery(people))

    @admin.display(description=_("When"), ordering="id")
    def at(self, entry: AuditEntry) -> str:
        """Return when it was."""
        at: datetime = entry.created_at
        return str(when(at))

    @admin.display(description=_("What"), ordering="action")
    def what(self, entry: AuditEntry) -> str:
        """Return what was done in words, and the code that one searches for."""
        words = audited.words(entry.action)
        if words == entry.action:
            return words
        return format_html('{} <span class="quiet" translate="no">{}</span>', words, entry.action)

    @admin.display(description=_("Merchant"))
    def merchant(self, entry: AuditEntry) -> str:
        """Return the merchant's name with the way to its page."""
        name: str | None = getattr(entry, "at_merchant", None)
        if not name:
            return "–"
        return format_html('<a href="{}">{}</a>', reverse("platform:merchant", args=[entry.merchant_id]), name)

    @admin.display(description=_("Who"))
    def who(self, entry: AuditEntry) -> str:
        """Return who acted."""
        return str(getattr(entry, "by_person", None) or "–")
