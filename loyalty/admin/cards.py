"""Cards, their rewards and merges in the platform's admin: looked at, frozen and let go with a reason, never edited."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core import audit
from core.admin import Order, ReadOnlyAdmin, Revealing, by, hidden, reasoned
from core.admin.base import as_uuid
from customers.services import erasure
from loyalty.enums import CardStatus
from loyalty.models import Card, CardMerge, IssuedReward
from loyalty.services import freezing
from merchants.models import Merchant

NUMBER_DIGITS = 12
MOST_CARDS = 50


class BigTableAdmin(ReadOnlyAdmin):
    """Rows of a table that only grows: newest first by id, found by an id or a card, never by a scan of text."""

    ordering = ["-id"]
    card_column = "card_id"
    id_columns: tuple[str, ...] = ("pk", "card_id")
    searched_by_index = True
    search_help_text = _("A card number, a card's code or an id.")
    search_fields = ["pk"]

    def ways_to_find(self, term: str) -> list[Q]:
        """Find by id, or by the number or code of a card."""
        wanted = as_uuid(term)
        if wanted is not None:
            own = [column for column in self.id_columns if column == "pk"]
            others = [column for column in self.id_columns if column != "pk"]
            return [Q(pk=wanted) for _ in own] + [Q(any_merchant(), **{column: wanted}) for column in others]
        cards = list(Card.objects.filter(card_named(term)).values_list("merchant_id", "pk")[:MOST_CARDS])
        if not cards:
            return []
        merchants, ids = ({pair[0] for pair in cards}, {pair[1] for pair in cards})
        path = "transaction__" if self.card_column.startswith("transaction__") else ""
        return [Q(**{f"{path}merchant_id__in": merchants, f"{self.card_column}__in": ids})]


def any_merchant() -> Q:
    """Return a condition that is always true, by which a row is looked up merchant by merchant.

    Every index of a tenant's table begins with the merchant; without it the whole index would be read.
    """
    return Q(merchant_id__in=Merchant.objects.values("pk"))


def card_named(term: str) -> Q:
    """Return the condition of cards with this number, or the code of their QR (also as the address it stands in)."""
    code = term.rstrip("/").rpartition("/c/")[2]
    digits = code.replace(" ", "").replace("-", "")
    if digits.isascii() and digits.isdigit() and len(digits) <= NUMBER_DIGITS:
        return Q(any_merchant(), card_number=digits)
    return Q(qr_code_data=code)


@admin.register(Card)
class CardAdmin(Revealing, BigTableAdmin):
    """Cards and their balances, which only the ledger moves. No secret and no code is shown."""

    list_display = [
        "card_number", "merchant", "program", "status", "stamp_count", "points_balance", "last_activity_on",
        "enrolled_at",
    ]  # fmt: skip
    list_filter = [*by("merchant", "program", "enrolled_store"), "status"]
    list_select_related = ["merchant", "program"]
    detail_select_related = ("merchant", "program", "customer", "enrolled_store", "merged_into")
    card_column = "pk"
    id_columns: tuple[str, ...] = ("pk", "customer_id")
    fields = [
        "id", "card_number", "merchant", "program", "customer", "enrolled_store", "status", "masked_reason",
        "merged_into", "stamp_count", "stamps_target", "stamps_reward", "points_balance", "points_debt",
        "points_micro", "points_granted", "rewards_ready", "stamps_today", "stamps_day", "welcome_granted",
        "last_stamp_at", "last_points_at", "last_activity_on", "seq", "version", "enrolled_at",
    ]  # fmt: skip
    readonly_fields = ["masked_reason"]
    actions = ["freeze", "unfreeze", "reveal"]
    revealed = ("status_reason",)

    def telling(self, row: Card) -> list[str]:
        """Return what the card's customer is known by."""
        return erasure.words([row.customer])

    @admin.display(description=_("reason"))
    def masked_reason(self, card: Card) -> str:
        """Return whether there is a reason: a manager's words may name a person."""
        return hidden(card.status_reason)

    @reasoned(
        _("Freeze"), when=lambda card: card.status == CardStatus.ACTIVE,
        effect=_("No stamps, points or rewards until it is let go. The customer reads a neutral word."),
    )  # fmt: skip
    def freeze(self, request: HttpRequest, rows: list[Card], order: Order) -> int:
        """Freeze the chosen cards."""
        return _each(freezing.freeze, rows, order, CardStatus.ACTIVE, "card_frozen_by_platform")

    @reasoned(
        _("Let go"), when=lambda card: card.status == CardStatus.FROZEN,
        effect=_("The card works again at once."),
    )  # fmt: skip
    def unfreeze(self, request: HttpRequest, rows: list[Card], order: Order) -> int:
        """Let the chosen cards work again."""
        return _each(freezing.unfreeze, rows, order, CardStatus.FROZEN, "card_unfrozen_by_platform")


@admin.register(IssuedReward)
class IssuedRewardAdmin(BigTableAdmin):
    """Rewards that belong to a card."""

    list_display = ["name", "card", "merchant", "source", "state", "issued_at", "expires_at", "redeemed_at"]
    list_filter = [*by("merchant"), "state", "source"]
    list_select_related = ["card", "merchant"]
    detail_select_related = ("card", "merchant")


@admin.register(CardMerge)
class CardMergeAdmin(Revealing, BigTableAdmin):
    """Merges, and until when they can be undone."""

    list_display = ["merged_at", "merchant", "source", "target", "merged_by", "undo_until", "undone_at"]
    list_filter = [*by("merchant"), ("undone_at", admin.EmptyFieldListFilter)]
    list_select_related = ["merchant", "source", "target", "merged_by"]
    detail_select_related = ("merchant", "source", "target", "merged_by", "undone_by")
    id_columns: tuple[str, ...] = ("pk", "source_id", "target_id")
    card_column = "source_id"
    exclude = ["reason"]
    readonly_fields = ["masked_reason"]
    actions = ["reveal"]
    revealed = ("reason",)

    def telling(self, row: CardMerge) -> list[str]:
        """Return what the customers of both cards are known by."""
        return erasure.words([row.source.customer, row.target.customer])

    @admin.display(description=_("reason"))
    def masked_reason(self, merge: CardMerge) -> str:
        """Return whether there is a reason."""
        return hidden(merge.reason)


def _each(change: Callable[..., Any], rows: list[Card], order: Order, status: str, action: str) -> int:
    """Change the cards that stand so, one after the other in the order of their keys; returns how many."""
    found = [row for row in rows if row.status == status]
    for row in found:
        audit.clean_reason(order.reason, without=erasure.words([row.customer]))
        change(merchant_id=row.merchant_id, card_id=row.pk, reason=order.reason, at=order.at, user_id=order.actor_id)
        audit.note(
            action=action, target=f"card {row.pk}", actor_id=order.actor_id, merchant_id=row.merchant_id,
            reason=order.reason,
        )  # fmt: skip
    return len(found)
