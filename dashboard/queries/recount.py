"""The ledger counted anew, by the same statements that fill the rollups (recount.sql), and which days need it.

Rows of the ledger are found by when they were recorded, which is not the order in which they were committed. So a
watermark stays behind the oldest transaction that was writing when it was taken, and behind the clocks' differences:
whatever it leaves behind was visible then. It holds as long as recorded_at is taken at most MARGIN before the first
write of its transaction.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from core.db import Pipeline, pipeline
from dashboard.models.rollups import HOURS
from dashboard.queries.versions import Versions

MARGIN = timedelta(seconds=30)
BY_HOUR = ", ".join(f"COALESCE(sum(h.visits) FILTER (WHERE h.hour = {hour}), 0)" for hour in range(HOURS))
# The scans that are bounded by the cards of the days, and the column that names the card.
CARDS = {"f": "card_id", "k": "id", "t": "card_id"}
# What these hold of a card depends on its own rows alone.
BY_CARD = frozenset({"presence", "first_reward"})
PLAN_FOR_ALL = "SELECT set_config('work_mem', '128MB', true), set_config('enable_nestloop', 'off', true)"
PLAN_AS_USUAL = "SELECT set_config('enable_nestloop', 'on', true)"
# By whether to wait for whoever has it.
LOCK = {
    True: "SELECT true AS taken, pg_advisory_xact_lock(hashtextextended(%s, 0))::text",
    False: "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)) AS taken",
}
Days = Sequence[date] | None
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A rollup: its table, what a row is found by (and which of that may be null), and what it holds."""

    name: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    nullable: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is counted."""
        return (*self.keys, *self.values)


TABLES = {
    "figures": Table(
        "dashboard_dayfigures",
        ("program_id", "store_id", "staff_id", "day"),
        (
            "new_cards", "visits", "visits_by_hour", "stamps_given", "rewards_issued", "rewards_expired",
            "stamp_rewards_redeemed", "points_rewards_redeemed", "points_earned", "points_refunded", "points_adjusted",
            "points_moved", "points_redeemed", "points_expired", "sales", "sales_cents",
        ),
        nullable=("store_id", "staff_id"),
    ),
    "presence": Table("dashboard_presence", ("card_id", "store_id", "day"), ("since", "visits")),
    "balance": Table("dashboard_daybalance", ("program_id", "store_id", "day"), ("cards", "stamps", "points", "debt")),
    "first_reward": Table("dashboard_firstreward", ("card_id",), ("store_id", "day", "days")),
}  # fmt: skip


def statements(file: str) -> dict[str, str]:
    """Return the statements of a file beside this one by their names."""
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)[1:]
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}


SQL = statements("recount.sql")
for _name in ("current", "state"):
    for _part in ("zones", "oldest_write"):
        SQL[_name] = SQL[_name].replace(f"{{{_part}}}", SQL[_part])


def select(name: str, days: Days) -> str:
    """Return the statement that counts a rollup's rows: of some business days, or of all (None)."""
    limited = days is not None
    body = SQL[name]
    if name in ("figures", "presence"):
        body = f"{SQL['counted']}\n{body}"
    body = body.replace("{days}", "t.business_date = ANY(%(days)s)" if limited else "TRUE")
    body = body.replace(
        "{reverses}", "r.reverses_id IN (SELECT id FROM base)" if limited else "r.reverses_id IS NOT NULL"
    )
    body = body.replace("{voids}", SQL["voids"] if limited else "TRUE")
    by_card = limited and name in BY_CARD
    body = body.replace("{touched}", "t.card_id = ANY(%(touched)s::uuid[])" if by_card else "TRUE")
    cards = "touched" if by_card else "cards"
    for scan, column in CARDS.items():
        body = body.replace(f"{{{scan}_cards}}", f"{scan}.{column} = ANY(%({cards})s::uuid[])" if limited else "TRUE")
    return body.replace("{by_hour}", f"ARRAY[{BY_HOUR}]::int[]")


