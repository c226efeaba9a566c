"""What undoing and refunding look at: the rows of an operation, what reversed them, the rules of that day."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from loyalty.enums import TransactionType
from loyalty.models import IssuedReward, ProgramVersion, Transaction
from loyalty.rules.states import ProgramRules
from loyalty.rules.voids import EarnedReward, EarnedStamps, History

REDEMPTIONS = (TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED)


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
    return list(Transaction.objects.filter(reverses_id__in=[row.id for row in rows]).order_by("seq"))


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
    """Return the card's stamps and the rewards they paid for, without what was undone."""
    undone = Transaction.objects.filter(reverses_id=OuterRef("id"), type=TransactionType.VOID)
    rows = Transaction.objects.filter(card_id=card_id).filter(~Exists(undone)).order_by("seq")
    earned = rows.filter(type=TransactionType.STAMP_EARNED).values_list("id", "stamps_delta")
    issued = {
        row.issued_reward_id: row for row in rows.filter(type=TransactionType.REWARD_ISSUED)
    }  # fmt: skip
    # A reward whose redemption was undone lives on in the one that reinstates it.
    rewards = {reward.id: reward for reward in IssuedReward.objects.filter(card_id=card_id, source="stamps")}
    successor = {reward.reinstates_id: reward for reward in rewards.values() if reward.reinstates_id}
    return History(
        stamps=[EarnedStamps(*row) for row in earned],
        rewards=[_earned(_living(rewards[key], successor), row) for key, row in issued.items()],
    )


def _living(reward: IssuedReward, successor: dict[UUID, IssuedReward]) -> IssuedReward:
    while reward.id in successor:
        reward = successor[reward.id]
    return reward


def _earned(reward: IssuedReward, row: Transaction) -> EarnedReward:
    return EarnedReward(
        reward.id, reward.name, reward.state, reward.stamps_used, reward.stamps_held, row.id, row.stamps_delta
    )  # fmt: skip


def last_stamp_before(card_id: UUID, *, without: UUID) -> datetime | None:
    """Return when the card's newest stamp was given that is not undone, leaving one row out."""
    undone = Transaction.objects.filter(reverses_id=OuterRef("id"), type=TransactionType.VOID)
    rows = Transaction.objects.filter(card_id=card_id, type=TransactionType.STAMP_EARNED).exclude(id=without)
    return rows.filter(~Exists(undone)).order_by("-occurred_at").values_list("occurred_at", flat=True).first()


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
