"""Loyalty's part in erasing a person (rule 24): their cards are closed, opened by nobody and known to no till.

Balances, rewards and ledger rows stay as they are on the closed card: Σ ledger goes on being the balance, and nothing
can be earned, redeemed, merged or taken back on it. Code, number and secret become others that nobody was ever told, so
a screenshot or a pass leads nowhere. Whoever joins again later is somebody new, with an empty card.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from core import outbox, tenancy
from core.errors import NotFound
from customers import extensions
from customers.services import erasure
from customers.services.erasure import Erased
from loyalty.enums import CardStatus, ReviewState, TransactionType
from loyalty.models import Card, CardMerge, RefusedAttempt, ReviewItem, TransactionDetail
from loyalty.queries import access, merges, persons

ATTEMPTS = 5
# What a kept operation may go on telling: how much it was about, never whose card it was.
OF_A_SALE = frozenset({"quantity", "purchase_amount_cents", "currency"})
MERGES = (TransactionType.MERGE_IN, TransactionType.MERGE_OUT)


def erase_holder(*, merchant_id: UUID, card_id: UUID, at: datetime) -> Erased:
    """Erase the person who holds a card, by their own hand. Raises NotFound, CardBusy and PersonBusy."""
    with tenancy.scope(merchant_id):
        customer_id = Card.objects.filter(pk=card_id).values_list("customer_id", flat=True).first()
    if customer_id is None:
        raise NotFound
    return erasure.erase(merchant_id=merchant_id, customer_id=customer_id, at=at)


def lock(customers: Collection[UUID]) -> None:
    """Lock the cards of these customers in the order of their ids; raises CardBusy."""
    merges.locked(persons.cards_of(customers))


def erase(customers: Collection[UUID], at: datetime) -> list[UUID]:
    """Scrub what is beside the ledger and close the cards; returns their ids. The cards are locked."""
    cards = list(Card.objects.filter(customer_id__in=customers).order_by("pk"))
    ids = [card.pk for card in cards]
    _scrub_reviews(cards, at)
    _scrub_merges(ids)
    TransactionDetail.objects.filter(transaction__card_id__in=ids).delete()
    RefusedAttempt.objects.filter(card_id__in=ids).update(facts={}, caller_id=None)
    for card in cards:
        _close(card)
        outbox.publish("card.changed", merchant_id=card.merchant_id, card_id=str(card.pk), why="erased")
    return ids


def _close(card: Card) -> None:
    """Close a card (one that was merged stays merged: it is empty) and give it codes that nobody knows."""
    card.status = card.status if card.status == CardStatus.MERGED else CardStatus.CLOSED
    card.status_reason, card.version = "", card.version + 1
    card.access_version += 1
    card.access_hash = access.hash_of(access.new_secret(card.pk, card.access_version))
    card.qr_code_data = access.new_code()
    columns = [
        "status", "status_reason", "version", "access_version", "access_hash", "qr_code_data", "card_number",
    ]  # fmt: skip
    for attempt in range(1, ATTEMPTS + 1):
        card.card_number = access.new_number()
        try:
            with transaction.atomic():
                card.save(update_fields=columns)
            break
        except IntegrityError as error:
            if attempt == ATTEMPTS or "loyalty_card_number" not in str(error):
                raise


def _scrub_merges(cards: Collection[UUID]) -> None:
    """Take the reasons off the merges of these cards, and off the rows of the other card that carry them, too."""
    for merge in CardMerge.objects.filter(Q(source_id__in=cards) | Q(target_id__in=cards)):
        told = Q(transaction__idempotency_key=merge.idempotency_key)
        if merge.undone_at is not None:
            told |= Q(transaction__occurred_at=merge.undone_at)
        both = TransactionDetail.objects.filter(
            transaction__card_id__in=(merge.source_id, merge.target_id), transaction__type__in=MERGES
        )
        both.filter(told).update(note="")
        CardMerge.objects.filter(pk=merge.pk).update(reason="")


def _scrub_reviews(cards: Collection[Card], at: datetime) -> None:
    """Leave of kept operations what was sold; those that wait for a manager are over."""
    about = Q(card__in=cards)
    for card in cards:
        about |= Q(body__card_id=str(card.pk)) | Q(body__card_number=card.card_number)
        about |= Q(body__qr_code__endswith=card.qr_code_data)
    for item in ReviewItem.objects.filter(about):
        item.body = {name: value for name, value in item.body.items() if name in OF_A_SALE}
        item.facts, item.note = {}, ""
        if item.state == ReviewState.OPEN:
            item.state, item.resolved_at = ReviewState.DISMISSED, at
        item.save(update_fields=["body", "facts", "note", "state", "resolved_at"])


ERASER = extensions.Eraser(related=persons.related, lock=lock, erase=erase)
