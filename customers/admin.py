"""Customers in the platform's admin: masked unless somebody asks to see them, and then that is noted."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin
from core.models import AuditEntry
from customers.models import Consent, Customer, MagicLink
from customers.queries import masking

MASKED = ["masked_name", "masked_email", "masked_phone", "reveal"]
IN_FULL = ["name", "email", "phone", "birth_day", "birth_month", "birth_year"]
CONSENT = (
    "id", "merchant", "customer_id", "purpose", "channel", "granted", "text_version", "language", "source",
    "masked_address", "recorded_at", "confirmed_at",
)  # fmt: skip
LINK = ("id", "merchant", "customer_id", "card_id", "purpose", "created_at", "expires_at", "used_at")


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """People as merchants know them. `?reveal=1` shows one in full and writes an audit entry."""

    list_display = ["masked_name", "masked_email", "masked_phone", "merchant", "language", "confirmed_at", "created_at"]
    list_filter = ["language", ("confirmed_at", admin.EmptyFieldListFilter), ("erased_at", admin.EmptyFieldListFilter)]
    list_select_related = ["merchant"]
    search_fields = ["=id", "=email_key", "=phone_key", "merchant__slug"]
    ordering = ["-id"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the masked fields, or the real ones where they were asked for."""
        person = IN_FULL if "reveal" in request.GET else MASKED
        return ["id", "merchant", *person, "language", "confirmed_at", "erased_at", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return all of them: customers change their data themselves."""
        return self.get_fields(request, obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show a customer; note who looked at one in full."""
        if "reveal" in request.GET:
            customer = self.get_object(request, object_id)
            if customer is not None:
                AuditEntry.objects.create(
                    merchant_id=customer.merchant_id, actor_id=request.user.pk, action="customer_revealed",
                    target=f"customer {customer.pk}", reason="looked at in the admin",
                )  # fmt: skip
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.display(description=_("name"))
    def masked_name(self, customer: Customer) -> str:
        """Return the initials."""
        return masking.mask_name(customer.name) or "–"

    @admin.display(description=_("e-mail"))
    def masked_email(self, customer: Customer) -> str:
        """Return the first letter and the host."""
        return masking.mask_email(customer.email) or "–"

    @admin.display(description=_("phone"))
    def masked_phone(self, customer: Customer) -> str:
        """Return the last two digits."""
        return masking.mask_phone(customer.phone) or "–"

    @admin.display(description=_("in full"))
    def reveal(self, customer: Customer) -> str:
        """Return the link that shows the customer in full."""
        return format_html('<a href="?reveal=1">{}</a>', _("Show; it is noted who looked"))


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """Consents: evidence, never changed."""

    list_display = ["recorded_at", "merchant", "purpose", "channel", "granted", "source", "confirmed_at"]
    list_filter = ["purpose", "channel", "granted", "source"]
    list_select_related = ["merchant"]
    search_fields = ["=customer__id", "merchant__slug"]
    fields = readonly_fields = CONSENT
    ordering = ["-recorded_at"]

    @admin.display(description=_("address"))
    def masked_address(self, consent: Consent) -> str:
        """Return the address it is about, masked."""
        return masking.mask_email(consent.address) or masking.mask_phone(consent.address) or "–"


@admin.register(MagicLink)
class MagicLinkAdmin(ReadOnlyAdmin):
    """Links that were sent; the token is known to nobody."""

    list_display = ["created_at", "merchant", "purpose", "expires_at", "used_at"]
    list_filter = ["purpose"]
    list_select_related = ["merchant"]
    search_fields = ["=customer__id", "=card_id", "merchant__slug"]
    fields = readonly_fields = LINK
    ordering = ["-created_at"]
