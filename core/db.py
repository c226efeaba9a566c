"""Several statements in one round trip, by PostgreSQL's pipeline mode (libpq 14 and later)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DatabaseProblem
from psycopg import Connection, Cursor, RawCursor
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row


class Deferred:
    """The rows of one statement of a pipeline; readable once the pipeline is closed."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: Cursor[dict[str, Any]]) -> None:
        self._cursor = cursor

    def one(self) -> dict[str, Any] | None:
        """Return the first row as a dict by column name, or None."""
        return self._cursor.fetchone()

    def all(self) -> list[dict[str, Any]]:
        """Return every row as a dict by column name."""
        return self._cursor.fetchall()


class Pipeline:
    """Queues statements; they run in order, in one round trip, when the pipeline is closed.

    They go to psycopg's own cursors: Django's, which log and time each statement, cost twice as much as these here.
    """

    __slots__ = ("_log", "_wire")

    def __init__(self, wire: Connection[Any], log: Any = None) -> None:
        self._wire, self._log = wire, log

    def run(self, sql: str, params: Sequence[Any] | dict[str, Any] | None = None) -> Deferred:
        """Queue one statement and return its rows-to-be."""
        if self._log is not None:
            _note(self._log, sql)
        cursor = self._wire.cursor(row_factory=dict_row)
        cursor.execute(sql, params)
        return Deferred(cursor)


@contextmanager
def pipeline() -> Iterator[Pipeline]:
    """Open a pipeline on the current connection; a BEGIN that is due travels with it.

    Read the rows after the block. A failing statement raises at the end of the block and the statements behind it
    do not run; the surrounding transaction is then to be rolled back as after any database error.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    wire = database.connection
    begins = _begin_is_due(wire)
    if begins:
        # By itself psycopg sends BEGIN and waits for its answer before it queues the first statement.
        wire.autocommit = True
    try:
        with database.wrap_database_errors, wire.pipeline():
            line = Pipeline(wire, database.queries_log if database.queries_logged else None)
            if begins:
                line.run("BEGIN")
            yield line
    except DatabaseProblem:
        if not database.in_atomic_block and wire.info.transaction_status == TransactionStatus.IDLE:
            # psycopg may think that a statement was prepared which never ran, and no rollback tells it otherwise.
            database.close()
        raise


def _begin_is_due(wire: Any) -> bool:
    """Tell whether the next statement is the first of a transaction, and that an ordinary one."""
    idle = wire.info.transaction_status == TransactionStatus.IDLE
    return idle and not wire.autocommit and wire.isolation_level is None and wire.read_only is None


def write(sql: str, params: Sequence[Any], *, last: bool = False) -> tuple[Any, ...] | None:
    """Run one long statement of the open transaction, with %s for each parameter, and return its first row.

    last: nothing follows it in the transaction, so that COMMIT may travel with it; whether the statement did what it
    should, it has to say by itself then, with an error. Inside another transaction the commit is left to that.
    psycopg remembers how it takes a statement apart only for those of up to 50 parameters; here it need not.
    """
    # Through the proxy `connection` each look would ask anew which thread this is.
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    if database.queries_logged:
        _note(database.queries_log, sql)
    wire = database.connection
    with database.wrap_database_errors, RawCursor(wire) as cursor:
        if last and len(database.atomic_blocks) == 1 and not database.needs_rollback:
            # Of an aborted pipeline COMMIT does not run; of one that ran, Django's own finds nothing left to commit.
            with wire.pipeline():
                cursor.execute(_numbered(sql), params)
                wire.execute("COMMIT")
        else:
            cursor.execute(_numbered(sql), params)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def _note(log: Any, sql: str) -> None:
    """Put a statement on Django's list, where somebody counts them."""
    log.append({"sql": sql, "time": "0"})


@lru_cache(maxsize=500)
def _numbered(sql: str) -> str:
    """Return a statement with PostgreSQL's own placeholders, $1 and on."""
    parts, numbers = sql.split("%s"), count(1)
    return parts[0] + "".join(f"${next(numbers)}{part}" for part in parts[1:])
