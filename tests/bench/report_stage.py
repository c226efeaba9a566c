"""What reports are measured on: the stage of the stamps, with pages, and seeded without checks that the load passes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.bench.stage import DATABASE, Stage

# Ten million rows are checked against their foreign keys for minutes; the load is right by construction, and
# `verify_ledger` and `rebuild_rollups --check` say so afterwards.
UNCHECKED = "ALTER ROLE loyalty_app IN DATABASE {} SET session_replication_role = replica"
CHECKED = "ALTER ROLE loyalty_app IN DATABASE {} RESET session_replication_role"


@dataclass
class ReportStage(Stage):
    """The stage of a size. Its database is dropped at the end: it takes gigabytes."""

    def _seed(self) -> None:
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        with self._unchecked():
            super()._seed()

    @contextmanager
    def _unchecked(self) -> Iterator[None]:
        name = sql.Identifier(DATABASE)
        with psycopg.connect(self.endpoint.superuser(DATABASE), autocommit=True) as connection:
            connection.execute(sql.SQL(UNCHECKED).format(name))
            try:
                yield
            finally:
                connection.execute(sql.SQL(CHECKED).format(name))
