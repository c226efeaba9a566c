"""Adjustments: a manager puts a balance right by hand, with a reason (rule 11). No sale, no visit, no limit."""

from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import idempotency
from core.errors import ValidationFailed
from loyalty.enums import TransactionType
from loyalty.queries.hot import CardRef
from loyalty.rules import expiry as expiry_rules
from loyalty.rules import stamps as stamp_rules
from loyalty.rules.points import MAX_POINTS
from loyalty.rules.stamps import MAX_QUANTITY
from loyalty.services import issuing, ledger, operations, stamps
from loyalty.services.operations import Call, Context, Decision, Operation, StaffProof
from loyalty.services.points import InsufficientPoints
from merchants.permissions import MANAGE
from stores.queries.access import Access

ADJUSTMENT = TransactionType.ADJUSTMENT.value


def adjust(
    call: Call, *, card_id: UUID, stamps_delta: int = 0, points_delta: int = 0, reason: str,
    staff: StaffProof | None = None,
) -> idempotency.Answer:  # fmt: skip
    """Add stamps or points to a card, or take them off; 201 with the card after it.

    stamps_delta: -50–50; reaching the target issues rewards (rule 6), and a card that collects first takes none beyond
    it. points_delta: a debt is paid first. Works on a frozen card, too, and whatever the program's status. Raises
    ValidationFailed (nothing to do, out of bounds), WrongProgramType, InsufficientStamps (held ones wait for their
    reward and cannot be taken off), InsufficientPoints, CardFull and what operations.perform raises.
    """
    check(stamps_delta, points_delta, reason)
    operation = Operation(
        name="adjust", authorize=authorize, card=CardRef("card_id", card_id), staff=staff or StaffProof(), earns=False,
        confirm=True, corrects=True, by_right=True, ready=True, note=reason,
        decide=lambda context: _decide(context, stamps_delta, points_delta),
    )  # fmt: skip
    return operations.perform(call, operation)


def authorize(access: Access) -> None:
    """Who manages may adjust."""
    access.require(MANAGE)


def check(stamps_delta: int, points_delta: int, reason: str) -> None:
    """Raise ValidationFailed for what can be no adjustment on any card."""
    errors: dict[str, list[tuple[str, str | Promise]]] = {}
    if stamps_delta == 0 and points_delta == 0:
        errors["stamps_delta"] = [("nothing_to_do", _("Write how many stamps or points to add or take off."))]
    if abs(stamps_delta) > MAX_QUANTITY:
        errors["stamps_delta"] = [("max_value", _("At most 50 stamps at a time."))]
    if abs(points_delta) > MAX_POINTS:
        errors["points_delta"] = [("max_value", _("That is more than one card can hold."))]
    if not reason.strip():
        errors["reason"] = [("required", _("Say why."))]
    if errors:
        raise ValidationFailed(errors)


def _decide(context: Context, stamps_delta: int, points_delta: int) -> Decision:
    write = ledger.Write(context.card, {}, [])
    if stamps_delta:
        _stamps(context, stamps_delta, write)
    if points_delta:
        _points(context, points_delta, write)
    today = expiry_rules.local_date(context.call.now, context.access.merchant.time_zone)
    if points_delta > 0:
        # No visit: silence goes on, but what comes by hand lives long enough for its customer to be told (rule 13).
        write.card["last_activity_on"] = expiry_rules.with_notice(context.card.last_activity_on, context.program, today)
    return Decision(write, _body(context, write))


def _stamps(context: Context, delta: int, write: ledger.Write) -> None:
    card, program = context.card, context.program
    if not program.has_stamps:
        raise operations.WrongProgramType(loyalty_type=program.loyalty_type)
    write.lines.append(ledger.Line(ADJUSTMENT, stamps_delta=delta))
    if delta < 0:
        held = sum(reward["stamps_held"] for reward in context.loaded.rewards)
        if -delta > card.stamp_count - held:
            raise stamps.InsufficientStamps(
                message=_("There are not so many stamps to take off."), stamp_count=card.stamp_count,
                required=-delta, stamps_held=held,
            )  # fmt: skip
        write.card["stamp_count"] = card.stamp_count + delta
        return
    stamp_rules.check_room(card, program, delta)
    filled = stamp_rules.fill(card.stamp_count + delta, card.stamps_target, card.stamps_reward, program)
    write.issue, lines = issuing.rewards(
        filled.completions, program=program, at=context.call.now, time_zone=context.access.merchant.time_zone
    )
    write.lines += lines
    write.card |= {
        "stamp_count": filled.count, "stamps_target": filled.target, "stamps_reward": filled.reward,
        "rewards_ready": card.rewards_ready + len(write.issue),
    }  # fmt: skip


def _points(context: Context, delta: int, write: ledger.Write) -> None:
    card, program = context.card, context.program
    if not program.has_points:
        raise operations.WrongProgramType(loyalty_type=program.loyalty_type)
    if card.points_balance + delta < 0:
        raise InsufficientPoints(
            message=_("There are not so many points to take off."), points_balance=card.points_balance,
            required=-delta,
        )  # fmt: skip
    paid = min(card.points_debt, max(0, delta))
    balance = card.points_balance + delta - paid
    if balance > MAX_POINTS:
        raise ValidationFailed.of("points_delta", "max_value", _("That is more than one card can hold."))
    write.lines.append(ledger.Line(ADJUSTMENT, points_delta=delta - paid, debt_delta=-paid))
    write.card |= {"points_balance": balance, "points_debt": card.points_debt - paid}


def _body(context: Context, write: ledger.Write) -> dict[str, Any]:
    after = ledger.after(context.card, write.card)
    return {
        "transaction_id": write.lines[0].id,
        **stamps.card_facts(context.card),
        "stamp_count": after.stamp_count,
        "stamps_target": after.stamps_target,
        "stamps_until_reward": after.stamps_target - after.stamp_count,
        "reward_earned": bool(write.issue),
        "points_balance": after.points_balance,
        "points_debt": after.points_debt,
        "debt_paid": context.card.points_debt - after.points_debt,
        "rewards_available": stamps.rewards_available(context, write.card),
    }
