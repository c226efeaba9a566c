"""Reads about merged cards: where a card's codes lead now, what a merge brought together, what happened since."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from django.db import OperationalError, connection
from django.db.models import Sum
from psycopg.errors import DeadlockDetected, LockNotAvailable

from loyalty.enums import CardStatus, RewardSource, RewardState
from loyalty.models import Card, CardMerge, IssuedReward, Transaction
from loyalty.queries.hot import LOCK_TIMEOUT, CardBusy
from loyalty.rules.merging import Moved, Waiting
from loyalty.rules.states import CardState


@dataclass(frozen=True, slots=True)
class Undo:
    """A merge that can still be taken apart: of this card into `target`, until when."""

    merge: CardMerge
    target: Card
    until: datetime


def absorbed(card_id: UUID) -> list[UUID]:
    """Return the cards that were merged into a card, directly or by way of another one."""
    return list(Card.objects.filter(merged_into_id=card_id).values_list("pk", flat=True))


def resolved(card_id: UUID) -> UUID | None:
    """Return the card that goes on for a card: itself, or the one it was merged into; None when there is none."""
    row = Card.objects.filter(pk=card_id).values_list("pk", "merged_into_id").first()
    return (row[1] or row[0]) if row is not None else None


def standing(source_id: UUID) -> CardMerge | None:
    """Return the merge in which a card ended, None for one that was never merged or came back."""
    found: CardMerge | None = CardMerge.objects.filter(source_id=source_id, undone_at__isnull=True).first()
    return found


def undoable(source_id: UUID, at: datetime) -> Undo | None:
    """Return the merge of a card that can be undone now, with the card that it went into."""
    merge = CardMerge.objects.select_related("target__customer", "target__program").filter(
        source_id=source_id, undone_at__isnull=True, undo_until__gte=at
    ).first()  # fmt: skip
    return Undo(merge, merge.target, merge.undo_until) if merge is not None else None


def into(target_id: UUID) -> list[CardMerge]:
    """Return the standing merges into a card, the newest first, each with its source loaded."""
    rows = CardMerge.objects.filter(target_id=target_id, undone_at__isnull=True)
    return list(rows.select_related("source__customer").order_by("-merged_at"))


def family(card_id: UUID) -> list[UUID]:
    """Return a card and all that were merged into it before it was merged itself."""
    found, new = [card_id], [card_id]
    while new:
        rows = CardMerge.objects.filter(target_id__in=new, undone_at__isnull=True)
        new = [card for card in rows.values_list("source_id", flat=True) if card not in found]
        found += new
    return found


@contextmanager
def bounded() -> Iterator[None]:
    """Turn a lock that was not had in time, or a deadlock with another merge, into CardBusy; goes around the scope."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, (LockNotAvailable, DeadlockDetected)):
            raise CardBusy(retry_after=1) from error
        raise


def locked(card_ids: Sequence[UUID]) -> dict[UUID, Card]:
    """Lock cards in the order of their ids and return them with program and customer; raises CardBusy.

    An open transaction is needed; whoever holds one of them for longer than half a second is not waited for.
    """
    rows = Card.objects.filter(pk__in=card_ids).select_for_update(of=("self",), no_key=True).order_by("pk")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
    with bounded():
        return {card.pk: card for card in rows.select_related("program", "customer", "enrolled_store", "merchant")}


def state(card: Card) -> CardState:
    """Return a card as the rules see it."""
    return CardState(**{item.name: getattr(card, item.name) for item in fields(CardState)})


def waiting(card_id: UUID) -> list[Waiting]:
    """Return the rewards of full cards that wait on a card, in the order of issue."""
    rows = IssuedReward.objects.filter(card_id=card_id, source=RewardSource.STAMPS, state=RewardState.ISSUED)
    return [
        Waiting(row.pk, row.name, row.stamps_used, row.stamps_held, row.issued_at)
        for row in rows.order_by("issued_at", "id")
    ]


def since(merge: CardMerge, cards: Sequence[UUID]) -> Moved:
    """Return what undoing and refunding rows of the source and its family has moved elsewhere since the merge."""
    rows = Transaction.objects.filter(reverses__card_id__in=cards).exclude(card_id__in=cards)
    rows = rows.filter(recorded_at__gt=merge.moved["recorded_at"])
    columns = {"stamps": "stamps_delta", "points": "points_delta", "debt": "debt_delta", "micro": "micro_delta"}
    sums = rows.aggregate(**{name: Sum(column) for name, column in columns.items()})
    return Moved(**{name: value or 0 for name, value in sums.items()})


def own_rewards(merge: CardMerge, cards: Sequence[UUID]) -> list[UUID]:
    """Return the rewards waiting on the target that came from the source, those made ready again since included."""
    brought = {UUID(reward) for reward in merge.moved["rewards"]}
    found = []
    for reward in waiting(merge.target_id):
        line = lineage(reward.id)
        if any(row.pk in brought or row.card_id in cards for row in line):
            found.append(reward.id)
    return found


def lineage(reward_id: UUID) -> list[IssuedReward]:
    """Return a reward and those it reinstates, back to the one that a full card issued."""
    line, wanted = [], reward_id
    while wanted is not None:
        line.append(IssuedReward.objects.get(pk=wanted))
        wanted = line[-1].reinstates_id
    return line


def alive(card: Card) -> bool:
    """Tell whether a card is in use, and its customer not erased."""
    return card.status == CardStatus.ACTIVE and card.customer.erased_at is None
