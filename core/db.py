"""Several statements in one round trip, by PostgreSQL's pipeline mode (libpq 14 and later)."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.pq import TransactionStatus


class Deferred:
    """The rows of one statement of a pipeline; readable once the pipeline is closed."""

    def __init__(self, cursor: CursorWrapper) -> None:
        self._cursor = cursor

    def one(self) -> dict[str, Any] | None:
        """Return the first row as a dict by column name, or None."""
        row = self._cursor.fetchone()
        return dict(zip(self.columns, row, strict=True)) if row is not None else None

    def all(self) -> list[dict[str, Any]]:
        """Return every row as a dict by column name."""
        columns = self.columns
        return [dict(zip(columns, row, strict=True)) for row in self._cursor.fetchall()]

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [column[0] for column in self._cursor.description]


class Pipeline:
    """Queues statements; they run in order, in one round trip, when the pipeline is closed."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def run(self, sql: str, params: Sequence[Any] | dict[str, Any] | None = None) -> Deferred:
        """Queue one statement and return its rows-to-be."""
        cursor = connection.cursor()
        self._stack.callback(cursor.close)
        cursor.execute(sql, params)
        return Deferred(cursor)


@contextmanager
def pipeline() -> Iterator[Pipeline]:
    """Open a pipeline on the current connection; a BEGIN that is due travels with it.

    Read the rows after the block. A failing statement raises at the end of the block and the statements behind it
    do not run; the surrounding transaction is then to be rolled back as after any database error.
    """
    connection.ensure_connection()
    wire, stack = connection.connection, ExitStack()
    begins = _begin_is_due(wire)
    if begins:
        # By itself psycopg sends BEGIN and waits for its answer before it queues the first statement.
        wire.autocommit = True
    with connection.wrap_database_errors, wire.pipeline():
        line = Pipeline(stack)
        if begins:
            line.run("BEGIN")
        yield line


def _begin_is_due(wire: Any) -> bool:
    """Tell whether the next statement is the first of a transaction, and that an ordinary one."""
    idle = wire.info.transaction_status == TransactionStatus.IDLE
    return idle and not wire.autocommit and wire.isolation_level is None and wire.read_only is None
