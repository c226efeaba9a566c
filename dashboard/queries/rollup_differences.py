"""Whether the rollups say what the ledger says: both counted in one statement, and what only one of them has."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from dashboard.queries import recount
from dashboard.queries.recount import Days, Table

COMPARE = """
    WITH fresh AS MATERIALIZED (SELECT {columns} FROM ({counted}) c), kept AS MATERIALIZED (
        SELECT {columns} FROM {table} o WHERE o.merchant_id = %(merchant)s AND {of_days}
    ), lost AS (TABLE fresh EXCEPT ALL TABLE kept), wrong AS (TABLE kept EXCEPT ALL TABLE fresh)
    SELECT 'lacks' AS what, day, to_jsonb(l)::text AS row FROM lost l
    UNION ALL SELECT 'has wrongly', day, to_jsonb(w)::text FROM wrong w
    ORDER BY day, row, what LIMIT 200
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that a rollup lacks, or has though the ledger does not say so."""

    rollup: str
    day: date
    says: str


def find(merchant_id: UUID, days: Days) -> list[Difference]:
    """Compare some business days, or all (None), inside the merchant's scope; at most 200 differences a rollup."""
    values = recount.parameters(merchant_id, days)
    with recount.planned_for_all():
        return [
            Difference(name, row["day"], f"{row['what']} {row['row']}")
            for name, table in recount.TABLES.items()
            for row in recount.ask(_statement(name, table, days), values)
        ]


def _statement(name: str, table: Table, days: Days) -> str:
    of_days = "TRUE"
    if days is not None:
        of_days = "o.day = ANY(%(days)s)" if "day" in table.keys else "o.card_id = ANY(%(cards)s::uuid[])"
    return COMPARE.format(
        columns=", ".join(table.columns), counted=recount.select(name, days), table=table.name, of_days=of_days
    )  # fmt: skip
