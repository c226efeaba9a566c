"""Voids: undo an operation whole, within its window (rules 8 and 11).

A void reverses every row of the operation by new rows and restores cooldown and daily count as if it had not been.
Own operations can be undone within the program's window, by a manager until the store's business day ends.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import idempotency, money
from core.errors import DomainError, PermissionDenied
from core.ids import uuid7
from loyalty.enums import RewardState, TransactionType
from loyalty.models import IssuedReward, Transaction
from loyalty.queries import corrections, visits
from loyalty.queries.hot import CardRef
from loyalty.rules import points as point_rules
from loyalty.rules import voids as rules
from loyalty.services import ledger, operations, stamps
from loyalty.services.operations import Call, Context, Decision, Operation, StaffProof
from merchants.permissions import EARN, MANAGE, REDEEM
from stores.queries.access import Access

VOIDABLE = frozenset({
    TransactionType.STAMP_EARNED, TransactionType.POINTS_EARNED,
    TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED,
})  # fmt: skip
REDEMPTIONS = frozenset({TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED})
VOID = TransactionType.VOID.value


class VoidNotAllowed(DomainError):
    """This row cannot be undone by this caller: refund or adjust instead, or ask who did it."""

    code = "void_not_allowed"
    message = _("This cannot be undone here.")


class VoidWindowClosed(DomainError):
    """The time to undo is over; `void_until` says since when."""

    code = "void_window_closed"
    message = _("The time to undo this is over. A manager can correct it.")


class AlreadyVoided(DomainError):
    """It was undone before; `voided_at` says when."""

    code = "already_voided"
    message = _("This was undone already.")


def void(
    call: Call, *, transaction_id: UUID, staff: StaffProof | None = None, reason: str = ""
) -> idempotency.Answer:  # fmt: skip
    """Undo the whole operation that the ledger row belongs to; 201 with the reversal.

    Raises NotFound, VoidNotAllowed, VoidWindowClosed, AlreadyVoided, AlreadyRedeemed (a reward that its stamps paid
    for was handed out) and what operations.perform raises.
    """
    operation = Operation(
        name="void", authorize=authorize, card=CardRef("transaction", transaction_id), staff=staff or StaffProof(),
        earns=False, note=reason, confirm=True, corrects=True,
        decide=lambda context: _decide(context, transaction_id),
    )  # fmt: skip
    return operations.perform(call, operation)


def authorize(access: Access) -> None:
    """Who earns may undo what they did themselves; who manages, what others did."""
    if not access.is_manager:
        access.require(EARN)


def _decide(context: Context, transaction_id: UUID) -> Decision:
    rows = corrections.operation_of(transaction_id)
    _check_allowed(context, rows)
    undo = _Undo(context)
    for row in rows:
        undo.reverse(row)
    undo.forget_visit(rows)
    main = next(line for line in undo.lines if line.reverses_id == rows[0].id)
    body = {
        "transaction_id": main.id,
        "reverses": rows[0].id,
        **stamps.card_facts(undo.card),
        "stamp_count": undo.card.stamp_count,
        "stamps_target": undo.card.stamps_target,
        "points_balance": undo.card.points_balance,
        "points_debt": undo.card.points_debt,
        "rewards_available": stamps.rewards_available(context, undo.changes),
    }
    write = ledger.Write(
        context.card, undo.changes, undo.lines, issue=undo.issue, change_rewards=undo.change_rewards
    )  # fmt: skip
    return Decision(write, body)


def _check_allowed(context: Context, rows: Sequence[Transaction]) -> None:
    """Raise unless the operation can be undone now and by this caller."""
    main, access = rows[0], context.access
    if main.type not in VOIDABLE or not access.merchant.allow_void_transactions:
        raise VoidNotAllowed
    if main.type in REDEMPTIONS and not access.is_manager:
        access.require(REDEEM)
    reversals = corrections.reversals_of(rows)
    voids = [row for row in reversals if row.type == VOID]
    if voids:
        raise AlreadyVoided(voided_at=voids[0].occurred_at)
    if reversals:
        raise VoidNotAllowed(message=_("A part was refunded already. Refund the rest instead."))
    window_end = main.occurred_at + timedelta(minutes=context.program.void_window_minutes)
    if not access.is_manager:
        _check_own(context, main)
    if context.call.at > window_end and not (access.is_manager and main.business_date == context.moment.day):
        raise VoidWindowClosed(void_until=window_end)


def _check_own(context: Context, main: Transaction) -> None:
    """Raise unless the caller did it: the key, the staff member, or the device where nobody proved themselves."""
    credential = context.call.credential
    if credential.kind == "api_key":
        if main.api_key_id != credential.id:
            raise PermissionDenied(required_scope=MANAGE)
        return
    if main.staff_pin_id is not None:
        own = context.staff is not None and main.staff_pin_id == context.staff.id
    else:
        own = credential.id in (main.terminal_id, main.user_id)
    if not own:
        raise VoidNotAllowed(message=_("Somebody else did this. They or a manager can undo it."))


class _Undo:
    """Collects the reversing rows of one operation, row by row, on a running picture of the card."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.card = context.card
        self.changes: dict[str, Any] = {}
        self.lines: list[ledger.Line] = []
        self.issue: list[dict[str, Any]] = []
        self.change_rewards: list[tuple[UUID, str, datetime | None]] = []

    def reverse(self, row: Transaction) -> None:
        """Reverse one row; the row of an issued reward goes with the stamps that earned it."""
        parts = {
            TransactionType.POINTS_EARNED.value: self._sale,
            TransactionType.STAMP_EARNED.value: self._stamps,
            TransactionType.WELCOME_BONUS.value: self._welcome,
            TransactionType.STAMP_REDEEMED.value: self._stamp_redemption,
            TransactionType.POINTS_REDEEMED.value: self._points_redemption,
        }
        if row.type in parts:
            parts[row.type](row)

    def forget_visit(self, rows: Sequence[Transaction]) -> None:
        """Count silence from the visit before an undone earn (rule 13); an undone redemption was a visit all the same.

        Else what it gives back on the points' last day would be gone before the customer can spend it.
        """
        day = rows[0].business_date
        if rows[0].type not in REDEMPTIONS and self.card.last_activity_on <= day:
            before = visits.last_day(self.card.id, without=[row.id for row in rows])
            self._set(last_activity_on=min(before or day, self.card.last_activity_on))

    def _set(self, **changes: Any) -> None:
        self.changes.update(changes)
        self.card = ledger.after(self.card, changes)

    def _sale(self, row: Transaction) -> None:
        sale = point_rules.Sale(row.purchase_amount_cents or 0, row.micro_delta, row.points_granted)
        change = point_rules.take_back(
            self.card, corrections.rules_at(self.context.program, row.program_version), sale, 0,
            policy=self.context.program.refund_shortfall, exponent=money.exponent(self.context.program.currency),
            debt_paid=-row.debt_delta,
        )  # fmt: skip
        self._take(row, change)

    def _welcome(self, row: Transaction) -> None:
        policy = self.context.program.refund_shortfall
        change = point_rules.settle(self.card, -row.points_granted, policy=policy, debt_paid=-row.debt_delta)
        self._take(row, change)
        self._set(welcome_granted=False)

    def _take(self, row: Transaction, change: point_rules.Change) -> None:
        self.lines.append(ledger.reversal(VOID, row.id, change))
        self._set(**ledger.moved(self.card, change))

    def _stamps(self, row: Transaction) -> None:
        history = corrections.stamp_history(row.card_id)
        undone = rules.undo_stamps(
            self.card.stamp_count, row.id, row.stamps_delta, history,
            corrections.ready_rewards(self.card.id),
        )  # fmt: skip
        if undone.blocked_by is not None:
            raise corrections.already_redeemed(undone.blocked_by)
        if undone.gone:
            raise VoidNotAllowed(message=_("These stamps were corrected or moved since. Adjust the card instead."))
        for reward in undone.cancelled:
            self._cancel(reward)
        self.lines.append(ledger.Line(VOID, stamps_delta=-row.stamps_delta, reverses_id=row.id))
        today = self.card.stamps_today
        if self.card.stamps_day == row.business_date:
            today = max(0, today - row.stamps_delta)
        self._set(
            stamp_count=undone.count_after,
            stamps_today=today,
            last_stamp_at=corrections.last_stamp_before(self.card.id, without=row.id),
        )

    def _cancel(self, reward: rules.EarnedReward) -> None:
        """Take an issued reward back; its stamps return and the card is in that reward's cycle again."""
        self.change_rewards.append((reward.id, RewardState.CANCELLED.value, None))
        self.lines.append(
            ledger.Line(
                VOID,
                stamps_delta=reward.stamps_used - reward.stamps_held,
                reverses_id=reward.ledger_id,
                issued_reward_id=reward.id,
            )
        )
        self._set(
            rewards_ready=self.card.rewards_ready - 1,
            stamps_target=reward.stamps_used,
            stamps_reward=reward.name,
        )

    def _stamp_redemption(self, row: Transaction) -> None:
        # Stamps that were held on a card which was merged since come back as used: this card may be full itself.
        held = -row.stamps_delta if row.card_id == self.card.id else 0
        new = self._reinstate(row, held)
        self.lines.append(
            ledger.Line(VOID, stamps_delta=held, reverses_id=row.id, issued_reward_id=new["id"])
        )  # fmt: skip
        self._set(rewards_ready=self.card.rewards_ready + 1, stamp_count=self.card.stamp_count + held)
        if held:
            self._set(stamps_target=new["stamps_used"], stamps_reward=new["name"])

    def _reinstate(self, row: Transaction, held: int) -> dict[str, Any]:
        """Issue the reward again, so that each issued reward is redeemed at most once in its life."""
        old = IssuedReward.objects.get(id=row.issued_reward_id)
        self.change_rewards.append((old.id, RewardState.CANCELLED.value, None))
        new = {
            "id": uuid7(), "reward_id": old.reward_id, "reinstates_id": old.id, "source": old.source, "name": old.name,
            "state": RewardState.ISSUED.value, "stamps_used": old.stamps_used, "stamps_held": held,
            "points_used": old.points_used, "issued_at": old.issued_at, "expires_at": old.expires_at,
        }  # fmt: skip
        self.issue.append(new)
        return new

    def _points_redemption(self, row: Transaction) -> None:
        if row.issued_reward_id is not None:
            self.change_rewards.append((row.issued_reward_id, RewardState.CANCELLED.value, None))
        self.lines.append(
            ledger.Line(VOID, points_delta=-row.points_delta, reverses_id=row.id, issued_reward_id=row.issued_reward_id)
        )
        self._set(points_balance=self.card.points_balance - row.points_delta)
