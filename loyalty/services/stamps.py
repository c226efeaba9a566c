"""Stamps: give them, and hand out the reward of a full card."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import idempotency
from core.errors import DomainError
from core.ids import uuid7
from loyalty.enums import RewardSource, RewardState, TransactionType
from loyalty.queries import late
from loyalty.queries.hot import CardRef
from loyalty.rules import points as point_rules
from loyalty.rules import stamps as rules
from loyalty.rules import timing
from loyalty.rules.states import CardState
from loyalty.services import ledger, operations, welcome
from loyalty.services.operations import Call, Context, Decision, Operation, StaffProof
from merchants.permissions import EARN, REDEEM


class InsufficientStamps(DomainError):
    """No reward is ready on this card."""

    code = "insufficient_stamps"
    message = _("No reward is ready on this card yet.")


class RewardNotAvailable(DomainError):
    """The reward cannot be handed out: expired, archived, or of another program."""

    code = "reward_not_available"
    message = _("This reward is not available.")


@dataclass(slots=True)
class Stamped:
    """The rows and columns that giving stamps adds to a write, and what the answer says of it."""

    lines: list[ledger.Line]
    issue: list[dict[str, Any]]
    card: dict[str, Any]
    body: dict[str, Any]


def give(
    call: Call, *, card: CardRef, quantity: int = 1, staff: StaffProof | None = None, confirm: bool = False
) -> idempotency.Answer:  # fmt: skip
    """Give 1–50 stamps (rules 6, 14, 15); the answer is 201 with the new state of the card.

    Raises CardFull, CooldownActive, DailyLimitReached, WrongProgramType and what operations.perform raises.
    """
    return operations.perform(call, giving(card, quantity, staff, confirm))


def preview(call: Call, *, card: CardRef, quantity: int = 1) -> dict[str, Any]:
    """Return what `give` would answer, without giving."""
    return operations.preview(call, giving(card, quantity, None, True))


def redeem(call: Call, *, card: CardRef, staff: StaffProof | None = None, confirm: bool = False) -> idempotency.Answer:
    """Hand out the oldest ready reward of full cards (rule 17); 201 with what was handed out.

    Raises InsufficientStamps, also for the loser of a race; the unique index on redemptions is the last word.
    """
    return operations.perform(call, _redeeming(card, staff, confirm))


def preview_redeem(call: Call, *, card: CardRef) -> dict[str, Any]:
    """Return what `redeem` would answer, without redeeming."""
    return operations.preview(call, _redeeming(card, None, True))


def giving(card: CardRef, quantity: int, staff: StaffProof | None, confirm: bool) -> Operation:
    """Return the operation of giving stamps, for operations.perform."""
    return Operation(
        name="stamp", authorize=lambda access: access.require(EARN), card=card, staff=staff or StaffProof(),
        confirm=confirm, decide=lambda context: _decide_give(context, quantity),
    )  # fmt: skip


def _redeeming(card: CardRef, staff: StaffProof | None, confirm: bool) -> Operation:
    return Operation(
        name="stamp_redeem", authorize=lambda access: access.require(REDEEM), card=card, staff=staff or StaffProof(),
        confirm=confirm, earns=False, redeems=True, corrects=True, ready=True, decide=_decide_redeem,
    )  # fmt: skip


def _decide_give(context: Context, quantity: int) -> Decision:
    if not context.program.has_stamps:
        raise operations.WrongProgramType(loyalty_type=context.program.loyalty_type)
    stamped = stamp(context, quantity)
    bonus = welcome.bonus(context, ledger.after(context.card, stamped.card))
    changes = {**stamped.card, **bonus.card, "last_activity_on": context.active_on}
    body = {
        "transaction_id": stamped.lines[0].id,
        **card_facts(context.card),
        **stamped.body,
        "void_until": void_until(context),
    }
    if context.program.has_points:
        body["welcome_bonus_points"] = bonus.points
        body["points_balance"] = changes.get("points_balance", context.card.points_balance)
    body["rewards_available"] = rewards_available(context, changes)
    write = ledger.Write(context.card, changes, stamped.lines + bonus.lines, issue=stamped.issue)
    return Decision(write, body, repeats=(TransactionType.STAMP_EARNED.value, quantity))


def stamp(context: Context, quantity: int) -> Stamped:
    """Decide the stamps of an operation: rows, rewards and columns; used by stamps and by hybrid sales."""
    card, program, moment = context.card, context.program, context.moment
    around = None
    if rules.is_behind(card, moment):
        around = late.stamps_around(card.id, moment, cooldown_minutes=program.cooldown_minutes)
    given = rules.give(card, program, quantity, moment, around=around, limited=context.limited)
    lines = [ledger.Line(TransactionType.STAMP_EARNED.value, stamps_delta=quantity)]
    issue = []
    for completion in given.completions:
        row = _issue(context, completion)
        issue.append(row)
        lines.append(
            ledger.Line(
                TransactionType.REWARD_ISSUED.value,
                stamps_delta=completion.stamps_held - completion.stamps_used,
                issued_reward_id=row["id"],
            )
        )
    changes = {
        "stamp_count": given.count_after,
        "stamps_target": given.target_after,
        "stamps_reward": given.reward_after,
        **_counters(card, given, moment),
        "rewards_ready": card.rewards_ready + len(issue),
    }
    body = {
        "stamps_added": quantity,
        "stamp_count": given.count_after,
        "stamps_target": given.target_after,
        "stamps_until_reward": given.target_after - given.count_after,
        "reward_earned": bool(issue),
        "reward_description": given.completions[0].reward if issue else given.reward_after,
        "stamps_today": given.today_after,
        "stamps_remaining_today": rules.remaining_today(given.today_after, program),
        "next_stamp_available_at": rules.next_possible(changes["last_stamp_at"], given.today_after, program, moment),
    }
    return Stamped(lines, issue, changes, body)


def _counters(card: CardState, given: rules.Given, moment: rules.Moment) -> dict[str, Any]:
    """Return the card's counters after stamps: they are those of its newest day, which what comes late leaves alone."""
    newest = card.stamps_day is None or moment.day >= card.stamps_day
    return {
        "stamps_today": given.today_after if newest else card.stamps_today,
        "stamps_day": moment.day if newest else card.stamps_day,
        "last_stamp_at": max(moment.at, card.last_stamp_at or moment.at),
    }


