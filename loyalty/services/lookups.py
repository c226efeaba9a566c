"""What can be done with a card at a store now: the very rules of the operations, asked without doing anything."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from core.errors import DomainError
from loyalty.queries.hot import CardRef
from loyalty.services import points, stamps
from loyalty.services.operations import Call

# Facts of a refusal that say when it ends.
WHEN = ("next_stamp_available_at", "resets_at")


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether something can be done; code and time say why not, and until when.

    remaining_today: how many stamps the card can still get today; None without a daily limit, or when something else
    than the limit is in the way.
    """

    allowed: bool
    code: str | None = None
    at: datetime | None = None
    remaining_today: int | None = None


def can(call: Call, *, card_id: UUID, cheapest: UUID | None) -> dict[str, Answer]:
    """Return what the card allows at the caller's store: stamp, earn_points and redeem.

    cheapest: the reward of the catalogue that costs the fewest points, None when there is none.
    """
    card = CardRef("card_id", card_id)
    redeem = _ask(lambda: stamps.preview_redeem(call, card=card))
    if not redeem.allowed and redeem.code in ("wrong_program_type", "insufficient_stamps") and cheapest is not None:
        bought = _ask(lambda: points.preview_redeem(call, card=card, reward_id=cheapest))
        redeem = bought if bought.allowed or redeem.code == "wrong_program_type" else redeem
    elif redeem.code == "wrong_program_type":
        redeem = Answer(False, "insufficient_points")
    return {
        "stamp": _ask_stamp(lambda: stamps.preview(call, card=card)),
        "earn_points": _ask(lambda: points.preview(call, card=card, cents=1)),
        "redeem": redeem,
    }


def _ask(preview: Callable[[], Any]) -> Answer:
    try:
        preview()
    except DomainError as refusal:
        at = next((refusal.facts[name] for name in WHEN if refusal.facts.get(name)), None)
        return Answer(False, refusal.code, at, refusal.facts.get("stamps_remaining_today"))
    return Answer(True)


def _ask_stamp(preview: Callable[[], dict[str, Any]]) -> Answer:
    """Ask as `_ask` does; what remains is told as it is now, while the preview counts its one stamp as given."""
    seen: dict[str, Any] = {}
    answer = _ask(lambda: seen.update(preview()))
    left = seen.get("stamps_remaining_today")
    return answer if left is None else replace(answer, remaining_today=left + 1)
