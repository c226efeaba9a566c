"""The card's page in the admin with its wallets: where the card lives, what has not arrived there and why."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core import audit
from core.admin import Order, reasoned
from customers.services import erasure
from loyalty.admin.cards import CardAdmin
from loyalty.models import Card
from wallets.admin import shown
from wallets.queries import overviews
from wallets.services import resync

# After what the card is, before its figures.
_STANDING = CardAdmin.fields.index("stamp_count")
# The card's own page knows nothing of wallets; theirs is the same page with more on it.
admin.site.unregister(Card)


@admin.register(Card)
class CardInWalletsAdmin(CardAdmin):
    """A card, and its passes."""

    fields = [
        *CardAdmin.fields[:_STANDING], "apple_wallet", "google_wallet", *CardAdmin.fields[_STANDING:],
    ]  # fmt: skip
    readonly_fields: ClassVar[list[str]] = [*CardAdmin.readonly_fields, "apple_wallet", "google_wallet"]
    actions = [*CardAdmin.actions, "resync"]

    @admin.display(description="Apple Wallet")
    def apple_wallet(self, card: Card) -> str:
        """Return the card's state in Apple Wallet."""
        return shown.apple(overviews.of_card(merchant_id=card.merchant_id, card_id=card.pk).apple)

    @admin.display(description="Google Wallet")
    def google_wallet(self, card: Card) -> str:
        """Return the card's state in Google Wallet."""
        return shown.google(overviews.of_card(merchant_id=card.merchant_id, card_id=card.pk).google)

    @reasoned(
        _("Send to the wallets again"),
        effect=_("Both wallets are told the card's present state, whether or not it has changed."),
    )
    def resync(self, request: HttpRequest, rows: list[Card], order: Order) -> int:
        """Tell the wallets of the chosen cards anew."""
        for card in rows:
            audit.clean_reason(order.reason, without=erasure.words([card.customer]))
            resync.card(
                merchant_id=card.merchant_id, card_id=card.pk, reason=order.reason, actor_id=order.actor_id, at=order.at
            )
        return len(rows)
