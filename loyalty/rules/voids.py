"""Rules of undoing stamps: which rewards used them, and what becomes of those (rule 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class EarnedStamps:
    """Stamps that were given and not undone, by their ledger row."""

    id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class EarnedReward:
    """A reward that full cards issued and that was not taken back; ledger_* is its reward_issued row."""

    id: UUID
    name: str
    state: str
    stamps_used: int
    stamps_held: int
    ledger_id: UUID
    ledger_delta: int


@dataclass(frozen=True, slots=True)
class History:
    """A card's stamps and the rewards they paid for, each in the order of the ledger."""

    stamps: Sequence[EarnedStamps]
    rewards: Sequence[EarnedReward]


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing makes of the card: its count and the rewards to cancel, or the redeemed one that forbids it."""

    count_after: int = 0
    cancelled: tuple[EarnedReward, ...] = ()
    blocked_by: EarnedReward | None = None


def undo_stamps(count: int, row_id: UUID, history: History) -> Undone:
    """Decide what undoing one row of stamps does to a card that shows `count`.

    Stamps are used in the order in which they were given. A redeemed reward that used one of them forbids it; issued
    ones are cancelled, the newest first, as far as the card needs their stamps back.
    """
    for reward in _rewards_that_used(row_id, history):
        if reward.state == "redeemed":
            return Undone(blocked_by=reward)
    count -= next(row.quantity for row in history.stamps if row.id == row_id)
    cancelled = []
    for reward in reversed([reward for reward in history.rewards if reward.state == "issued"]):
        if count < (reward.stamps_used if reward.stamps_held else 0):
            cancelled.append(reward)
            count += reward.stamps_used - reward.stamps_held
    if count < 0:
        return Undone(blocked_by=history.rewards[-1])
    return Undone(count, tuple(cancelled))


def _rewards_that_used(row_id: UUID, history: History) -> list[EarnedReward]:
    first = 0
    for row in history.stamps:
        if row.id == row_id:
            break
        first += row.quantity
    last, used_before, found = first + row.quantity, 0, []
    for reward in history.rewards:
        used_until = used_before + reward.stamps_used
        if used_before < last and used_until > first:
            found.append(reward)
        used_before = used_until
    return found
