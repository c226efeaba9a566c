"""Rules of undoing stamps: which rewards used them, and what becomes of those (rule 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class EarnedStamps:
    """Stamps that came to a card and were not undone, by their ledger row; what was taken off by hand is taken off."""

    id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class EarnedReward:
    """A reward that full cards issued and that was not taken back; ledger_id is its reward_issued row."""

    id: UUID
    name: str
    state: str
    stamps_used: int
    stamps_held: int
    ledger_id: UUID


@dataclass(frozen=True, slots=True)
class History:
    """A card's stamps and the rewards they paid for, each in the order of the ledger."""

    stamps: Sequence[EarnedStamps]
    rewards: Sequence[EarnedReward]


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing makes of the card: its count and the rewards to cancel, or the redeemed one that forbids it.

    gone: the stamps are not there any more, since they were corrected by hand or went back to another card.
    """

    count_after: int = 0
    cancelled: tuple[EarnedReward, ...] = ()
    blocked_by: EarnedReward | None = None
    gone: bool = False


def undo_stamps(
    count: int, row_id: UUID, quantity: int, history: History, issued: Sequence[EarnedReward] | None = None
) -> Undone:
    """Decide what undoing one row of `quantity` stamps does to a card that shows `count`.

    Stamps are used in the order in which they were given. A redeemed reward that used one of them forbids it; issued
    ones are cancelled, the newest first, as far as the card needs their stamps back. history: of the card that got the
    stamps. issued: the rewards of the card that has them now, where the two were merged since.
    """
    for reward in _rewards_that_used(row_id, history):
        if reward.state == "redeemed":
            return Undone(blocked_by=reward)
    count -= quantity
    cancelled = []
    ready = history.rewards if issued is None else issued
    for reward in reversed([reward for reward in ready if reward.state == "issued"]):
        if count < (reward.stamps_used if reward.stamps_held else 0):
            cancelled.append(reward)
            count += reward.stamps_used - reward.stamps_held
    if count < 0:
        redeemed = [reward for reward in history.rewards if reward.state == "redeemed"]
        return Undone(blocked_by=redeemed[-1]) if redeemed else Undone(gone=True)
    return Undone(count, tuple(cancelled))


def _rewards_that_used(row_id: UUID, history: History) -> list[EarnedReward]:
    first, quantity = 0, 0
    for row in history.stamps:
        if row.id == row_id:
            quantity = row.quantity
            break
        first += row.quantity
    last, used_before, found = first + quantity, 0, []
    for reward in history.rewards:
        used_until = used_before + reward.stamps_used
        if used_before < last and used_until > first:
            found.append(reward)
        used_before = used_until
    return found
