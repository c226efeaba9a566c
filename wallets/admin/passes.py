"""Passes, classes and devices in the admin: looked at only. No token and no push address is shown."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, Revealing, by
from customers.services import erasure
from loyalty.admin.cards import BigTableAdmin
from wallets.admin import shown
from wallets.models import AppleDevice, AppleDeviceRegistration, ApplePass, GooglePass

DEVICES_SHOWN = 20
LONGEST_NAME = 120


def devices_of_pass() -> Coalesce:
    """Return how many devices registered for a pass, as a part of a query: answered by the index of each row's pass."""
    rows = AppleDeviceRegistration.objects.filter(merchant_id=OuterRef("merchant_id"), apple_pass_id=OuterRef("pk"))
    counted = rows.order_by().values("apple_pass_id").annotate(found=Count("pk")).values("found")
    return Coalesce(Subquery(counted), 0)


class PassAdmin(BigTableAdmin):
    """Passes, found by their name at the provider, a card's number or code, or an id."""

    list_select_related = ["merchant", "card"]
    detail_select_related = ("merchant", "card")
    list_filter = [*by("merchant")]
    name_column = ""

    def ways_to_find(self, term: str) -> list[Q]:
        """Find by the pass's own name, too."""
        return [*super().ways_to_find(term), Q(**{self.name_column: term[:LONGEST_NAME]})]


@admin.register(ApplePass)
class ApplePassAdmin(PassAdmin):
    """Passes in Apple Wallet."""

    name_column = "serial"
    search_help_text = _("A serial number, a card number, a card's code or an id.")
    list_display = ["serial", "card", "merchant", "devices", "pushed_at", "fetched_at", "behind_since"]
    readonly_fields = [
        "id", "serial", "merchant", "card", "created_at", "registrations", "versions", "pushed_at", "fetched_at",
        "behind_since", "change_tag", "last_modified", "content_hash", "erased_at",
    ]  # fmt: skip
    fields: ClassVar[Any] = readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the devices of the passes that are shown."""
        return super().get_queryset(request).annotate(devices_found=devices_of_pass())

    @admin.display(description=_("devices"))
    def devices(self, row: Any) -> int:
        """Return how many devices can be reached: a phone without automatic updates is not among them."""
        return int(row.devices_found)

    @admin.display(description=_("devices"))
    def registrations(self, row: ApplePass) -> SafeString | str:
        """Return each device with when it came and when it was last heard of."""
        mine = {"merchant_id": row.merchant_id, "apple_pass_id": row.pk}
        found = AppleDeviceRegistration.objects.filter(**mine).select_related("device").order_by("registered_at")
        lines = [(_device(registration),) for registration in found[:DEVICES_SHOWN]]
        return format_html_join("", "<p>{}</p>", lines) if lines else "–"

    @admin.display(description=_("versions"))
    def versions(self, row: ApplePass) -> str:
        """Return how far the pass has come: changed, told to all devices, fetched by one."""
        words = _now("wanted %(wanted)d, pushed %(pushed)d, fetched %(fetched)d")
        return words % {"wanted": row.requested_version, "pushed": row.pushed_version, "fetched": row.fetched_version}


@admin.register(GooglePass)
class GooglePassAdmin(Revealing, PassAdmin):
    """Objects in Google Wallet, with what Google accepted last."""

    name_column = "object_id"
    search_help_text = _("An object's id at Google, a card number, a card's code or an id.")
    list_display = ["object_id", "card", "merchant", "saved", "accepted_at", "behind_since"]
    readonly_fields = [
        "id", "object_id", "merchant", "card", "created_at", "saved", "saved_at", "versions", "accepted_at",
        "behind_since", "notifications", "object_accepted",
    ]  # fmt: skip
    fields: ClassVar[Any] = readonly_fields
    actions = ["reveal"]
    revealed = ("accepted",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the JSON of fifty objects where it is: only the page of one shows it."""
        rows = super().get_queryset(request)
        page = request.resolver_match.url_name if request.resolver_match else ""
        return rows.defer("accepted") if page == "wallets_googlepass_changelist" and not request.POST else rows

    def telling(self, row: GooglePass) -> list[str]:
        """Return what the card's customer is known by."""
        return erasure.words([row.card.customer])

    @admin.display(description=_("versions"))
    def versions(self, row: GooglePass) -> str:
        """Return how far the object has come: changed, accepted."""
        words = _now("wanted %(wanted)d, accepted %(accepted)d")
        return words % {"wanted": row.requested_version, "accepted": row.accepted_version}

    @admin.display(description=_("notifications of the last day"))
    def notifications(self, row: GooglePass) -> int:
        """Return how many of the three notifications of a day were used."""
        return len(row.notified_at)

    @admin.display(description=_("as last accepted"))
    def object_accepted(self, row: GooglePass) -> SafeString | str:
        """Return the object without name, number and code."""
        return shown.document(row.accepted)


@admin.register(AppleDevice)
class AppleDeviceAdmin(ReadOnlyAdmin):
    """Devices that hold passes, whoever's. Their ids open a list without any password, so they are not shown."""

    list_display = ["id", "seen_at", "token_at", "pushed_at"]
    readonly_fields = ["id", "seen_at", "token_at", "pushed_at"]
    fields: ClassVar[Any] = readonly_fields
    ordering = ["-id"]
    searched_by_index = True


@admin.register(AppleDeviceRegistration)
class AppleDeviceRegistrationAdmin(BigTableAdmin):
    """Which device wants to hear of which pass."""

    list_display = ["registered_at", "merchant", "apple_pass", "device", "tag", "pushed_version"]
    list_filter = [*by("merchant")]
    list_select_related = ["merchant", "apple_pass", "device"]
    detail_select_related = ("merchant", "apple_pass", "device")
    card_column = "apple_pass__card_id"
    id_columns: tuple[str, ...] = ("pk", "apple_pass_id")


def _device(registration: AppleDeviceRegistration) -> str:
    device = registration.device
    words = _now("Device %(number)s: registered %(since)s, last seen %(seen)s, last pushed %(pushed)s")
    return words % {
        "number": device.pk, "since": shown.moment(registration.registered_at),
        "seen": shown.moment(device.seen_at), "pushed": shown.moment(device.pushed_at),
    }  # fmt: skip
