"""The database wrapper that Django loads from here."""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Notices at the start of a request that the server has gone, without asking it anything."""

    def is_usable(self) -> bool:
        """Tell whether the wire is quiet: a server that cut the connection has said so or closed it; both can be read.

        An idle connection gets nothing else. Should a notice ever come, the price is one new connection.
        """
        wire = self.connection
        if wire is None or wire.closed or wire.broken:
            return False
        try:
            readable, _, _ = select.select([wire.fileno()], [], [], 0)
        except (psycopg.Error, OSError, ValueError):
            return False
        return not readable

    def chunked_cursor(self) -> Any:
        """Read a long answer in pieces inside a transaction only.

        Outside of one the server would have to keep it for the session, and behind PgBouncer there is none: the next
        piece would be asked of another server.
        """
        return super().chunked_cursor() if self.in_atomic_block else self.cursor()

    @property
    def queries_logged(self) -> Any:
        """Keep no list of queries merely because of DEBUG: a long-running server would pay for it on each one."""
        return self.force_debug_cursor