def _issue(context: Context, completion: rules.Completion) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "source": RewardSource.STAMPS.value,
        "name": completion.reward,
        "state": RewardState.ISSUED.value,
        "stamps_used": completion.stamps_used,
        "stamps_held": completion.stamps_held,
        "points_used": 0,
        "issued_at": context.call.at,
        "expires_at": expiry(context, context.program.stamps_reward_valid_days),
    }


def expiry(context: Context, valid_days: int | None) -> datetime | None:
    """Return until when a reward is valid: through the end of its last local day in the merchant's zone."""
    if valid_days is None:
        return None
    zone = timing.zone(context.access.merchant.time_zone)
    last: date = context.call.now.astimezone(zone).date() + timedelta(days=valid_days)
    return datetime.combine(last + timedelta(days=1), time(0), tzinfo=zone).astimezone(UTC)


def _decide_redeem(context: Context) -> Decision:
    if not context.program.has_stamps:
        raise operations.WrongProgramType(loyalty_type=context.program.loyalty_type)
    card = context.card
    usable = [row for row in context.loaded.rewards if row["expires_at"] is None or row["expires_at"] > context.call.at]
    if not usable:
        raise InsufficientStamps(stamp_count=card.stamp_count, required=card.stamps_target)
    reward = usable[0]
    held = reward["stamps_held"]
    changes: dict[str, Any] = {
        "stamp_count": card.stamp_count - held,
        "rewards_ready": card.rewards_ready - 1,
        "last_activity_on": context.moment.day,
    }
    if held:
        changes["stamps_target"] = context.program.stamps_target
        changes["stamps_reward"] = context.program.stamps_reward_description
    line = ledger.Line(
        TransactionType.STAMP_REDEEMED.value, stamps_delta=-held, issued_reward_id=reward["id"]
    )  # fmt: skip
    body = {
        "transaction_id": line.id,
        **card_facts(card),
        "stamps_redeemed": reward["stamps_used"],
        "stamp_count": changes["stamp_count"],
        "stamps_target": changes.get("stamps_target", card.stamps_target),
        "stamps_until_reward": changes.get("stamps_target", card.stamps_target) - changes["stamp_count"],
        "reward_description": reward["name"],
        "reward": {"id": reward["id"], "name": reward["name"]},
        "redeemed_at": context.call.at,
        "void_until": void_until(context),
        "rewards_available": rewards_available(context, changes),
    }
    write = ledger.Write(
        card, changes, [line], change_rewards=[(reward["id"], RewardState.REDEEMED.value, context.call.at)]
    )  # fmt: skip
    return Decision(write, body)


def card_facts(card: CardState) -> dict[str, UUID | str]:
    """Return how an answer names its card."""
    return {"card_id": card.id, "card_number": card.card_number}


def void_until(context: Context) -> datetime | None:
    """Return until when the operation can be undone; None where the platform allows no voids."""
    if not context.access.merchant.allow_void_transactions:
        return None
    return context.call.at + timedelta(minutes=context.program.void_window_minutes)


def rewards_available(context: Context, changes: dict[str, Any]) -> int:
    """Return how many rewards can be had after the changes: ready ones, and those the points afford."""
    after = replace(context.card, **changes)
    affordable = point_rules.affordable(after.points_balance, context.loaded.costs, context.program)
    return after.rewards_ready + affordable
