"""The catalogue of rewards that points buy: made, changed, taken off; one that was ever handed out is archived."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from core import outbox, pictures, tenancy
from core.errors import NotFound
from loyalty.models import Program, Reward
from loyalty.queries import rewards as reward_queries
from loyalty.rules import fields
from loyalty.rules.programs import MAX_POINTS

# The fields a caller may set, by the names of the API; numbers with their smallest and largest value.
LIMITS = {"points_cost": (1, MAX_POINTS), "position": (0, 32_767), "valid_days": (1, 3650)}
LENGTHS = {"name": 80, "description": 300}
FIELDS = ("name", "description", "points_cost", "is_active", "position", "valid_days")


def create(*, merchant_id: UUID, program_id: UUID, data: Any, at: datetime) -> Reward:
    """Add a reward to a program. data: by the names of FIELDS, at least name and points_cost.

    Without a position it comes last. Raises NotFound (no such program) and ValidationFailed.
    """
    values = _checked(data, required=("name", "points_cost"))
    with tenancy.scope(merchant_id):
        if not Program.objects.filter(pk=program_id).exists():
            raise NotFound
        if "position" not in values:
            last = reward_queries.catalogue(program_id).values_list("position", flat=True).last()
            values["position"] = 0 if last is None else min(last + 1, LIMITS["position"][1])
        reward: Reward = Reward.objects.create(program_id=program_id, **values)
        announce(reward)
        return reward


def update(*, merchant_id: UUID, reward_id: UUID, data: Any, at: datetime) -> Reward:
    """Change some fields of a reward; what was handed out keeps the name and price of its day.

    Raises NotFound (also for an archived one) and ValidationFailed.
    """
    values = _checked(data)
    with tenancy.scope(merchant_id):
        reward = locked(reward_id)
        for name, value in values.items():
            setattr(reward, name, value)
        if values:
            reward.save()
            announce(reward)
        return reward


def remove(*, merchant_id: UUID, reward_id: UUID, at: datetime) -> None:
    """Take a reward off for good: archived when it was ever handed out, else deleted. Raises NotFound."""
    with tenancy.scope(merchant_id):
        reward = locked(reward_id, fully=True)
        if reward_queries.is_in_use(reward_id):
            reward.archived_at, reward.is_active, image = at, False, reward.image.name
            reward.image = ""
            reward.save(update_fields=["archived_at", "is_active", "image"])
        else:
            image = reward.image.name
            reward.delete()
        pictures.drop_after_commit(image or "")
        announce(reward)


def _checked(data: Any, *, required: Sequence[str] = ()) -> dict[str, Any]:
    fields.check(data, _problem, required=required)
    return {name: value.strip() if isinstance(value, str) else value for name, value in data.items()}


def _problem(name: str, value: Any) -> fields.Problem | None:
    if name not in FIELDS:
        return fields.unknown()
    if value is None:
        return None if name == "valid_days" else fields.null()
    if name in LIMITS:
        return fields.number(value, *LIMITS[name])
    if name in LENGTHS:
        return fields.text(value, LENGTHS[name], blank=name == "description")
    return fields.boolean(value)


def locked(reward_id: UUID, *, fully: bool = False) -> Reward:
    """Lock a reward in the open scope; raises NotFound.

    fully: against redemptions too, which hold its key: one that runs counts as use, or comes late.
    """
    reward: Reward | None = (
        Reward.objects.select_for_update(no_key=not fully).filter(pk=reward_id, archived_at__isnull=True).first()
    )  # fmt: skip
    if reward is None:
        raise NotFound
    return reward


def announce(reward: Reward) -> None:
    """Say in the open transaction that passes and pages of the program show something else."""
    outbox.publish("program.changed", merchant_id=reward.merchant_id, program_id=str(reward.program_id))
