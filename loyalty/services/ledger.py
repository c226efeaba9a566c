"""The write: card, ledger rows, rewards, outbox and the answer under its key, in one statement.

The transaction holds the card's lock. Two nets lie under it: the update names the sequence it started from, and the
ledger's unique keys (merchant, key, line) and (merchant, card, seq) refuse what slipped through.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, transaction
from psycopg.errors import DivisionByZero

from core import db, idempotency, outbox
from core.ids import uuid7
from core.web import stored_address
from loyalty.rules.points import Change
from loyalty.rules.states import CardState


class LostUpdate(RuntimeError):
    """The card changed under its own lock: impossible, and never to be swallowed."""


@dataclass(slots=True)
class Line:
    """One ledger row to be; what all rows of an operation share is in Facts."""

    type: str
    stamps_delta: int = 0
    points_delta: int = 0
    debt_delta: int = 0
    micro_delta: int = 0
    granted_delta: int = 0
    points_granted: int = 0
    purchase_amount_cents: int | None = None
    reward_id: UUID | None = None
    issued_reward_id: UUID | None = None
    reverses_id: UUID | None = None
    id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True)
class Facts:
    """What all rows of one operation share: who, where, when, under which rules and key."""

    merchant_id: UUID
    program_id: UUID
    program_version: int
    key: str
    channel: str
    currency: str
    business_date: date
    occurred_at: datetime
    recorded_at: datetime
    store_id: UUID | None = None
    staff_id: UUID | None = None
    terminal_id: UUID | None = None
    api_key_id: UUID | None = None
    user_id: UUID | None = None
    order_reference: str = ""
    ip: str | None = None
    user_agent: str = ""
    note: str = ""


@dataclass(slots=True)
class Write:
    """Everything one operation changes. `card` holds the new values of the card's columns.

    first_line: the number of the first row, where an operation writes to two cards under one key.
    """

    before: CardState
    card: dict[str, Any]
    lines: list[Line]
    issue: list[dict[str, Any]] = field(default_factory=list)
    change_rewards: list[tuple[UUID, str, datetime | None]] = field(default_factory=list)
    answer: idempotency.Answer | None = None
    first_line: int = 0


CARD_FIELDS = frozenset({
    "stamp_count", "stamps_target", "stamps_reward", "points_balance", "points_debt", "points_micro", "points_granted",
    "rewards_ready", "stamps_today", "stamps_day", "welcome_granted", "last_stamp_at", "last_points_at",
    "last_activity_on", "status", "status_reason", "merged_into_id",
})  # fmt: skip
LEDGER_COLUMNS = (
    "id", "merchant_id", "card_id", "program_id", "program_version", "seq", "idempotency_key", "line", "type",
    "stamps_delta", "points_delta", "debt_delta", "micro_delta", "granted_delta", "credit_delta_cents", "stamps_after",
    "points_after", "points_granted", "purchase_amount_cents", "currency", "order_reference", "reward_id",
    "issued_reward_id", "reverses_id", "store_id", "staff_pin_id", "terminal_id", "api_key_id", "user_id", "channel",
    "business_date", "occurred_at", "recorded_at",
)  # fmt: skip
ISSUED_COLUMNS = (
    "id", "merchant_id", "card_id", "program_id", "reward_id", "reinstates_id", "source", "name", "state",
    "stamps_used", "stamps_held", "points_used", "issued_at", "expires_at", "redeemed_at",
)  # fmt: skip


def commit(write: Write, facts: Facts, asked: idempotency.Request | None, *, last: bool = False) -> None:
    """Write everything in one statement inside the open transaction, and wake the relay after the commit.

    last: nothing else is written in this transaction, so the commit travels with the statement. Raises
    IdempotencyKeyReused when the ledger knows the key from long ago, LostUpdate never.
    """
    with_ = [_update_card(write), _insert_ledger(write, facts), _insert_event(write, facts)]
    if write.issue:
        with_.append(_insert_issued(write, facts))
    with_ += [_change_reward(row, index) for index, row in enumerate(write.change_rewards)]
    if facts.ip or facts.user_agent or facts.note:
        with_.append(_insert_detail(write, facts))
    if asked is not None and asked.key is not None and write.answer is not None:
        with_.append(_insert_answer(write.answer, facts, asked))
    # No card changed divides by zero: what must not be committed has to fail in the statement itself.
    sql = "WITH " + ", ".join(part for part, _ in with_) + " SELECT 1 / count(*) FROM changed_card"
    params = [value for _, values in with_ for value in values]
    try:
        db.write(sql, params, last=last)
    except DataError as error:
        if isinstance(error.__cause__, DivisionByZero):
            raise LostUpdate(f"card {write.before.id} moved past seq {write.before.seq}") from error
        raise
    except IntegrityError as error:
        if "loyalty_ledger_key" in str(error) or "core_idempotency_key" in str(error):
            raise idempotency.IdempotencyKeyReused from error
        raise
    transaction.on_commit(outbox.wake)


def _update_card(write: Write) -> tuple[str, list[Any]]:
    unknown = set(write.card) - CARD_FIELDS
    if unknown:
        raise ValueError(f"not a column that operations move: {unknown}")
    columns = {**write.card, "seq": write.before.seq + len(write.lines)}
    sets = ", ".join(f"{name} = %s" for name in columns)
    sql = (
        f"changed_card AS (UPDATE loyalty_card SET {sets}, version = version + 1 "
        "WHERE id = %s AND seq = %s RETURNING id)"
    )
    return sql, [*columns.values(), write.before.id, write.before.seq]


def _insert_ledger(write: Write, facts: Facts) -> tuple[str, list[Any]]:
    stamps, points, rows = write.before.stamp_count, write.before.points_balance, []
    for index, line in enumerate(write.lines):
        stamps, points = stamps + line.stamps_delta, points + line.points_delta
        rows.append([
            line.id, facts.merchant_id, write.before.id, facts.program_id, facts.program_version,
            write.before.seq + 1 + index, facts.key, write.first_line + index, line.type, line.stamps_delta,
            line.points_delta, line.debt_delta, line.micro_delta, line.granted_delta, 0, stamps, points,
            line.points_granted, line.purchase_amount_cents, facts.currency, facts.order_reference, line.reward_id,
            line.issued_reward_id, line.reverses_id, facts.store_id, facts.staff_id, facts.terminal_id,
            facts.api_key_id, facts.user_id, facts.channel, facts.business_date, facts.occurred_at, facts.recorded_at,
        ])  # fmt: skip
    return _insert("ledger", "loyalty_transaction", LEDGER_COLUMNS, rows)


def _insert_issued(write: Write, facts: Facts) -> tuple[str, list[Any]]:
    shared = {"merchant_id": facts.merchant_id, "card_id": write.before.id, "program_id": facts.program_id}
    rows = [[{**shared, **row}.get(name) for name in ISSUED_COLUMNS] for row in write.issue]
    return _insert("issued", "loyalty_issuedreward", ISSUED_COLUMNS, rows)


def _change_reward(row: tuple[UUID, str, datetime | None], index: int) -> tuple[str, list[Any]]:
    reward_id, state, redeemed_at = row
    sql = (
        f"reward_{index} AS (UPDATE loyalty_issuedreward SET state = %s, redeemed_at = COALESCE(%s, redeemed_at) "
        "WHERE id = %s)"
    )
    return sql, [state, redeemed_at, reward_id]


def _insert_event(write: Write, facts: Facts) -> tuple[str, list[Any]]:
    payload = json.dumps({"card_id": str(write.before.id), "why": write.lines[0].type})
    columns = ("merchant_id", "topic", "payload", "state", "attempts", "last_error", "created_at")
    row = [facts.merchant_id, "card.changed", payload, "queued", 0, "", facts.recorded_at]
    return _insert("event", "core_outboxevent", columns, [row])


def _insert_detail(write: Write, facts: Facts) -> tuple[str, list[Any]]:
    columns = ("id", "merchant_id", "transaction_id", "ip", "user_agent", "note")
    row = [uuid7(), facts.merchant_id, write.lines[0].id, stored_address(facts.ip), facts.user_agent, facts.note]
    return _insert("detail", "loyalty_transactiondetail", columns, [row])


def _insert_answer(
    answer: idempotency.Answer, facts: Facts, asked: idempotency.Request
) -> tuple[str, list[Any]]:  # fmt: skip
    columns = ("id", "merchant_id", "key", "operation", "fingerprint", "status", "body", "created_at")
    row = [uuid7(), facts.merchant_id, asked.key, asked.operation, asked.fingerprint, answer.status, answer.text,
           facts.recorded_at]  # fmt: skip
    return _insert("kept", "core_idempotencyrecord", columns, [row])


def _insert(name: str, table: str, columns: Sequence[str], rows: list[list[Any]]) -> tuple[str, list[Any]]:
    marks = "(" + ", ".join(["%s"] * len(columns)) + ")"
    sql = f"{name} AS (INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([marks] * len(rows))})"
    return sql, [value for row in rows for value in row]


def reversal(kind: str, row_id: UUID, change: Change) -> Line:
    """Return the row that reverses points of another row."""
    return Line(
        kind, points_delta=change.points_delta, debt_delta=change.debt_delta, micro_delta=change.micro_delta,
        granted_delta=change.granted_delta, points_granted=change.granted, reverses_id=row_id,
    )  # fmt: skip


def moved(card: CardState, change: Change) -> dict[str, int]:
    """Return the card's point columns after a change."""
    return {
        "points_balance": card.points_balance + change.points_delta,
        "points_debt": card.points_debt + change.debt_delta,
        "points_micro": card.points_micro + change.micro_delta,
        "points_granted": card.points_granted + change.granted_delta,
    }


def after(card: CardState, changes: Mapping[str, Any]) -> CardState:
    """Return the card as it will be after the changes."""
    return replace(card, **changes)
