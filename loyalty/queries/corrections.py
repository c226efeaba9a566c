"""What undoing and refunding look at: the rows of an operation, what reversed them, the rules of that day."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from loyalty.enums import RewardState, TransactionType
from loyalty.models import IssuedReward, ProgramVersion, Transaction
from loyalty.queries import merges
from loyalty.rules.states import ProgramRules
from loyalty.rules.voids import EarnedReward, EarnedStamps, History

REDEMPTIONS = (TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED)
# Rows that move stamps which no reward used; a row that names a reward moves that reward's.
MOVES_STAMPS = (
    TransactionType.STAMP_EARNED, TransactionType.ADJUSTMENT, TransactionType.IMPORT, TransactionType.MERGE_IN,
    TransactionType.MERGE_OUT,
)  # fmt: skip


class AlreadyRedeemed(DomainError):
    """The reward was handed out before; `redeemed_at` and `redeemed_by` say when and by whom."""

    code = "already_redeemed"
    message = _("The reward of these stamps was handed out already.")


def operation_of(transaction_id: UUID) -> list[Transaction]:
    """Return all rows of the operation that a row belongs to, in the order in which they were written."""
    key = Transaction.objects.filter(id=transaction_id).values("idempotency_key")
    return list(Transaction.objects.filter(idempotency_key__in=key).order_by("line"))


def reversals_of(rows: Sequence[Transaction]) -> list[Transaction]:
    """Return the voids and refunds of rows, oldest first."""
    return list(Transaction.objects.filter(reverses_id__in=[row.id for row in rows]).order_by("recorded_at", "seq"))


def rules_at(program: ProgramRules, version: int) -> ProgramRules:
    """Return the program's rules as they stood under a version."""
    if version == program.version:
        return program
    rules = ProgramVersion.objects.get(program_id=program.id, number=version).rules
    known = {item.name for item in fields(ProgramRules)} - {"id", "version", "ends_on"}
    ends_on = date.fromisoformat(rules["ends_on"]) if rules.get("ends_on") else None
    values = {name: value for name, value in rules.items() if name in known}
    return replace(program, version=version, ends_on=ends_on, **values)


def stamp_history(card_id: UUID) -> History:
    """Return what stamps came to a card and the rewards they paid for, without what was undone.

    Stamps came by being given, by hand, or from a card that was merged in; what was taken off was the newest ones.
    """
    rows = list(_standing(card_id).order_by("seq"))
    stamps: list[EarnedStamps] = []
    for row in rows:
        if row.type in MOVES_STAMPS and row.issued_reward_id is None:
            stamps = _taken_off(stamps, -row.stamps_delta) if row.stamps_delta < 0 else [*stamps, _came(row)]
    return History(stamps, _rewards([row for row in rows if row.type == TransactionType.REWARD_ISSUED]))


def ready_rewards(card_id: UUID) -> list[EarnedReward]:
    """Return the rewards that wait on a card, those of cards that were merged into it too, in the order of issue."""
    waiting = IssuedReward.objects.filter(card_id=card_id, source="stamps", state=RewardState.ISSUED)
    first = {reward.id: _first(reward) for reward in waiting.order_by("issued_at", "id")}
    rows = _not_voided().filter(type=TransactionType.REWARD_ISSUED, issued_reward_id__in=first.values())
    issued = {row.issued_reward_id: row for row in rows}
    return [_earned(reward, issued[first[reward.id]]) for reward in waiting.order_by("issued_at", "id")
            if first[reward.id] in issued]  # fmt: skip


def _came(row: Transaction) -> EarnedStamps:
    return EarnedStamps(row.id, row.stamps_delta)


def _taken_off(stamps: list[EarnedStamps], quantity: int) -> list[EarnedStamps]:
    left = list(stamps)
    while quantity and left:
        last = left.pop()
        if last.quantity > quantity:
            left.append(EarnedStamps(last.id, last.quantity - quantity))
        quantity -= min(quantity, last.quantity)
    return left


def _not_voided() -> "QuerySet[Transaction]":
    undone = Transaction.objects.filter(reverses_id=OuterRef("id"), type=TransactionType.VOID)
    return Transaction.objects.filter(~Exists(undone))


def _standing(card_id: UUID) -> "QuerySet[Transaction]":
    return _not_voided().filter(card_id=card_id)


def _rewards(rows: Sequence[Transaction]) -> list[EarnedReward]:
    """Return the rewards of rows that issued them, as they are now; one whose redemption was undone lives on."""
    found = {reward.id: reward for reward in IssuedReward.objects.filter(id__in=[row.issued_reward_id for row in rows])}
    successors = _successors(list(found))
    alive = [(_living(found[row.issued_reward_id], successors), row) for row in rows if row.issued_reward_id in found]
    return [_earned(reward, row) for reward, row in alive if reward.state != RewardState.CANCELLED]


def _successors(ids: list[UUID]) -> dict[UUID, IssuedReward]:
    """Return which reward reinstates which, however often."""
    found: dict[UUID, IssuedReward] = {}
    while ids:
        after = {reward.reinstates_id: reward for reward in IssuedReward.objects.filter(reinstates_id__in=ids)}
        found.update(after)
        ids = [reward.id for reward in after.values()]
    return found


def _first(reward: IssuedReward) -> UUID:
    """Return the id under which a reward was issued before its redemption was undone."""
    while reward.reinstates_id is not None:
        reward = IssuedReward.objects.get(id=reward.reinstates_id)
    return reward.id


def _living(reward: IssuedReward, successor: dict[UUID, IssuedReward]) -> IssuedReward:
    while reward.id in successor:
        reward = successor[reward.id]
    return reward


def _earned(reward: IssuedReward, row: Transaction) -> EarnedReward:
    return EarnedReward(reward.id, reward.name, reward.state, reward.stamps_used, reward.stamps_held, row.id)


def last_stamp_before(card_id: UUID, *, without: UUID) -> datetime | None:
    """Return when the newest stamp was given that is not undone, leaving one row out; cards merged in count too."""
    cards = [card_id, *merges.absorbed(card_id)]
    rows = _not_voided().filter(card_id__in=cards, type=TransactionType.STAMP_EARNED).exclude(id=without)
    return rows.order_by("-occurred_at").values_list("occurred_at", flat=True).first()


def already_redeemed(reward: EarnedReward) -> AlreadyRedeemed:
    """Return the refusal that names when and by whom the reward was handed out."""
    row = (
        Transaction.objects.filter(issued_reward_id=reward.id, type__in=REDEMPTIONS)
        .select_related("staff_pin")
        .order_by("-seq")
        .first()
    )
    by = row.staff_pin.name if row is not None and row.staff_pin_id else None
    return AlreadyRedeemed(redeemed_at=row.occurred_at if row else None, redeemed_by=by, reward_state=reward.state)
