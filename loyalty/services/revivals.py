"""Points that had not expired after all: a visit of before their end came in late (rules 13 and 19).

A till keeps a visit of the last valid day, the nightly job comes first and takes the points, then the visit arrives.
The balance must not tell which came first, so the operation that books the visit takes the expiry back before it: in
its transaction and under its card's lock, by a row that reverses the expiry and is dated like it. That row has a key of
its own, since undoing the visit is not undoing this: the points expire again then, like any others.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from loyalty.enums import Channel, TransactionType
from loyalty.models import Transaction
from loyalty.queries import corrections, late
from loyalty.rules import expiry as rules
from loyalty.rules.stamps import Moment
from loyalty.rules.states import CardState, ProgramRules
from loyalty.services import ledger


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit that arrives late, and what its merchant goes by. program: the rules of today."""

    merchant_id: UUID
    time_zone: str
    program: ProgramRules
    moment: Moment


def revive(card: CardState, visit: Visit) -> CardState:
    """Take back what would not have expired had the visit been known; return the card, whose lock the caller holds."""
    for row in late.expired_after(card.id, visit.moment.at):
        if _lives(row, visit):
            card = _take_back(card, row, visit)
    return card


def _lives(row: Transaction, visit: Visit) -> bool:
    """Tell whether the points of an expiry would have lived with the visit, and until the next one that is known.

    Where none is known they come back even if their new last day is over, too: they expire then, dated by that day.
    """
    last = rules.local_date(row.occurred_at, visit.time_zone) - rules.DAY
    then = corrections.rules_at(visit.program, row.program_version)
    if not rules.extends(visit.moment.day, last, then):
        return False
    came = late.first_visit_from(row.card_id, row.occurred_at)
    new_last = rules.last_day(visit.moment.day, visit.program)
    return came is None or new_last is None or came < rules.end_of(new_last, visit.time_zone)


def _take_back(card: CardState, row: Transaction, visit: Visit) -> CardState:
    """Write the reversing row. What is owed is paid first, as a refund since would have taken it from these points."""
    paid = min(card.points_debt, -row.points_delta)
    line = ledger.Line(
        TransactionType.VOID.value, points_delta=-row.points_delta - paid, debt_delta=-paid, reverses_id=row.id
    )
    changes = {
        "points_balance": card.points_balance + line.points_delta,
        "points_debt": card.points_debt + line.debt_delta,
    }
    facts = ledger.Facts(
        merchant_id=visit.merchant_id, program_id=visit.program.id, program_version=visit.program.version,
        key=f"auto-revival-{card.id}-{card.seq + 1}", channel=Channel.SYSTEM.value, currency=visit.program.currency,
        business_date=row.business_date, occurred_at=row.occurred_at, recorded_at=datetime.now(UTC),
    )  # fmt: skip
    ledger.commit(ledger.Write(card, changes, [line]), facts, None)
    return ledger.after(card, {**changes, "seq": card.seq + 1})
