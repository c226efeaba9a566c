"""Refunds: take back the points of a sale, in part or whole, by the rules of the day of sale (rules 10, 12)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import idempotency, money
from core.errors import DomainError, NotFound
from loyalty.enums import TransactionType
from loyalty.models import Transaction
from loyalty.queries import corrections
from loyalty.queries.hot import CardRef
from loyalty.rules import points as rules
from loyalty.services import ledger, operations, stamps
from loyalty.services.operations import Call, Context, Decision, Operation, StaffProof
from loyalty.services.voids import AlreadyVoided
from merchants.permissions import MANAGE
from stores.queries.access import Access

REFUND = TransactionType.REFUND.value


class RefundExceedsSale(DomainError):
    """More than what is left of the sale; `refundable_cents` says how much that is."""

    code = "refund_exceeds_sale"
    message = _("That is more than what is left of this purchase.")


def refund(
    call: Call, *, transaction_id: UUID, cents: int, staff: StaffProof | None = None, reason: str = ""
) -> idempotency.Answer:  # fmt: skip
    """Refund `cents` minor units of the sale recorded by a ledger row; 201 with the reversal.

    The sale is recomputed with its net after all its refunds, so the order of refunds does not matter, four small ones
    take back what one large one does, and a full one takes back everything. Raises NotFound (not a sale),
    AlreadyVoided, RefundExceedsSale and what operations.perform raises.
    """
    operation = Operation(
        name="refund", authorize=authorize, card=CardRef("transaction", transaction_id), staff=staff or StaffProof(),
        earns=False, note=reason, confirm=True, corrects=True,
        decide=lambda context: _decide(context, transaction_id, cents),
    )  # fmt: skip
    return operations.perform(call, operation)


def authorize(access: Access) -> None:
    """Tills refund with a PIN; a key needs the right to manage."""
    if access.credential.kind != "terminal":
        access.require(MANAGE)


def _decide(context: Context, transaction_id: UUID, cents: int) -> Decision:
    rows = corrections.operation_of(transaction_id)
    sale_row = next((row for row in rows if row.id == transaction_id), None)
    if sale_row is None or sale_row.type != TransactionType.POINTS_EARNED:
        raise NotFound
    reversals = [row for row in corrections.reversals_of([sale_row]) if row.reverses_id == sale_row.id]
    if any(row.type == TransactionType.VOID for row in reversals):
        raise AlreadyVoided(voided_at=reversals[-1].occurred_at)
    sale = _sale(sale_row, reversals)
    if cents > sale.net_cents:
        raise RefundExceedsSale(refundable_cents=sale.net_cents)
    program = context.program
    change = rules.take_back(
        context.card, corrections.rules_at(program, sale_row.program_version), sale, sale.net_cents - cents,
        policy=program.refund_shortfall, exponent=money.exponent(program.currency),
    )  # fmt: skip
    line = ledger.reversal(REFUND, sale_row.id, change)
    line.purchase_amount_cents = -cents
    changes: dict[str, Any] = dict(ledger.moved(context.card, change))
    lines = [line]
    if cents == sale.net_cents:
        lines += _take_welcome_back(context, rows, changes)
    write = ledger.Write(context.card, changes, lines)
    return Decision(write, _body(context, line, cents, sale.net_cents - cents, changes))


def _sale(row: Transaction, reversals: Sequence[Transaction]) -> rules.Sale:
    """Return the sale as its earlier refunds left it."""
    return rules.Sale(
        net_cents=(row.purchase_amount_cents or 0) + sum(item.purchase_amount_cents or 0 for item in reversals),
        net_micro=row.micro_delta + sum(item.micro_delta for item in reversals),
        net_granted=row.points_granted + sum(item.points_granted for item in reversals),
    )


def _take_welcome_back(
    context: Context, rows: Sequence[Transaction], changes: dict[str, Any]
) -> list[ledger.Line]:  # fmt: skip
    """Take back the welcome bonus that the sale had brought, once nothing is left of the sale."""
    granted = next((row for row in rows if row.type == TransactionType.WELCOME_BONUS), None)
    if granted is None:
        return []
    card = ledger.after(context.card, changes)
    change = rules.settle(card, -granted.points_granted, policy=context.program.refund_shortfall)
    changes.update(ledger.moved(card, change), welcome_granted=False)
    return [ledger.reversal(REFUND, granted.id, change)]


def _body(
    context: Context, line: ledger.Line, cents: int, net_cents: int, changes: dict[str, Any]
) -> dict[str, Any]:  # fmt: skip
    return {
        "transaction_id": line.id,
        "reverses": line.reverses_id,
        **stamps.card_facts(context.card),
        "refunded_cents": cents,
        "net_amount_cents": net_cents,
        "currency": context.program.currency,
        "points_taken_back": -line.points_delta,
        "points_due": -line.points_granted,
        "points_balance": changes["points_balance"],
        "points_debt": changes["points_debt"],
        "rewards_available": stamps.rewards_available(context, changes),
    }
