"""Reads of the rewards that points buy."""

from uuid import UUID

from django.db.models import QuerySet

from core.errors import NotFound
from loyalty.models import IssuedReward, Reward, Transaction


def catalogue(program_id: UUID) -> "QuerySet[Reward]":
    """Return the rewards of a program in their order, those off offer too; archived ones are gone for everybody."""
    return Reward.objects.filter(program_id=program_id, archived_at__isnull=True).order_by(
        "position", "points_cost", "id"
    )  # fmt: skip


def active(program_id: UUID) -> "QuerySet[Reward]":
    """Return the rewards of a program that are on offer, in their order."""
    return catalogue(program_id).filter(is_active=True)


def is_in_use(reward_id: UUID) -> bool:
    """Tell whether a reward was ever handed out, so that the ledger names it."""
    return bool(
        Transaction.objects.filter(reward_id=reward_id).exists()
        or IssuedReward.objects.filter(reward_id=reward_id).exists()
    )


def require(reward_id: UUID) -> Reward:
    """Return a reward of the catalogue; raises NotFound (archived ones, too)."""
    reward = Reward.objects.filter(pk=reward_id, archived_at__isnull=True).first()
    if reward is None:
        raise NotFound
    return reward
