"""A card as it would look, for the pages where its rules and colours are changed."""

from dataclasses import dataclass

from loyalty.models import Program
from loyalty.queries import rewards

# How far the card of the preview is.
SHARE = (7, 10)


@dataclass(frozen=True, slots=True)
class Preview:
    """What components/card_face.html shows."""

    kind: str
    count: int
    target: int
    to_go: int
    reward: str
    points: int
    points_goal: int
    points_to_go: int
    points_reward: str


def of(program: Program) -> Preview:
    """Return a card of the program on its way to the next reward."""
    first = rewards.active(program.pk).order_by("points_cost").first() if program.has_points else None
    count, goal = _part(program.stamps_target), first.points_cost if first else 0
    points = _part(goal) if goal else 240
    return Preview(
        kind=program.loyalty_type, count=count, target=program.stamps_target, to_go=program.stamps_target - count,
        reward=program.stamps_reward_description, points=points, points_goal=goal,
        points_to_go=goal - points if goal else 0, points_reward=first.name if first else "",
    )  # fmt: skip


def _part(whole: int) -> int:
    """Return seven of ten, and at least one to go."""
    return min(whole * SHARE[0] // SHARE[1], whole - 1)
