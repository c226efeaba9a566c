"""What somebody inside could try: tasks with another merchant's ids, and SQL as the application's role."""

import inspect
import time
from typing import Any

import psycopg
from celery import current_app
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege

from core import tenancy
from tests.support.house import MODELS, House

QUIET_SECONDS, PATIENCE_SECONDS = 2.5, 90.0
# What nobody will ever take up is on no way: an event that no task can read is put off for longer and longer.
OPEN = """
    SELECT (SELECT count(*) FROM core_outboxevent WHERE state IN ('queued', 'inflight') AND last_error = '')
        + (SELECT count(*) FROM wallets_passupdate WHERE state IN ('queued', 'inflight'))
"""
# Each looks at the merchants' own rows only after the first argument; what follows may name anything.
MADE_UP = {
    "why": "stamp_earned",
    "pages": "",
    "provider": "apple",
    "after": "",
    "email": "x@example.com",
    "language": "en",
}
# Statistics are counted from the ledger, which is in the picture, whenever the timetable comes to it.
COUNTED = tuple(model._meta.db_table for model in MODELS if model._meta.app_label == "dashboard")
TABLES = [model._meta.db_table for model in MODELS]


def settled(house: House, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a picture of a house, but for some tables, once nothing is on its way any more."""
    without = (*without, *COUNTED)
    picture, began = house.picture(without=without), time.monotonic()
    while time.monotonic() - began < PATIENCE_SECONDS:
        time.sleep(QUIET_SECONDS)
        again = house.picture(without=without)
        if again == picture and not _open(house):
            break
        picture = again
    return picture


def _open(house: House) -> int:
    with tenancy.scope(house.world.merchant_id), connection.cursor() as cursor:
        cursor.execute(OPEN)
        return int(cursor.fetchone()[0])


def differences(house: House, before: dict[str, Any], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the tables of a house that are not as they were: table → (before, after)."""
    after = settled(house, without)
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def tasks(ours: House, theirs: House) -> dict[str, Any]:
    """Run every task that names a merchant, as the second one, with the ids of the first; returns the refusals."""
    current_app.loader.import_default_modules()
    ids = {name: str(value) for name, value in ours.ids.items()}
    ran: dict[str, Any] = {}
    for name, task in sorted(current_app.tasks.items()):
        names = inspect.signature(task.run).parameters
        if "merchant_id" not in names:
            continue
        wanted = {one: ids.get(one) or MADE_UP.get(one, "x") for one in names if one not in ("merchant_id", "_")}
        try:
            task.run(str(theirs.world.merchant_id), **wanted)
            ran[name] = "done"
        except Exception as error:  # noqa: BLE001 - a task that refuses is as good as one that finds nothing
            ran[name] = type(error).__name__
    return ran


def statements(ours: House, theirs: House) -> dict[str, int]:
    """Try SQL as the application's role: rows seen without a tenant; seen, changed or planted as another one."""
    found = {"tables": len(TABLES), "seen without": 0, "seen as another": 0, "changed": 0, "planted": 0}
    us, them = str(ours.world.merchant_id), str(theirs.world.merchant_id)
    with psycopg.connect(address(), autocommit=True) as line:
        for table in TABLES:
            found["seen without"] += _touched(line, f"SELECT FROM {table}")
        line.execute("SELECT set_config('app.merchant_id', %s, false)", [them])
        for table in TABLES:
            name = "id" if table == "merchants_merchant" else "merchant_id"
            copy = f"jsonb_populate_record(t, jsonb_build_object('{name}', %s::text))"
            found["seen as another"] += _touched(line, f"SELECT FROM {table} WHERE {name} = %s", us)
            found["changed"] += _touched(line, f"DELETE FROM {table} WHERE {name} = %s", us)
            found["changed"] += _touched(line, f"UPDATE {table} SET {name} = {name} WHERE {name} = %s", us)
            found["planted"] += _touched(line, f"UPDATE {table} SET {name} = %s", us)
            found["planted"] += _touched(line, f"INSERT INTO {table} SELECT ({copy}).* FROM {table} t LIMIT 1", us)
    return found


def address() -> str:
    """Return the database's address as the product itself uses it."""
    given = settings.DATABASES["default"]
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    return make_conninfo("", **{name: given[value] or None for name, value in names.items()})


def _touched(line: psycopg.Connection, statement: str, *values: str) -> int:
    """Return how many rows a statement saw or touched; one that the database forbids touched none."""
    try:
        return line.execute(statement, values).rowcount  # type: ignore[arg-type]
    except InsufficientPrivilege:
        return 0
