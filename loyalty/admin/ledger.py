"""The ledger, what was refused, and what waits for a manager, in the platform's admin: looked at only."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.admin import Revealing, by, hidden
from customers.services import erasure
from loyalty.admin.cards import BigTableAdmin, any_merchant
from loyalty.models import RefusedAttempt, ReviewItem, Transaction, TransactionDetail

LONGEST_KEY = 128


@admin.register(Transaction)
class TransactionAdmin(BigTableAdmin):
    """The ledger. The database itself refuses to change it."""

    list_display = [
        "occurred_at", "merchant", "card", "type", "stamps_delta", "points_delta", "store", "staff_pin", "channel",
    ]  # fmt: skip
    list_filter = [*by("merchant", "store"), "type", "channel"]
    list_select_related = ["merchant", "card", "store", "staff_pin"]
    detail_select_related = (
        "merchant", "card", "program", "store", "staff_pin", "terminal", "api_key", "user", "reward", "issued_reward",
        "reverses",
    )  # fmt: skip
    search_help_text = _("A card number, a card's code, an id or an idempotency key.")
    id_columns: tuple[str, ...] = ("pk", "card_id")

    def ways_to_find(self, term: str) -> list[Q]:
        """Find also by the key under which it was sent."""
        return [*super().ways_to_find(term), Q(any_merchant(), idempotency_key=term[:LONGEST_KEY])]


@admin.register(TransactionDetail)
class TransactionDetailAdmin(Revealing, BigTableAdmin):
    """What an operation carried of personal data or free text."""

    list_display = ["transaction_id", "merchant", "masked_ip", "masked_note"]
    list_filter = by("merchant")
    list_select_related = ["merchant"]
    detail_select_related = ("merchant", "transaction")
    card_column = "transaction__card_id"
    id_columns: tuple[str, ...] = ("pk", "transaction_id")
    readonly_fields = ["id", "merchant", "transaction", "masked_ip", "masked_agent", "masked_note"]
    fields: ClassVar[Any] = readonly_fields
    actions = ["reveal"]
    revealed = ("ip", "user_agent", "note")

    def telling(self, row: TransactionDetail) -> list[str]:
        """Return what the card's customer is known by."""
        return erasure.words([row.transaction.card.customer])

    @admin.display(description=_("IP address"))
    def masked_ip(self, detail: TransactionDetail) -> str:
        """Return whether there is one."""
        return hidden(detail.ip)

    @admin.display(description=_("browser"))
    def masked_agent(self, detail: TransactionDetail) -> str:
        """Return whether there is one."""
        return hidden(detail.user_agent)

    @admin.display(description=_("note"))
    def masked_note(self, detail: TransactionDetail) -> str:
        """Return whether there is one."""
        return hidden(detail.note)


@admin.register(RefusedAttempt)
class RefusedAttemptAdmin(BigTableAdmin):
    """Operations that were refused, and why."""

    list_display = ["occurred_at", "merchant", "operation", "code", "card", "store", "staff_pin", "caller_kind"]
    list_filter = by("merchant", "store")
    list_select_related = ["merchant", "card", "store", "staff_pin"]
    detail_select_related = ("merchant", "card", "store", "staff_pin")


@admin.register(ReviewItem)
class ReviewItemAdmin(Revealing, BigTableAdmin):
    """What a till did without a connection and could not be booked; the merchant's managers decide."""

    list_display = ["occurred_at", "merchant", "store", "op", "code", "state", "received_at"]
    list_filter = [*by("merchant", "store"), "state"]
    list_select_related = ["merchant", "store"]
    detail_select_related = ("merchant", "store", "terminal", "staff_pin", "card", "transaction", "resolved_by")
    exclude = ["body", "note"]
    readonly_fields = ["masked_note"]
    actions = ["reveal"]
    revealed = ("body", "note")

    def telling(self, row: ReviewItem) -> list[str]:
        """Return what the card's customer is known by, where the card was known."""
        return erasure.words([row.card.customer]) if row.card is not None else []

    @admin.display(description=_("note"))
    def masked_note(self, item: ReviewItem) -> str:
        """Return whether there is one."""
        return hidden(item.note)
