"""Freezing a card (lost, under review) and letting it go on: no earning, no redeeming meanwhile (rule 20).

Customers and tills read neutral words; the reason stands on the card, for managers. Balances stay as they are and
nothing expires; a manager can still undo, refund and adjust.
"""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import audit, outbox, tenancy
from core.errors import NotFound
from loyalty.enums import CardStatus
from loyalty.models import Card
from loyalty.queries import merges as queries
from loyalty.rules import expiry as expiry_rules
from loyalty.services.operations import CardNotActive
from loyalty.services.programs import StatusChangeRefused


def freeze(
    *, merchant_id: UUID, card_id: UUID, reason: str, at: datetime, user_id: UUID | None = None,
    api_key_id: UUID | None = None,
) -> Card:  # fmt: skip
    """Freeze an active card. Raises NotFound, CardNotActive (frozen already, closed or merged) and CardBusy."""
    with tenancy.scope(merchant_id):
        card = _locked(card_id)
        if card.status != CardStatus.ACTIVE:
            raise CardNotActive(message=_("Only a card in use can be frozen."), card_status=card.status)
        card.status, card.status_reason = CardStatus.FROZEN, reason
        return _save(card, "card_frozen", user_id, api_key_id, ["status", "status_reason"])


def unfreeze(
    *, merchant_id: UUID, card_id: UUID, reason: str, at: datetime, user_id: UUID | None = None,
    api_key_id: UUID | None = None,
) -> Card:  # fmt: skip
    """Let a frozen card go on; points that would have expired meanwhile live long enough to be warned of.

    Raises NotFound, CardNotActive (closed or merged), StatusChangeRefused (it is in use already) and CardBusy.
    """
    with tenancy.scope(merchant_id):
        card = _locked(card_id)
        if card.status == CardStatus.ACTIVE:
            raise StatusChangeRefused(
                message=_("This card is in use already."), from_status=card.status, to_status=card.status
            )
        if card.status != CardStatus.FROZEN:
            raise CardNotActive(message=_("This card is not in use any more."), card_status=card.status)
        card.status, card.status_reason = CardStatus.ACTIVE, ""
        today = expiry_rules.local_date(at, card.merchant.time_zone)
        card.last_activity_on = expiry_rules.with_notice(card.last_activity_on, card.program, today)
        return _save(card, "card_unfrozen", user_id, api_key_id, ["status", "status_reason", "last_activity_on"])


def _locked(card_id: UUID) -> Card:
    card = queries.locked([card_id]).get(card_id)
    if card is None:
        raise NotFound
    return card


def _save(card: Card, action: str, user_id: UUID | None, api_key_id: UUID | None, columns: list[str]) -> Card:
    card.version += 1
    card.save(update_fields=[*columns, "version"])
    facts = {"api_key": str(api_key_id)} if api_key_id else {}
    # The reason may name somebody; the audit keeps it for good, so it stays with the card.
    audit.note(
        action=action, target=f"card {card.pk}", actor_id=user_id, merchant_id=card.merchant_id, facts=facts
    )  # fmt: skip
    outbox.publish("card.changed", merchant_id=card.merchant_id, card_id=str(card.pk), why=action)
    return card
