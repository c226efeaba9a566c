"""Customers in the platform's admin: masked unless somebody asks to see one and says why."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin import Order, ReadOnlyAdmin, Revealing, by, health, hidden, reasoned
from customers.enums import MailState
from customers.models import Consent, Customer, MagicLink, Mail
from customers.queries import keys, masking
from customers.services import erasure, requeue
from merchants.models import Merchant

# Every index of a tenant's table begins with the merchant: naming all of them lets each be looked up in it.
LAST = "\U0010ffff"


def of_any_merchant() -> Any:
    """Return all merchants, as a sub-query."""
    return Merchant.objects.values("pk")


@admin.register(Customer)
class CustomerAdmin(Revealing, ReadOnlyAdmin):
    """People as merchants know them."""

    list_display = ["masked_name", "masked_email", "masked_phone", "merchant", "language", "confirmed_at", "created_at"]
    list_filter = [
        *by("merchant"), ("confirmed_at", admin.EmptyFieldListFilter),
        ("erased_at", admin.EmptyFieldListFilter),
    ]  # fmt: skip
    list_select_related = ["merchant"]
    detail_select_related = ("merchant", "staff_pin", "merged_into")
    search_fields = ["pk"]
    search_help_text = _("A whole e-mail address or phone number with +, the beginning of a name, or an id.")
    searched_by_index = True
    id_columns: tuple[str, ...] = ("pk",)
    readonly_fields = [
        "id", "merchant", "masked_name", "masked_email", "masked_pending", "masked_phone", "language", "confirmed_at",
        "staff_pin", "merged_into", "erased_at", "created_at",
    ]  # fmt: skip
    fields: ClassVar[Any] = readonly_fields
    ordering = ["-id"]
    actions = ["reveal"]
    revealed = ("name", "email", "pending_email", "phone", "birth_day", "birth_month", "birth_year")

    def telling(self, row: Customer) -> list[str]:
        """Return the customer's name, addresses and number."""
        return erasure.words([row])

    def ways_to_find(self, term: str) -> list[Q]:
        """Find by id, whole address or number, or the beginning of a name."""
        ways = super().ways_to_find(term)
        name = keys.name_key(term)
        if "@" in term:
            ways.append(Q(merchant_id__in=of_any_merchant(), email_key=keys.email_key(term)))
        elif term.startswith(("+", "00")):
            ways += [Q(merchant_id__in=of_any_merchant(), phone_key=key) for key in _phone_keys(term)]
        elif name and not ways:
            ways.append(Q(merchant_id__in=of_any_merchant(), name_key__gte=name, name_key__lt=name + LAST))
        return ways

    @admin.display(description=_("name"))
    def masked_name(self, customer: Customer) -> str:
        """Return the initials."""
        return masking.mask_name(customer.name) or "–"

    @admin.display(description=_("e-mail"))
    def masked_email(self, customer: Customer) -> str:
        """Return the first letter and the host."""
        return masking.mask_email(customer.email) or "–"

    @admin.display(description=_("new e-mail"))
    def masked_pending(self, customer: Customer) -> str:
        """Return the first letter and the host of an address that waits for its proof."""
        return masking.mask_email(customer.pending_email) or "–"

    @admin.display(description=_("phone"))
    def masked_phone(self, customer: Customer) -> str:
        """Return the last two digits."""
        return masking.mask_phone(customer.phone) or "–"


class AddressedAdmin(Revealing, ReadOnlyAdmin):
    """Rows of a customer that name an address."""

    revealed = ("address",)
    search_fields = ["pk"]
    search_help_text = _("The id of a customer or of a row.")
    searched_by_index = True
    id_columns: tuple[str, ...] = ("pk", "customer_id")
    list_select_related = ["merchant"]
    detail_select_related = ("merchant", "customer")
    ordering = ["-id"]
    actions = ["reveal"]

    def telling(self, row: Any) -> list[str]:
        """Return the address, and what its customer is known by."""
        return [row.address, *erasure.words([row.customer])]

    @admin.display(description=_("address"))
    def masked_address(self, row: Any) -> str:
        """Return the address it is about, masked."""
        text = row.address
        return masking.mask_email(text) or masking.mask_phone(text) or hidden(text)


@admin.register(Consent)
class ConsentAdmin(AddressedAdmin):
    """Consents: evidence, never changed."""

    list_display = ["recorded_at", "merchant", "purpose", "channel", "granted", "source", "confirmed_at"]
    list_filter = [*by("merchant"), "purpose", "channel", "granted"]
    readonly_fields = [
        "id", "merchant", "customer", "purpose", "channel", "granted", "text_version", "language", "source",
        "masked_address", "recorded_at", "confirmed_at",
    ]  # fmt: skip
    fields: ClassVar[Any] = readonly_fields


@admin.register(MagicLink)
class MagicLinkAdmin(AddressedAdmin):
    """Links that were sent; the token is known to nobody."""

    list_display = ["created_at", "merchant", "purpose", "expires_at", "used_at"]
    list_filter = [*by("merchant"), "purpose"]
    id_columns: tuple[str, ...] = ("pk", "customer_id", "card_id")
    readonly_fields = [
        "id", "merchant", "customer", "card_id", "purpose", "masked_address", "created_at", "expires_at", "used_at",
    ]  # fmt: skip
    fields: ClassVar[Any] = readonly_fields


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    """Mails to customers: what was told and what became of it, never to which address."""

    list_display = ["created_at", "merchant", "kind", "state", "due_at", "attempts", "last_error_kind"]
    list_filter = [*by("merchant"), "state", "kind"]
    list_select_related = ["merchant"]
    detail_select_related = ("merchant", "customer")
    search_fields = ["pk"]
    search_help_text = _("The id of a customer or of a mail.")
    searched_by_index = True
    id_columns: tuple[str, ...] = ("pk", "customer_id")
    readonly_fields = [
        "id", "merchant", "customer", "kind", "purpose", "event", "facts", "state", "due_at", "attempts",
        "last_error_kind", "claimed_at", "sent_at", "created_at",
    ]  # fmt: skip
    fields: ClassVar[Any] = readonly_fields
    ordering = ["-id"]
    actions = ["requeue"]

    @admin.display(description=_("last error"))
    def last_error_kind(self, mail: Mail) -> str:
        """Return the error without what a mail server may repeat of an address."""
        words = mail.last_error.split()
        return " ".join("•••" if "@" in word else word for word in words)[:120] or "–"

    @reasoned(
        _("Send again"), when=lambda mail: mail.state == MailState.FAILED,
        effect=_("Failed mails are tried again. Consent and address are asked for again before they go."),
    )  # fmt: skip
    def requeue(self, request: HttpRequest, rows: list[Mail], order: Order) -> int:
        """Queue the chosen failed mails again."""
        return sum(
            requeue.failed_mail(
                merchant_id=row.merchant_id, mail_id=row.pk, reason=order.reason, at=order.at, actor_id=order.actor_id
            )
            for row in rows
        )  # fmt: skip


@health.lines
def of_mails(at: datetime) -> Iterable[health.Line]:
    """Tell how many mails failed."""
    failed = health.bounded(Mail.objects.filter(state=MailState.FAILED))
    url = health.to_list("customers_mail", state__exact=MailState.FAILED)
    yield health.Line(gettext("Mails that failed"), health.shown(failed), "bad" if failed else "ok", url)


def _phone_keys(term: str) -> list[str]:
    try:
        return [keys.phone_key(term, "LU")]
    except ValueError:
        return []
