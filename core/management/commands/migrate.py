"""`migrate` as the owner of the tables, and without standing in the way of those who work meanwhile.

The application's own role may not change tables. A change that waits for a lock holds up everybody behind it, so it
waits a moment only, gives way, and tries again; what a migration had begun is rolled back with it.

An index that is built or dropped CONCURRENTLY is in nobody's way, but waits for every transaction that began before
it: it has all the time it needs. Broken off, it would be left behind invalid, and so is dropped before the next try.
"""

import itertools
import re
import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import OperationalError, connections
from psycopg.conninfo import conninfo_to_dict

# Shorter than a stamp waits for its card (500 ms): behind a change that gives way in time, nobody is refused.
LOCK_TIMEOUT = "300ms"
TRIES, PAUSE_SECONDS = 120, 0.5
CONCURRENTLY = re.compile(
    r'\s*(CREATE|DROP)\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?!ON\s)"?(\w+)',
    re.IGNORECASE,
)
# One that somebody builds at this moment is not valid yet, and not ours to drop.
BROKEN_OFF = """
    SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relname = %s AND NOT i.indisvalid AND pg_table_is_visible(c.oid)
        AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
"""


class Command(DjangoMigrate):
    """Runs Django's migrate on DATABASE_OWNER_URL."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Switch the connection to the owner's role, then check (the checks ask the database, too) and migrate."""
        alias = options.get("database") or "default"
        use_owner(alias)
        given = connections[alias].settings_dict["OPTIONS"]
        given["options"] = f"{given.get('options', '')} -c lock_timeout={LOCK_TIMEOUT}".strip()
        patience = PatientIndexes(connections[alias])
        for attempt in itertools.count(1):
            try:
                with connections[alias].execute_wrapper(patience):
                    return super().execute(*args, **options)
            except OperationalError as error:
                if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable) or attempt == TRIES:
                    raise
                self.stderr.write(f"Somebody holds a lock that is needed; trying again ({attempt} of {TRIES}).")
                time.sleep(PAUSE_SECONDS)
        return None


class PatientIndexes:
    """Wraps every statement of a migration; what is done CONCURRENTLY waits as long as it takes.

    A migration with such a statement is no transaction: an index that it built stays when a later step gives way, so
    the next try leaves it as it is.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.built: set[str] = set()

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Run a statement."""
        found = CONCURRENTLY.match(sql)
        if found is None or self.connection.in_atomic_block:
            return execute(sql, params, many, context)
        what, name = found[1].upper(), found[2]
        if what == "DROP":
            self.built.discard(name)
        elif name in self.built:
            return None
        with self.connection.cursor() as cursor:
            if what == "CREATE":
                cursor.execute(BROKEN_OFF, [name])
                if cursor.fetchone() is not None:
                    cursor.execute(f'DROP INDEX CONCURRENTLY "{name}"')
            cursor.execute("SET lock_timeout = 0")
            done = execute(sql, params, many, context)
            cursor.execute("RESET lock_timeout")
        if what == "CREATE":
            self.built.add(name)
        return done


def use_owner(alias: str = "default") -> None:
    """Let this process's connection log in as the owner of the tables.

    Raises CommandError when DATABASE_OWNER_URL is missing; under DEBUG it then goes on as the current role.
    """
    if not settings.DATABASE_OWNER_URL:
        if settings.DEBUG:
            return
        raise CommandError(
            "The environment variable DATABASE_OWNER_URL is missing: migrations run as loyalty_owner, "
            "the role that owns the tables."
        )
    parts = conninfo_to_dict(settings.DATABASE_OWNER_URL.replace("postgres://", "postgresql://", 1))
    connection = connections[alias]
    connection.close()
    connection.settings_dict.update(
        NAME=parts.pop("dbname", "loyalty"),
        USER=parts.pop("user", ""),
        PASSWORD=parts.pop("password", ""),
        HOST=parts.pop("host", ""),
        PORT=str(parts.pop("port", "") or ""),
        OPTIONS={**parts},
    )
