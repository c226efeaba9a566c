"""Where merchants stand with the platform: the actions with reasons that change it, and the lines of the panel."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import audit
from core.admin import Order, health, reasoned
from merchants.enums import MerchantStatus
from merchants.models import Merchant, MerchantSettings
from merchants.services import closing, platform

SWITCHES = tuple(platform.SWITCHES)


def _switched(name: str, *, on: bool) -> Callable[[Any], bool]:
    """Tell of an open merchant whether a switch is on (or off)."""

    def when(merchant: Any) -> bool:
        if merchant.status not in ("trial", "active", "late"):
            return False
        if not hasattr(merchant, "switches"):
            merchant.switches = MerchantSettings.objects.filter(merchant_id=merchant.pk).values(*SWITCHES).first()
        return bool((merchant.switches or {}).get(name)) is on

    return when


def _stands(*statuses: str) -> Callable[[Any], bool]:
    return lambda merchant: merchant.status in statuses


class StandingActions:
    """The actions of the merchants' list and of a merchant's page."""

    actions: Any = (
        "suspend_enrollment", "allow_enrollment", "suspend_messages", "allow_messages", "mark_late", "suspend",
        "reactivate", "export", "close_with_export",
    )  # fmt: skip

    @reasoned(
        gettext_lazy("Stop new enrolments"), when=_switched("enrollment_suspended", on=False),
        effect=gettext_lazy("Nobody can join any more. Cards that exist go on working."),
    )  # fmt: skip
    def suspend_enrollment(self, request: HttpRequest, rows: list[Merchant], order: Order) -> int:
        """Stop new enrolments."""
        return _switch(rows, order, "enrollment_suspended", on=True)

    @reasoned(
        gettext_lazy("Allow enrolments again"), when=_switched("enrollment_suspended", on=True),
        effect=gettext_lazy("Customers can join again."),
    )  # fmt: skip
    def allow_enrollment(self, request: HttpRequest, rows: list[Merchant], order: Order) -> int:
        """Allow new enrolments again."""
        return _switch(rows, order, "enrollment_suspended", on=False)

    @reasoned(
        gettext_lazy("Stop messages"), when=_switched("messages_suspended", on=False),
        effect=gettext_lazy("No mail of the merchant goes out any more, those that wait included."),
    )  # fmt: skip
    def suspend_messages(self, request: HttpRequest, rows: list[Merchant], order: Order) -> int:
        """Stop messages."""
        return _switch(rows, order, "messages_suspended", on=True)

    @reasoned(
        gettext_lazy("Allow messages again"), when=_switched("messages_suspended", on=True),
        effect=gettext_lazy("Mails go out again."),
    )  # fmt: skip
    def allow_messages(self, request: HttpRequest, rows: list[Merchant], order: Order) -> int:
        """Allow messages again."""
        return _switch(rows, order, "messages_suspended", on=False)

    @reasoned(
        gettext_lazy("Mark as late with the bill"), when=_stands("trial", "active"),
        effect=gettext_lazy("No new customers and no messages; cards go on working for 60 days."),
    )  # fmt: skip
    def mark_late(self, request: HttpRequest, rows: list[Merchant], order: Order) -> int:
        """Note that merchants are late with the bill."""
        return _stand(rows, order, MerchantStatus.LATE)

    @reasoned(
        gettext_lazy("Suspend"), when=_stands("trial", "active", "late"), grave=True,
        effect=gettext_lazy("No new customers and no messages; cards go on working for 60 days, then they stop."),
    )  # fmt: skip
    def suspend(self, request: HttpRequest, rows: list[Merchant], order: Order) -> int:
        """Suspend merchants."""
        return _stand(rows, order, MerchantStatus.SUSPENDED)

    @reasoned(
        gettext_lazy("Reactivate"), when=_stands("trial", "late", "suspended", "closed"),
        effect=gettext_lazy("Everything works again at once."),
    )  # fmt: skip
    def reactivate(self, request: HttpRequest, rows: list[Merchant], order: Order) -> int:
        """Let merchants work again."""
        return _stand(rows, order, MerchantStatus.ACTIVE)

    @reasoned(
        gettext_lazy("Export everything"), at_most=1,
        effect=gettext_lazy("A ZIP with all cards, transactions and customers of the merchant, names included."),
    )  # fmt: skip
    def export(self, request: HttpRequest, rows: list[Merchant], order: Order) -> HttpResponse:
        """Hand out a merchant's data; that is noted."""
        merchant = rows[0]
        audit.note(
            action="merchant_exported", target=f"merchant {merchant.pk}", actor_id=order.actor_id,
            merchant_id=merchant.pk, reason=order.reason, facts={"files": list(closing.files())},
        )  # fmt: skip
        return _archive(merchant)

    @reasoned(
        gettext_lazy("Close with export"), at_most=1, grave=True,
        when=_stands("trial", "active", "late", "suspended"),
        effect=gettext_lazy(
            "The merchant's pages, tills and keys stop at once, and you get a ZIP with all its data to hand over."
        ),
    )  # fmt: skip
    def close_with_export(self, request: HttpRequest, rows: list[Merchant], order: Order) -> HttpResponse:
        """Close a merchant and hand out its data; the file is made after the closing, so nothing is missing in it."""
        merchant = rows[0]
        platform.set_standing(
            merchant_id=merchant.pk, status=MerchantStatus.CLOSED, reason=order.reason, at=order.at,
            actor_id=order.actor_id,
        )  # fmt: skip
        audit.note(
            action="merchant_exported", target=f"merchant {merchant.pk}", actor_id=order.actor_id,
            merchant_id=merchant.pk, reason=order.reason, facts={"files": list(closing.files())},
        )  # fmt: skip
        return _archive(merchant)


def _switch(rows: list[Merchant], order: Order, name: str, *, on: bool) -> int:
    return sum(
        platform.switch(
            merchant_id=row.pk, name=name, on=on, reason=order.reason, at=order.at, actor_id=order.actor_id
        )
        for row in rows
    )  # fmt: skip


def _stand(rows: list[Merchant], order: Order, status: str) -> int:
    return sum(
        platform.set_standing(
            merchant_id=row.pk, status=status, reason=order.reason, at=order.at, actor_id=order.actor_id
        )
        for row in rows
    )  # fmt: skip


def _archive(merchant: Merchant) -> HttpResponse:
    answer: Any = StreamingHttpResponse(closing.archive(merchant_id=merchant.pk), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{merchant.slug}-export.zip"'
    answer["Cache-Control"] = "no-store, private"
    answer["X-Accel-Buffering"] = "no"
    return answer


@health.lines
def of_merchants(at: datetime) -> Iterable[health.Line]:
    """Tell how many merchants are late or suspended, and where something is stopped."""
    for status, label in (
        (MerchantStatus.LATE, _("Merchants late with the bill")), (MerchantStatus.SUSPENDED, _("Merchants suspended")),
    ):  # fmt: skip
        count = health.bounded(Merchant.objects.filter(status=status))
        url = health.to_list("merchants_merchant", status__exact=status)
        yield health.Line(label, health.shown(count), "warn" if count else "ok", url)
    for name, label in (
        ("enrollment_suspended", _("Enrolments stopped")), ("messages_suspended", _("Messages stopped")),
    ):  # fmt: skip
        count = health.bounded(MerchantSettings.objects.filter(**{name: True}))
        url = health.to_list("merchants_merchantsettings", **{f"{name}__exact": "1"})
        yield health.Line(label, health.shown(count), "warn" if count else "ok", url)
