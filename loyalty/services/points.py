"""Points: earn them with a purchase, spend them on a reward of the catalogue."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import idempotency, money
from core.errors import DomainError, NotFound, ValidationFailed
from core.ids import uuid7
from loyalty.enums import RewardSource, RewardState, TransactionType
from loyalty.queries import explanations
from loyalty.queries.hot import CardRef
from loyalty.rules import points as rules
from loyalty.services import ledger, operations, stamps, welcome
from loyalty.services.operations import Call, Context, Decision, Operation, StaffProof
from merchants.permissions import EARN, REDEEM


class InsufficientPoints(DomainError):
    """The balance does not reach the reward, or the fewest points that can be redeemed."""

    code = "insufficient_points"
    message = _("There are not enough points on this card.")


def earn(
    call: Call, *, card: CardRef, cents: int, currency: str = "", order_reference: str = "",
    staff: StaffProof | None = None, confirm: bool = False,
) -> idempotency.Answer:  # fmt: skip
    """Grant the points of a purchase of `cents` minor units (rule 9), and in a hybrid program its stamp.

    A purchase under the minimum is recorded with 0 points and says why. Raises WrongProgramType, ValidationFailed for
    a foreign currency, and what operations.perform raises.
    """
    return operations.perform(call, earning(card, cents, currency, order_reference, staff, confirm))


def preview(call: Call, *, card: CardRef, cents: int, currency: str = "") -> dict[str, Any]:
    """Return what `earn` would answer, without granting."""
    return operations.preview(call, earning(card, cents, currency, "", None, True))


def redeem(
    call: Call, *, card: CardRef, reward_id: UUID, staff: StaffProof | None = None, confirm: bool = False
) -> idempotency.Answer:  # fmt: skip
    """Hand out a reward of the catalogue for its points (rule 17).

    Raises NotFound (no such reward), RewardNotAvailable (archived or of another program) and InsufficientPoints.
    """
    return operations.perform(call, _redeeming(card, reward_id, staff, confirm))


def preview_redeem(call: Call, *, card: CardRef, reward_id: UUID) -> dict[str, Any]:
    """Return what `redeem` would answer, without redeeming."""
    return operations.preview(call, _redeeming(card, reward_id, None, True))


def earning(
    card: CardRef, cents: int, currency: str, reference: str, staff: StaffProof | None, confirm: bool
) -> Operation:  # fmt: skip
    """Return the operation of granting the points of a purchase, for operations.perform."""
    return Operation(
        name="points", authorize=lambda access: access.require(EARN), card=card, staff=staff or StaffProof(),
        confirm=confirm, order_reference=reference, decide=lambda context: _decide_earn(context, cents, currency),
    )  # fmt: skip


def _redeeming(card: CardRef, reward_id: UUID, staff: StaffProof | None, confirm: bool) -> Operation:
    return Operation(
        name="points_redeem", authorize=lambda access: access.require(REDEEM), card=card,
        staff=staff or StaffProof(), confirm=confirm, earns=False, redeems=True, corrects=True, reward_id=reward_id,
        decide=_decide_redeem,
    )  # fmt: skip


def _decide_earn(context: Context, cents: int, currency: str) -> Decision:
    card, program = context.card, context.program
    if not program.has_points:
        raise operations.WrongProgramType(loyalty_type=program.loyalty_type)
    if currency and currency.upper() != program.currency:
        raise ValidationFailed.of("currency", "currency_mismatch", _("This programme counts another currency."))
    exponent = money.exponent(program.currency)
    change = rules.earn(card, program, cents, exponent)
    if change.granted > rules.MAX_POINTS or card.points_balance + change.points_delta > rules.MAX_POINTS:
        raise ValidationFailed.of("purchase_amount_cents", "max_value", _("This amount is too large."))
    sale = _sale_line(change, cents)
    changes: dict[str, Any] = {
        **ledger.moved(card, change),
        "last_points_at": max(context.call.at, card.last_points_at or context.call.at),
        "last_activity_on": context.active_on,
    }
    lines, issue, stamped = [sale], [], None
    if program.has_stamps:
        stamped = _stamp_along(context)
        if isinstance(stamped, stamps.Stamped):
            lines, issue, changes = lines + stamped.lines, stamped.issue, {**changes, **stamped.card}
    bonus = welcome.bonus(context, ledger.after(card, changes))
    changes.update(bonus.card)
    body = _earn_body(context, change, sale, cents, changes, bonus.points)
    if stamped is not None:
        body["stamp"] = _stamp_body(stamped)
        body["rewards_available"] = stamps.rewards_available(context, changes)
    write = ledger.Write(card, changes, lines + bonus.lines, issue=issue)
    return Decision(write, body, repeats=(TransactionType.POINTS_EARNED.value, cents))


def _sale_line(change: rules.Change, cents: int) -> ledger.Line:
    return ledger.Line(
        TransactionType.POINTS_EARNED.value, points_delta=change.points_delta, debt_delta=change.debt_delta,
        micro_delta=change.micro_delta, granted_delta=change.granted_delta, points_granted=change.granted,
        purchase_amount_cents=cents,
    )  # fmt: skip


def _stamp_along(context: Context) -> stamps.Stamped | DomainError:
    """Give the stamp of a hybrid sale, or say why not; the points are given either way."""
    try:
        return stamps.stamp(context, 1)
    except DomainError as refusal:
        return refusal


def _stamp_body(stamped: stamps.Stamped | DomainError) -> dict[str, Any]:
    if isinstance(stamped, stamps.Stamped):
        return {"given": True, "code": None, "at": None, **stamped.body}
    at = stamped.facts.get("next_stamp_available_at") or stamped.facts.get("resets_at")
    return {"given": False, "code": stamped.code, "at": at, "detail": stamped.detail}


def _earn_body(
    context: Context, change: rules.Change, sale: ledger.Line, cents: int, changes: dict[str, Any], bonus: int
) -> dict[str, Any]:
    program = context.program
    exponent = money.exponent(program.currency)
    return {
        "transaction_id": sale.id,
        **stamps.card_facts(context.card),
        "points_earned": change.granted,
        "points_balance": changes["points_balance"],
        "points_debt": changes["points_debt"],
        "debt_paid": -change.debt_delta,
        "welcome_bonus_points": bonus,
        "purchase_amount_cents": cents,
        "currency": program.currency,
        "explanation": explanations.sale(
            cents=cents, currency=program.currency, granted=change.granted, rules=asdict(program)
        ),
        "to_next_point_cents": rules.to_next_point(changes["points_micro"], program, exponent),
        "void_until": stamps.void_until(context),
        "rewards_available": stamps.rewards_available(context, changes),
    }


def _decide_redeem(context: Context) -> Decision:
    card, program, reward = context.card, context.program, context.loaded.reward
    if not program.has_points:
        raise operations.WrongProgramType(loyalty_type=program.loyalty_type)
    if reward is None:
        raise NotFound
    if reward["program_id"] != program.id or not reward["is_active"] or reward["archived_at"] is not None:
        raise stamps.RewardNotAvailable(reward_id=str(reward["id"]))
    cost = reward["points_cost"]
    required = max(cost, program.minimum_redemption_points)
    if card.points_balance < required:
        raise InsufficientPoints(points_balance=card.points_balance, required=required)
    issued = {
        "id": uuid7(), "reward_id": reward["id"], "source": RewardSource.POINTS.value, "name": reward["name"],
        "state": RewardState.REDEEMED.value, "stamps_used": 0, "stamps_held": 0, "points_used": cost,
        "issued_at": context.call.at, "redeemed_at": context.call.at,
    }  # fmt: skip
    line = ledger.Line(
        TransactionType.POINTS_REDEEMED.value, points_delta=-cost, reward_id=reward["id"],
        issued_reward_id=issued["id"],
    )  # fmt: skip
    changes = {
        "points_balance": card.points_balance - cost,
        "last_points_at": context.call.at,
        "last_activity_on": context.moment.day,
    }
    body = {
        "transaction_id": line.id,
        **stamps.card_facts(card),
        "points_redeemed": cost,
        "points_balance": changes["points_balance"],
        "reward": {"id": reward["id"], "name": reward["name"]},
        "reward_description": reward["name"],
        "redeemed_at": context.call.at,
        "void_until": stamps.void_until(context),
        "rewards_available": stamps.rewards_available(context, changes),
    }
    return Decision(ledger.Write(card, changes, [line], issue=[issued]), body)
