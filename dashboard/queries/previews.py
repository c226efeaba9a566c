"""A card as it would look, for the pages where its rules and colours are changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, ngettext

from core import pictures
from loyalty.enums import LoyaltyType
from loyalty.models import Program
from loyalty.queries import rewards
from merchants.models import Merchant
from wallets.rules import words
from wallets.rules.description import NextReward

# How far the card of the preview is.
SHARE = (7, 10)
POINTS = 240


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
    points = _part(goal) if goal else POINTS
    return Preview(
        kind=program.loyalty_type, count=count, target=program.stamps_target, to_go=program.stamps_target - count,
        reward=program.stamps_reward_description, points=points, points_goal=goal,
        points_to_go=goal - points if goal else 0, points_reward=first.name if first else "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Passes:
    """What components/pass_preview.html shows: the card, and what two wallets make of it."""

    card: Preview
    name: str
    merchant: str
    logo_url: str

    @property
    def has_stamps(self) -> bool:
        """Whether stamps are shown."""
        return self.card.kind != LoyaltyType.POINTS

    @property
    def has_points(self) -> bool:
        """Whether points are shown."""
        return self.card.kind != LoyaltyType.STAMPS

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels on passes, in the reader's language."""
        return words.texts(get_language() or "en")

    @property
    def fraction(self) -> str:
        """What stands first on a pass: "7/10", or the points."""
        return f"{self.card.count}/{self.card.target}" if self.has_stamps else str(self.card.points)

    @property
    def next(self) -> str:
        """What is missing for the next reward, as a sentence."""
        card = self.card
        name, missing = (card.reward, card.to_go) if self.has_stamps else (card.points_reward, card.points_to_go)
        unit = "stamps" if self.has_stamps else "points"
        return words.next_reward(NextReward(name, missing, unit), get_language() or "en") if name else ""

    @property
    def columns(self) -> int:
        """How many stamps stand in a row of a pass: even rows, three at most."""
        target = self.card.target
        return ceil(target / (1 if target <= 6 else 2 if target <= 20 else 3))

    @property
    def code(self) -> str:
        """What the code of the example holds: an address that leads to nobody."""
        return f"{settings.SITE_URL}/c/an-example-of-a-code"

    @property
    def name_length(self) -> int:
        """Letters of the card's name."""
        return len(self.name)

    @property
    def shop_length(self) -> int:
        """Letters of the merchant's name."""
        return len(self.merchant)

    @property
    def facts(self) -> dict[str, Any]:
        """What the script begins with; sentences by unit, for one and for more."""
        card = self.card
        return {
            "kind": card.kind, "name": self.name, "merchant": self.merchant, "target": card.target,
            "reward": card.reward, "points": card.points, "points_goal": card.points_goal,
            "points_reward": card.points_reward, "sentences": {unit: _sentences(unit) for unit in ("stamps", "points")},
        }  # fmt: skip


def passes(program: Program, merchant: Merchant) -> Passes:
    """Return a program's card on its way to the next reward, as passes show it."""
    return Passes(of(program), program.name, merchant.name, pictures.small_url(merchant.logo.name))


def planned(merchant: Merchant, kind: str, values: Mapping[str, Any]) -> Passes:
    """Return the card of a program that is only being described; `values` are those of its form."""
    target, goal = int(values.get("stamps_target") or 10), int(values.get("reward_points") or 0)
    count, points = _part(target), _part(goal) if goal else POINTS
    card = Preview(
        kind=kind, count=count, target=target, to_go=target - count,
        reward=str(values.get("stamps_reward_description") or ""), points=points, points_goal=goal,
        points_to_go=goal - points if goal else 0, points_reward=str(values.get("reward_name") or ""),
    )  # fmt: skip
    name = str(values.get("name") or merchant.name)
    return Passes(card, name, merchant.name, pictures.small_url(merchant.logo.name))


def _sentences(unit: str) -> list[str]:
    """Return "3 more to your Free coffee" with places for number and name, for one and for more."""
    if unit == "points":
        return [ngettext("%(count)s point to %(reward)s", "%(count)s points to %(reward)s", n) for n in (1, 2)]
    return [ngettext("%(count)s more to your %(reward)s", "%(count)s more to your %(reward)s", n) for n in (1, 2)]


def _part(whole: int) -> int:
    """Return seven of ten, and at least one to go."""
    return min(whole * SHARE[0] // SHARE[1], whole - 1)