def parameters(merchant_id: UUID, days: Days, since: datetime | None = None) -> dict[str, Any]:
    """Return the parameters of `select`: for some days also the cards that have rows on them, which takes a round trip.

    since: of rollups by card only those cards are counted that something was recorded of since then; None: all.
    They stay text, as PostgreSQL wrote them: a list of thousands would be read here and written for each statement.
    """
    if days is None:
        return {"merchant": merchant_id}
    wanted = {"merchant": merchant_id, "days": list(days)}
    with pipeline() as line:
        on_days = line.run(SQL["cards"], wanted)
        new = line.run(SQL["touched"], {"merchant": merchant_id, "since": since}) if since else None
    cards = (on_days.one() or {})["cards"]
    return {**wanted, "cards": cards, "touched": (new.one() or {})["touched"] if new else cards}


def rows(name: str, merchant_id: UUID, days: Days) -> list[Row]:
    """Count a rollup's rows from the ledger, inside the merchant's scope."""
    with planned_for_all():
        return ask(select(name, days), parameters(merchant_id, days))


def dirty_days(merchant_id: UUID, since: datetime) -> list[date]:
    """Return the business days that rows recorded since a moment belong to, or correct; inside the merchant's scope."""
    return [row["day"] for row in ask(SQL["dirty"], {"merchant": merchant_id, "since": since})]


def is_current(merchant_id: UUID) -> bool:
    """Tell whether nothing was recorded since the merchant's rollups were refreshed; inside its scope."""
    return any(row["current"] for row in ask(SQL["current"], {"merchant": merchant_id}))


def tail(merchant_id: UUID) -> Days:
    """Return the business days that the merchant's rollups may lack, None for all of them; inside its scope."""
    for row in ask(SQL["current"], {"merchant": merchant_id}):
        return [] if row["current"] else dirty_days(merchant_id, row["covered_until"])
    return None


def waiting() -> list[UUID]:
    """Return the merchants with rows that their rollups may lack, the longest waiting first; for the platform."""
    return [row["id"] for row in ask(SQL["waiting"], {})]


@dataclass(frozen=True, slots=True)
class State:
    """How far a merchant's rollups are, from whom holds their lock.

    covered_until: None, they were never counted. horizon: how far they are once what the next statement sees is
    counted, and recent: how many rows the ledger has since then. zones: the clocks of the stores as JSON; same_zones:
    whether the rollups were counted by them.
    """

    merchant_id: UUID
    at: datetime
    covered_until: datetime | None
    versions: Versions
    horizon: datetime
    recent: int
    zones: str
    same_zones: bool


def locked(merchant_id: UUID, *, at: datetime, wait: bool) -> State | None:
    """Take the lock of a merchant's rollups until the transaction ends, and return how far they are; in one round trip.

    None when somebody else has it and we do not wait. It is an advisory lock: on the row itself those who come while it
    is being made would have to wait. at: now.
    """
    with pipeline() as line:
        lock = line.run(LOCK[wait], [f"rollups of {merchant_id}"])
        found = line.run(SQL["state"], {"merchant": merchant_id, "at": at, "margin": MARGIN})
    if (lock.one() or {})["taken"] is False:
        return None
    row = found.one() or {}
    versions = Versions.read(row.pop("version"), row.pop("changes"))
    return State(merchant_id=merchant_id, at=at, versions=versions, **row)


def cover(line: Pipeline, state: State, days: Days) -> None:
    """Queue the statement that says how far the rollups are now that some days were counted anew (None: all)."""
    versions = state.versions.changed(days, state.at)
    line.run(SQL["cover"], {
        "merchant": state.merchant_id, "until": state.horizon, "at": state.at, "zones": state.zones,
        "version": versions.number, "changes": versions.written(), "recent": state.recent,
    })  # fmt: skip


@contextmanager
def planned_for_all() -> Iterator[None]:
    """Run statements without nested loops, inside a transaction.

    Of a merchant that grew since the planner last looked it thinks that there is one row, takes the smallest index that
    begins with the merchant, and would walk through all its rows once for each of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(PLAN_FOR_ALL)
        yield
        cursor.execute(PLAN_AS_USUAL)


@contextmanager
def planned_together() -> Iterator[Pipeline]:
    """Yield a pipeline whose statements are planned as in `planned_for_all`."""
    with pipeline() as line:
        line.run(PLAN_FOR_ALL)
        yield line
        line.run(PLAN_AS_USUAL)


def ask(sql: str, values: Mapping[str, Any]) -> list[Row]:
    """Run a statement and return its rows by column name."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
