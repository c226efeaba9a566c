"""What changed and which passes have to follow: cards one by one, programs and merchants with all their cards.

Nothing of the change is carried along: passes are made of the state that is read when a provider is told.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from core import tenancy
from loyalty.enums import CardStatus
from loyalty.models import Card, Program
from wallets.enums import Priority, Provider
from wallets.queries.providers import in_use
from wallets.services import queue

CHUNK = 500
# What does harm while a phone still shows the old state: a reward that was handed out, a stamp taken back, a card that
# must not be used. Everything else only adds to a card, and waits behind these where a provider limits the pace.
URGENT = frozenset(
    {
        "stamp_redeemed", "points_redeemed", "void", "refund", "adjustment", "merge_in", "merge_out", "card_frozen",
        "card_unfrozen", "erased",
    }
)  # fmt: skip
OVER = frozenset({CardStatus.CLOSED, CardStatus.MERGED})


def priority_of(why: str) -> Priority:
    """Return how urgent a change is, by the reason that its event names."""
    return Priority.REDEEM if why in URGENT else Priority.STAMP


def note_change(*, merchant_id: UUID, card_id: UUID, why: str, at: datetime) -> frozenset[Provider]:
    """Note that a card changed, for each wallet in use; returns the wallets for which something was queued.

    A card that is over gets no new pass, but the ones it has are told. A card that is not there is nobody's.
    """
    used = [provider for provider in Provider if in_use(provider, merchant_id)]
    if not used:
        return frozenset()
    how: dict[str, Any] = {"merchant_id": merchant_id, "card_id": card_id, "at": at, "priority": priority_of(why)}
    known, queued = queue.request_known(providers=used, **how)
    missing = [provider for provider in used if provider not in known]
    if not missing:
        return queued
    with tenancy.scope(merchant_id):
        return queued | _request_new(missing, how)


def _request_new(providers: list[Provider], how: dict[str, Any]) -> frozenset[Provider]:
    """Do it for the wallets in which the card has no pass yet: it gets one, unless it is over or not there."""
    status = Card.objects.filter(pk=how["card_id"]).values_list("status", flat=True).first()
    if status is None:
        return frozenset()
    queued = set()
    for provider in providers:
        request = queue.request_apple if provider == Provider.APPLE else queue.request_google
        if request(make=status not in OVER, **how):
            queued.add(provider)
    return frozenset(queued)


def note_class(*, merchant_id: UUID, program_id: UUID, at: datetime) -> bool:
    """Note that what all cards of a program share looks different at Google; False where nobody is to be told."""
    if not in_use(Provider.GOOGLE, merchant_id):
        return False
    with tenancy.scope(merchant_id):
        if not Program.objects.filter(pk=program_id).exists():
            return False
        queue.request_class(program_id=program_id, at=at)
    return True


def note_cards(
    *, merchant_id: UUID, program_id: UUID, provider: Provider, at: datetime, after: UUID | None = None
) -> UUID | None:  # fmt: skip
    """Note that all cards of a program look different, for the next chunk of those that are in this wallet.

    Returns after which card to go on, None when that was all. Each chunk is a short transaction of its own.
    """
    if not in_use(provider, merchant_id):
        return None
    with tenancy.scope(merchant_id):
        cards = queue.request_many(
            merchant_id=merchant_id, program_id=program_id, provider=provider, after=after, size=CHUNK, at=at
        )
    return cards[-1] if len(cards) == CHUNK else None


def programs_of(*, merchant_id: UUID) -> list[UUID]:
    """Return the programs of a merchant: the passes of all of them show its name, its looks and its stores."""
    with tenancy.scope(merchant_id):
        return list(Program.objects.order_by("pk").values_list("pk", flat=True))
