"""What others tell of passes: devices, which may say anything, and Google, whose word is signed."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, by
from loyalty.admin.cards import BigTableAdmin
from wallets.admin import shown
from wallets.models import DeviceLog, GoogleCallback

LONGEST_SERIAL = 40


@admin.register(DeviceLog)
class DeviceLogAdmin(ReadOnlyAdmin):
    """Messages of devices: the only word on why a phone does not take a pass. Anybody can send one; none is proof."""

    list_display = ["received_at", "beginning", "serial"]
    readonly_fields = ["received_at", "serial", "message"]
    fields: ClassVar[Any] = readonly_fields
    ordering = ["-id"]
    search_fields = ["serial__exact"]
    search_help_text = _("The serial number of a pass.")
    searched_by_index = True

    def ways_to_find(self, term: str) -> list[Q]:
        """Find by the serial number that a message names."""
        return [Q(serial=term[:LONGEST_SERIAL])]

    @admin.display(description=_("message"))
    def beginning(self, row: DeviceLog) -> str:
        """Return the beginning of what was said."""
        return shown.short(row.message)


@admin.register(GoogleCallback)
class GoogleCallbackAdmin(BigTableAdmin):
    """Messages of Google about objects that were added or removed."""

    list_display = ["received_at", "merchant", "google_pass", "event", "nonce"]
    list_filter = [*by("merchant"), "event"]
    list_select_related = ["merchant", "google_pass"]
    detail_select_related = ("merchant", "google_pass")
    card_column = "google_pass__card_id"
    id_columns: tuple[str, ...] = ("pk", "google_pass_id")
