"""Rewards of full cards where a manager's correction or a merge fills them: their rows and the ledger's."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from core.ids import uuid7
from loyalty.enums import RewardSource, RewardState, TransactionType
from loyalty.rules import timing
from loyalty.rules.stamps import Completion
from loyalty.rules.states import ProgramRules
from loyalty.services import ledger


def rewards(
    completions: Sequence[Completion], *, program: ProgramRules, at: datetime, time_zone: str
) -> tuple[list[dict[str, Any]], list[ledger.Line]]:
    """Return (rewards to issue, ledger rows that issue them) for cards that are full (rule 6).

    time_zone: the merchant's, in whose last local day a reward that expires is still valid.
    """
    issue: list[dict[str, Any]] = []
    lines = []
    for completion in completions:
        row: dict[str, Any] = {
            "id": uuid7(), "source": RewardSource.STAMPS.value, "name": completion.reward,
            "state": RewardState.ISSUED.value, "stamps_used": completion.stamps_used,
            "stamps_held": completion.stamps_held, "points_used": 0, "issued_at": at,
            "expires_at": _expiry(program.stamps_reward_valid_days, at, time_zone),
        }  # fmt: skip
        issue.append(row)
        lines.append(
            ledger.Line(
                TransactionType.REWARD_ISSUED.value, issued_reward_id=row["id"],
                stamps_delta=completion.stamps_held - completion.stamps_used,
            )
        )  # fmt: skip
    return issue, lines


def _expiry(valid_days: int | None, at: datetime, time_zone: str) -> datetime | None:
    if valid_days is None:
        return None
    zone = timing.zone(time_zone)
    last = at.astimezone(zone).date() + timedelta(days=valid_days)
    return datetime.combine(last + timedelta(days=1), time(0), tzinfo=zone).astimezone(UTC)
