"""What providers are still to be told, what they refused and in which words, and whether they take our credentials."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import Order, ReadOnlyAdmin, by, reasoned
from loyalty.admin.cards import BigTableAdmin
from wallets.admin import shown
from wallets.enums import UpdateState
from wallets.models import GoogleClass, PassUpdate, ProviderState
from wallets.services import resync

LONGEST_NAME = 120


class DeliveryAdmin(BigTableAdmin):
    """Rows of a queue: one for each thing at a provider, for ever."""

    @admin.display(description=_("last error"))
    def error_beginning(self, row: Any) -> str:
        """Return the beginning of the last error."""
        return shown.short(row.last_error)

    @admin.display(description=_("last error"))
    def error_whole(self, row: Any) -> SafeString | str:
        """Return the provider's own words."""
        return shown.block(row.last_error)

    @admin.display(description=_("versions"))
    def versions(self, row: Any) -> str:
        """Return what is wanted and what was claimed last."""
        return _now("wanted %(wanted)d, taken up %(claimed)d") % {
            "wanted": row.wanted_version, "claimed": row.claimed_version,
        }  # fmt: skip


@admin.register(PassUpdate)
class PassUpdateAdmin(DeliveryAdmin):
    """Updates of passes by state and wallet."""

    list_display = [
        "card", "provider", "state", "error_beginning", "queued_at", "due_at", "attempts", "merchant",
    ]  # fmt: skip
    list_filter = [*by("merchant"), "state", "provider", "priority"]
    list_select_related = ["merchant", "card"]
    detail_select_related = ("merchant", "card")
    readonly_fields = [
        "id", "provider", "merchant", "card", "state", "priority", "versions", "queued_at", "due_at", "claimed_at",
        "settled_at", "attempts", "error_whole",
    ]  # fmt: skip
    fields: ClassVar[Any] = readonly_fields
    actions = ["requeue"]

    @reasoned(
        _("Queue again"), when=lambda row: row.state == UpdateState.FAILED,
        effect=_("Failed updates are tried again with fresh tries; the state sent is the card's at that moment."),
    )  # fmt: skip
    def requeue(self, request: HttpRequest, rows: list[PassUpdate], order: Order) -> int:
        """Queue the chosen failed updates again."""
        return resync.requeue(
            ids=[row.pk for row in rows], reason=order.reason, actor_id=order.actor_id, at=order.at
        )  # fmt: skip


@admin.register(GoogleClass)
class GoogleClassAdmin(DeliveryAdmin):
    """Programs as classes at Google: what all their cards share."""

    list_display = ["class_id", "program", "merchant", "state", "accepted_at", "due_at", "error_beginning"]
    list_filter = [*by("merchant", "program"), "state"]
    list_select_related = ["merchant", "program"]
    detail_select_related = ("merchant", "program")
    id_columns: tuple[str, ...] = ("pk", "program_id")
    search_help_text = _("A class's id at Google, a program's id or an id.")
    readonly_fields = [
        "id", "class_id", "merchant", "program", "state", "versions", "queued_at", "due_at", "claimed_at",
        "settled_at", "attempts", "error_whole", "accepted_at", "class_accepted",
    ]  # fmt: skip
    fields: ClassVar[Any] = readonly_fields
    actions = ["requeue"]

    def ways_to_find(self, term: str) -> list[Q]:
        """Find by the class's name at Google, too; a class is no card's."""
        return [*ReadOnlyAdmin.ways_to_find(self, term), Q(class_id=term[:LONGEST_NAME])]

    @reasoned(
        _("Queue again"), when=lambda row: row.state == UpdateState.FAILED,
        effect=_("Failed classes are sent to Google again; cards of their programs follow."),
    )  # fmt: skip
    def requeue(self, request: HttpRequest, rows: list[GoogleClass], order: Order) -> int:
        """Queue the chosen failed classes again."""
        return resync.requeue_classes(
            ids=[row.pk for row in rows], reason=order.reason, actor_id=order.actor_id, at=order.at
        )  # fmt: skip

    @admin.display(description=_("as last accepted"))
    def class_accepted(self, row: GoogleClass) -> SafeString | str:
        """Return the class as Google accepted it last."""
        return shown.document(row.accepted, whole=True)


@admin.register(ProviderState)
class ProviderStateAdmin(ReadOnlyAdmin):
    """Whether a provider takes one of our credentials. A refused one is tried again every five minutes."""

    list_display = [
        "provider",
        "credential_beginning",
        "blocked_at",
        "next_probe_at",
        "accepted_at",
        "reason_beginning",
    ]
    readonly_fields = ["provider", "credential", "blocked_at", "reason_whole", "next_probe_at", "accepted_at", "warned"]
    fields: ClassVar[Any] = readonly_fields
    ordering = ["-id"]

    @admin.display(description=_("credential"))
    def credential_beginning(self, row: ProviderState) -> str:
        """Return the beginning of the fingerprint, as tools print it."""
        return row.credential[:16]

    @admin.display(description=_("reason"))
    def reason_beginning(self, row: ProviderState) -> str:
        """Return the beginning of the provider's words."""
        return shown.short(row.reason)

    @admin.display(description=_("reason"))
    def reason_whole(self, row: ProviderState) -> SafeString | str:
        """Return the provider's own words."""
        return shown.block(row.reason)

    @admin.display(description=_("last warning before the end"))
    def warned(self, row: ProviderState) -> str:
        """Return the step of the last warning."""
        return "–" if row.warned_days is None else _now("%(days)d days before") % {"days": row.warned_days}
