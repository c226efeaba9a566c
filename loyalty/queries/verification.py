"""Whether the numbers agree: cards against the sums of their ledgers, rewards against their rows, rows against tenants.

Set-based, in one snapshot over all merchants (or one), so that it may run beside the tills. The statements and what
each of them holds stand in verification.sql.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from psycopg import IsolationLevel

from core import tenancy
from core.tenancy import TenantScopedModel
from core.tenancy.operations import tenant_keys
from merchants.models import Merchant

REASON = "verify_ledger: hold every card against its ledger"
# Much memory for few statements; workers build their own hashes, since shared memory is scarce in containers.
SETTINGS = (
    "SET LOCAL work_mem = '128MB'",
    "SET LOCAL hash_mem_multiplier = 4",
    "SET LOCAL max_parallel_workers_per_gather = 4",
    "SET LOCAL enable_parallel_hash = off",
)
FOREIGN = """
    SELECT t.merchant_id, {card} AS card_id, t.id AS about, 'foreign' AS kind,
        format('{table} %%s: {column} %%s is not of its merchant', t.id, t.{column}) AS says
    FROM {table} t
    WHERE t.{column} IS NOT NULL AND (%(merchant)s::uuid IS NULL OR t.merchant_id = %(merchant)s)
        AND NOT EXISTS (SELECT FROM {target} x WHERE x.id = t.{column} AND x.merchant_id = t.merchant_id)
"""
ROWS = """
    SELECT t.id, t.seq, t.type, t.stamps_delta, t.stamps_after, t.points_delta, t.points_after, t.debt_delta,
        t.micro_delta, t.granted_delta, t.purchase_amount_cents, t.idempotency_key, t.line, t.issued_reward_id,
        t.reverses_id, t.occurred_at
    FROM loyalty_transaction t WHERE t.card_id = %s ORDER BY t.seq
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two numbers that do not agree, or a row that points where it may not. about: the row it is seen at."""

    kind: str
    says: str
    merchant_id: UUID | None
    card_id: UUID | None
    about: UUID | None


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and what does not agree."""

    cards: int
    rows: int
    differences: tuple[Difference, ...]


def verify(merchant_id: UUID | None = None) -> Report:
    """Compare everything and return the differences; without a merchant those of all."""
    with _snapshot():
        found = [*_cards(merchant_id), *_others(merchant_id)]
        cards = _ask("SELECT count(*) AS n FROM loyalty_card c WHERE {one}", merchant_id)[0]["n"]
        rows = _ask("SELECT count(*) AS n FROM loyalty_transaction c WHERE {one}", merchant_id)[0]["n"]
    return Report(cards, rows, tuple(found))


def merchant_by_slug(slug: str) -> UUID | None:
    """Return the merchant with a short name, None when there is none."""
    with tenancy.platform(reason=REASON):
        return Merchant.objects.filter(slug=slug).values_list("pk", flat=True).first()


def ledger_of(card_id: UUID) -> list[dict[str, Any]]:
    """Return the rows of one card, whoever its merchant is, to be shown beside a difference."""
    with tenancy.platform(reason=REASON), connection.cursor() as cursor:
        cursor.execute(ROWS, [card_id])
        return _dicts(cursor)


def names(card_ids: set[UUID]) -> dict[UUID, str]:
    """Return how a reader finds each card: its number and its merchant's short name."""
    with tenancy.platform(reason=REASON), connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, c.card_number || ' of ' || m.slug FROM loyalty_card c "
            "JOIN merchants_merchant m ON m.id = c.merchant_id WHERE c.id = ANY (%s)",
            [list(card_ids)],
        )
        return dict(cursor.fetchall())


def _statements() -> dict[str, str]:
    text = Path(__file__).with_name("verification.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)[1:]
    return {name: sql.strip().rstrip(";") for name, sql in zip(parts[::2], parts[1::2], strict=True)}


SQL = _statements()


def _cards(merchant_id: UUID | None) -> Iterator[Difference]:
    """Yield what cards and their ledgers disagree about; a running balance is traced to its row."""
    found = [Difference(**row) for row in _ask(SQL["cards"], merchant_id)]
    suspects = [item.card_id for item in found if item.kind == "running"]
    traced = [Difference(**row) for row in _ask(SQL["running"], merchant_id, cards=suspects)] if suspects else []
    explained = {item.card_id for item in [*traced, *found] if item.kind != "running"}
    yield from (item for item in found if item.kind != "running")
    yield from traced
    for item in found:
        if item.kind == "running" and item.card_id not in explained:
            yield Difference("running", "the running balances do not add up", item.merchant_id, item.card_id, None)


def _others(merchant_id: UUID | None) -> Iterator[Difference]:
    for name in ("rewards_ready", "reward_states", "reversals", "merges"):
        yield from (Difference(**row) for row in _ask(SQL[name], merchant_id))
    for sql in _tenant_checks():
        yield from (Difference(**row) for row in _ask(sql, merchant_id))


def _tenant_checks() -> Iterator[str]:
    """Yield a statement for each key between tenant tables, of all apps: a new table is held without being listed."""
    for model in apps.get_models():
        if not issubclass(model, TenantScopedModel):
            continue
        columns = {field.column for field in model._meta.local_concrete_fields}
        table = model._meta.db_table
        card = "t.id" if table == "loyalty_card" else "t.card_id" if "card_id" in columns else "NULL::uuid"
        for field in tenant_keys(model):
            target = field.remote_field.model._meta.db_table
            yield FOREIGN.format(table=table, column=field.column, target=target, card=card)


def _ask(sql: str, merchant_id: UUID | None, **values: Any) -> list[dict[str, Any]]:
    one = "%(merchant)s::uuid IS NULL OR c.merchant_id = %(merchant)s"
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("{one}", one), {"merchant": merchant_id, **values})
        return _dicts(cursor)


def _dicts(cursor: Any) -> list[dict[str, Any]]:
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


@contextmanager
def _snapshot() -> Iterator[None]:
    """Open the platform's scope on one snapshot; inside a transaction (tests) it is that transaction's view."""
    if connection.in_atomic_block:
        with tenancy.platform(reason=REASON):
            yield
        return
    connection.ensure_connection()
    wire, before = connection.connection, connection.connection.isolation_level
    wire.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with tenancy.platform(reason=REASON):
            with connection.cursor() as cursor:
                for setting in SETTINGS:
                    cursor.execute(setting)
            yield
    finally:
        if not wire.closed:
            wire.isolation_level = before


def by_card(report: Report) -> Mapping[UUID | None, list[Difference]]:
    """Return the differences of each card together, those of no card under None."""
    grouped: dict[UUID | None, list[Difference]] = {}
    for item in report.differences:
        grouped.setdefault(item.card_id, []).append(item)
    return grouped
