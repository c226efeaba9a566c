"""Rules of merging two cards into one, and of taking them apart again (rule 25): figures in, figures out.

Nothing is made and nothing is lost by a merge, but for one thing: fractions of points add up over both cards, so two
half points become one. Nothing is made by taking apart either: what was spent meanwhile stays spent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.rules import stamps
from loyalty.rules.points import MICRO
from loyalty.rules.states import CardState, ProgramRules


@dataclass(frozen=True, slots=True)
class Moved:
    """Figures that go from one card to another. micro: worth of carried sales, in millionths of a point."""

    stamps: int = 0
    points: int = 0
    debt: int = 0
    micro: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reward of a full card that waits to be collected."""

    id: UUID
    name: str
    stamps_used: int
    stamps_held: int
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Together:
    """What a merge makes of the target. `change`: its columns; deltas are those of its merge_in row.

    released: stamps that its own full card held and that are used up now, so that the moved ones have room.
    paid_own, paid_moved: points that settle a debt of the target, of the source.
    """

    change: dict[str, Any]
    points_delta: int
    debt_delta: int
    granted_delta: int
    extra: int
    paid_own: int
    paid_moved: int
    released: int
    completions: tuple[stamps.Completion, ...]


@dataclass(frozen=True, slots=True)
class Apart:
    """What taking a merge apart makes of both cards; deltas are those of the rows that say so.

    cancelled: rewards of the target that gave their stamps back, since the moved ones were in them. missing_*: what the
    source had and what is not there any more.
    """

    source: dict[str, Any]
    target: dict[str, Any]
    cancelled: tuple[Waiting, ...]
    completions: tuple[stamps.Completion, ...]
    stamps: int
    points: int
    debt: int
    micro: int
    target_points_delta: int
    target_debt_delta: int
    source_granted: int
    target_granted_delta: int
    missing_stamps: int
    missing_points: int


def merge(source: CardState, target: CardState, rules: ProgramRules, held: int, target_held: int) -> Together:
    """Decide what the target is with everything of the source on it.

    held, target_held: stamps that wait on a full card for their reward to be collected. The rewards themselves are not
    counted here. A cycle that was nearer to its reward stays so: the lower target of the two goes on (rule 4).
    """
    loose = source.stamp_count - held
    released = target_held if loose else 0
    filled = _filled(source, target, rules, loose, released)
    micro = source.points_micro + target.points_micro
    extra = micro // MICRO - source.points_granted - target.points_granted
    points, debt = target.points_balance + source.points_balance + extra, target.points_debt + source.points_debt
    paid = min(points, debt)
    change = {
        "stamp_count": filled.count, "stamps_target": filled.target, "stamps_reward": filled.reward,
        "points_balance": points - paid, "points_debt": debt - paid, "points_micro": micro,
        "points_granted": micro // MICRO, "welcome_granted": source.welcome_granted or target.welcome_granted,
        "last_activity_on": max(source.last_activity_on, target.last_activity_on),
        "last_points_at": _latest(source.last_points_at, target.last_points_at),
        **restraints(source, target),
    }  # fmt: skip
    paid_own = min(paid, target.points_debt)
    return Together(
        change=change, points_delta=points - paid - target.points_balance,
        debt_delta=debt - paid - target.points_debt, granted_delta=source.points_granted + extra, extra=extra,
        paid_own=paid_own, paid_moved=paid - paid_own, released=released, completions=filled.completions,
    )  # fmt: skip


def _filled(
    source: CardState, target: CardState, rules: ProgramRules, loose: int, released: int
) -> stamps.Filled:  # fmt: skip
    goal, reward = target.stamps_target, target.stamps_reward
    if not loose:
        return stamps.Filled(target.stamp_count, goal, reward, ())
    if released:
        goal, reward = rules.stamps_target, rules.stamps_reward_description
    empty = target.stamp_count == released
    if source.stamps_target < goal or (source.stamps_target == goal and empty):
        goal, reward = source.stamps_target, source.stamps_reward
    return stamps.fill(target.stamp_count - released + loose, goal, reward, rules)


