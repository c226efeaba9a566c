"""The picture of a reward: written anew from what was uploaded, replaced and removed without leaving files behind."""

from datetime import datetime
from typing import IO
from uuid import UUID

from core import images, pictures, tenancy
from loyalty.models import Reward
from loyalty.services import rewards

FOLDER = "rewards"


def replace(*, merchant_id: UUID, reward_id: UUID, upload: IO[bytes], at: datetime) -> Reward:
    """Take a picture for a reward. The old one stays when anything goes wrong.

    Raises NotFound (archived ones, too) and ValidationFailed (`image`) as core.images.picture.
    """
    with tenancy.scope(merchant_id):
        rewards.locked(reward_id)
    name = pictures.keep(FOLDER, images.picture(upload))
    try:
        return _change(merchant_id, reward_id, name)
    except BaseException:
        pictures.drop(name)
        raise


def remove(*, merchant_id: UUID, reward_id: UUID, at: datetime) -> Reward:
    """Show the reward without a picture; doing it twice changes nothing. Raises NotFound."""
    return _change(merchant_id, reward_id, "")


def _change(merchant_id: UUID, reward_id: UUID, name: str) -> Reward:
    with tenancy.scope(merchant_id):
        reward = rewards.locked(reward_id)
        old = reward.image.name or ""
        if old != name:
            reward.image = name
            reward.save(update_fields=["image"])
            rewards.announce(reward)
            pictures.drop_after_commit(old)
    return reward
