"""Merging two cards of one person into one, and taking that back for 30 days (rule 25).

Everything on the source goes to the target by ledger rows of both cards under one key; the source's code, number and
secret lead to the target from then on. Taken back, the source gets what it brought as far as it is still there: what
was spent, redeemed or settled since stays so, no balance becomes negative, and rewards since the merge that have its
stamps in them give them back.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import NotFound, ValidationFailed
from loyalty.enums import CardStatus
from loyalty.models import Card, CardMerge
from loyalty.queries import card_faces
from loyalty.queries import merges as queries
from loyalty.rules import merging as rules
from loyalty.rules.points import MAX_POINTS, MICRO
from loyalty.services import parting
from loyalty.services.joining import Actor, Joining
from loyalty.services.operations import CardNotActive
from loyalty.services.voids import VoidWindowClosed


def merge(  # noqa: PLR0913 - who, what, why and through what, all by name
    *,
    merchant_id: UUID,
    card_id: UUID,
    into_id: UUID,
    reason: str,
    at: datetime,
    user_id: UUID | None = None,
    api_key_id: UUID | None = None,
    channel: str,
    store_id: UUID | None = None,
    key: str | None = None,
) -> CardMerge:
    """Move everything of a card to another one of the same program, where it goes on; both codes work (rule 25).

    Raises NotFound, ValidationFailed on `into` (the same card, another program, more points than a card can hold),
    CardNotActive (one of the two is frozen, closed or merged already), CardBusy and IdempotencyKeyReused.
    """
    actor = Actor(user_id, api_key_id, channel, store_id, key)
    with queries.bounded(), tenancy.scope(merchant_id):
        if card_id == into_id:
            raise ValidationFailed.of("into", "same_card", _("A card cannot be merged into itself."))
        cards = queries.locked([card_id, into_id])
        if len(cards) != 2:
            raise NotFound
        source, target = cards[card_id], cards[into_id]
        _check(source, target)
        return Joining(source, target, actor, reason, at).run()


def unmerge(  # noqa: PLR0913 - as merge
    *,
    merchant_id: UUID,
    card_id: UUID,
    reason: str,
    at: datetime,
    user_id: UUID | None = None,
    api_key_id: UUID | None = None,
    channel: str,
    store_id: UUID | None = None,
    key: str | None = None,
) -> CardMerge:
    """Take the merge of a card back within 30 days: both cards go on by themselves, each with its own codes.

    The source gets what it brought, less what its own refunds took since, at most what is there. Raises NotFound,
    CardNotActive (never merged; the target was frozen, closed, erased or merged further; its customer has another
    card by now), VoidWindowClosed, CardBusy and IdempotencyKeyReused.
    """
    actor = Actor(user_id, api_key_id, channel, store_id, key)
    with queries.bounded(), tenancy.scope(merchant_id):
        if not Card.objects.filter(pk=card_id).exists():
            raise NotFound
        found = queries.standing(card_id)
        if found is None:
            raise CardNotActive(message=_("This card was not merged into another one."))
        cards = queries.locked([found.source_id, found.target_id])
        # Two who take it back at once: the second one looks again behind the first one's lock.
        found = queries.standing(card_id)
        if found is None:
            raise CardNotActive(message=_("This card was not merged into another one."))
        source, target = cards[found.source_id], cards[found.target_id]
        _check_apart(found, source, target, at)
        return parting.Parting(found, source, target, actor, reason, at).run()


def _check(source: Card, target: Card) -> None:
    """Raise unless both cards are in use and of one program."""
    if source.program_id != target.program_id:
        raise ValidationFailed.of("into", "other_program", _("This card belongs to another programme."))
    for card in (source, target):
        if card.status == CardStatus.FROZEN:
            raise CardNotActive(message=_("A frozen card cannot be merged. Unfreeze it first."), card_id=str(card.pk))
        if not queries.alive(card):
            raise CardNotActive(message=_("This card is not in use any more."), card_id=str(card.pk))
    micro = source.points_micro + target.points_micro
    extra = micro // MICRO - source.points_granted - target.points_granted
    most = max(source.points_debt + target.points_debt, source.points_balance + target.points_balance + extra)
    if most > MAX_POINTS:
        raise ValidationFailed.of("into", "max_value", _("That is more than one card can hold."))


def _check_apart(found: CardMerge, source: Card, target: Card, at: datetime) -> None:
    """Raise unless the merge can be taken back now."""
    if at > found.undo_until:
        raise VoidWindowClosed(
            message=_("A merge can be taken back for 30 days. These are over."), void_until=found.undo_until
        )
    if target.status == CardStatus.MERGED:
        raise CardNotActive(
            message=_("The card it went to was merged further. Take that back first."), card_id=str(target.pk)
        )
    if target.status == CardStatus.FROZEN:
        raise CardNotActive(message=_("The card it went to is frozen. Unfreeze it first."), card_id=str(target.pk))
    if not queries.alive(target) or source.customer.erased_at is not None:
        raise CardNotActive(message=_("One of the two cards was closed or erased since."))


def preview(*, merchant_id: UUID, card_id: UUID, into_id: UUID, at: datetime) -> dict[str, Any]:
    """Return what a merge would make of the target, without doing it: its columns, and how many rewards it completes.

    Raises what `merge` raises for these two cards.
    """
    with tenancy.scope(merchant_id):
        if card_id == into_id:
            raise ValidationFailed.of("into", "same_card", _("A card cannot be merged into itself."))
        related = Card.objects.select_related("program", "customer", "enrolled_store", "merchant")
        cards = {card.pk: card for card in related.filter(pk__in=[card_id, into_id])}
        if len(cards) != 2:
            raise NotFound
        source, target = cards[card_id], cards[into_id]
        _check(source, target)
        held = [sum(item.stamps_held for item in queries.waiting(card.pk)) for card in (source, target)]
        result = rules.merge(
            queries.state(source), queries.state(target), card_faces.rules_of(target.program), held[0], held[1]
        )
        made = len(result.completions)
        ready = source.rewards_ready + target.rewards_ready + made
        return {**result.change, "rewards_ready": ready, "rewards_made": made, "extra": result.extra}


def preview_back(*, merchant_id: UUID, card_id: UUID, at: datetime) -> dict[str, Any]:
    """Return what taking a merge back would give the source now, and what is not there any more.

    Raises CardNotActive and VoidWindowClosed as `unmerge`.
    """
    with tenancy.scope(merchant_id):
        found = queries.standing(card_id)
        if found is None:
            raise CardNotActive(message=_("This card was not merged into another one."))
        related = Card.objects.select_related("program", "customer", "enrolled_store", "merchant")
        source, target = related.get(pk=found.source_id), related.get(pk=found.target_id)
        _check_apart(found, source, target, at)
        family = queries.family(source.pk)
        returning = queries.own_rewards(found, family)
        facts = parting.look(found, family, returning)
        result = rules.unmerge(queries.state(source), queries.state(target), card_faces.rules_of(target.program), facts)
        return {**asdict(result), "returning": len(returning)}