def restraints(one: CardState, other: CardState) -> dict[str, Any]:
    """Return cooldown and daily count of both together: neither merging nor taking apart opens a way around them."""
    days = [card.stamps_day for card in (one, other) if card.stamps_day is not None]
    day = max(days) if days else None
    return {
        "last_stamp_at": _latest(one.last_stamp_at, other.last_stamp_at),
        "stamps_day": day,
        "stamps_today": one.stamps_on(day) + other.stamps_on(day) if day is not None else 0,
    }


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What taking apart looks at besides the two cards.

    moved: what the merge brought. since: what undoing and refunding changed of that. paid_*: as in Together.
    issued: rewards that the target got since the merge, still waiting, oldest first. target_held: stamps that wait on
    the target's full card.
    """

    moved: Moved
    since: Moved
    paid_own: int
    paid_moved: int
    target_held: int
    issued: Sequence[Waiting] = field(default_factory=tuple)


def unmerge(source: CardState, target: CardState, rules: ProgramRules, facts: Facts) -> Apart:
    """Decide what goes back to the source: what it brought, as far as it is still there."""
    given, cancelled, count = _stamps_back(target, facts)
    wanted_stamps = max(0, facts.moved.stamps + facts.since.stamps)
    filled = stamps.fill(given, source.stamps_target, source.stamps_reward, rules)
    points = _points_back(target, facts)
    target_change: dict[str, Any] = {
        "stamp_count": count, "points_balance": points.balance, "points_debt": points.owed,
        "points_micro": target.points_micro - points.micro,
        "points_granted": (target.points_micro - points.micro) // MICRO,
    }  # fmt: skip
    if cancelled:
        target_change |= {"stamps_target": cancelled[-1].stamps_used, "stamps_reward": cancelled[-1].name}
    # What happened to the two together since binds both: neither gets around cooldown or limit.
    alike = {
        "last_stamp_at": _latest(source.last_stamp_at, target.last_stamp_at), "stamps_day": target.stamps_day,
        "stamps_today": target.stamps_today, "last_activity_on": max(source.last_activity_on, target.last_activity_on),
    }  # fmt: skip
    source_change = {
        "stamp_count": filled.count, "stamps_target": filled.target, "stamps_reward": filled.reward,
        "points_balance": points.given, "points_debt": points.debt, "points_micro": points.micro,
        "points_granted": points.micro // MICRO, **alike,
    }  # fmt: skip
    return Apart(
        source=source_change, target=target_change, cancelled=tuple(cancelled), completions=filled.completions,
        stamps=given, points=points.given, debt=points.debt, micro=points.micro,
        target_points_delta=points.balance - target.points_balance, target_debt_delta=points.owed - target.points_debt,
        source_granted=points.micro // MICRO,
        target_granted_delta=target_change["points_granted"] - target.points_granted,
        missing_stamps=wanted_stamps - given, missing_points=points.missing,
    )  # fmt: skip


def _stamps_back(target: CardState, facts: Facts) -> tuple[int, list[Waiting], int]:
    """Return (stamps that go back, rewards that give theirs up for it, stamps that stay on the target)."""
    wanted = max(0, facts.moved.stamps + facts.since.stamps)
    free, held, cancelled = target.stamp_count - facts.target_held, facts.target_held, []
    for reward in reversed(facts.issued):
        if free >= wanted:
            break
        cancelled.append(reward)
        free += reward.stamps_used
        held -= reward.stamps_held
    given = min(wanted, free)
    return given, cancelled, free - given + held


@dataclass(frozen=True, slots=True)
class _Points:
    given: int
    debt: int
    micro: int
    balance: int
    owed: int
    missing: int


def _points_back(target: CardState, facts: Facts) -> _Points:
    micro = min(max(0, facts.moved.micro + facts.since.micro), target.points_micro)
    # The point that two fractions made together goes when they part.
    lost = target.points_granted - micro // MICRO - (target.points_micro - micro) // MICRO
    unpaid = max(0, facts.moved.debt - facts.paid_moved + facts.since.debt)
    debt_back = min(unpaid, target.points_debt)
    wanted = max(0, facts.moved.points + facts.since.points)
    there = target.points_balance + facts.paid_moved
    given = min(wanted, there + facts.paid_own)
    left = there - given
    owed = target.points_debt - debt_back + max(0, -left)
    debt = debt_back + facts.paid_moved
    settled = min(given, debt)
    return _Points(
        given=given - settled, debt=debt - settled, micro=micro, balance=max(0, max(0, left) - lost), owed=owed,
        missing=wanted - given,
    )  # fmt: skip
