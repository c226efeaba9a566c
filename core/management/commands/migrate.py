"""`migrate` as the owner of the tables, and without standing in the way of those who work meanwhile.

The application's own role may not change tables. A change that waits for a lock holds up everybody behind it, so it
waits a moment only, gives way, and tries again; what a migration had begun is rolled back with it.
"""

import itertools
import time
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


class Command(DjangoMigrate):
    """Runs Django's migrate on DATABASE_OWNER_URL."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Switch the connection to the owner's role, then check (the checks ask the database, too) and migrate."""
        alias = options.get("database") or "default"
        use_owner(alias)
        connections[alias].settings_dict["OPTIONS"].setdefault("options", f"-c lock_timeout={LOCK_TIMEOUT}")
        for attempt in itertools.count(1):
            try:
                return super().execute(*args, **options)
            except OperationalError as error:
                if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable) or attempt == TRIES:
                    raise
                self.stderr.write(f"Somebody holds a lock that is needed; trying again ({attempt} of {TRIES}).")
                time.sleep(PAUSE_SECONDS)
        return None


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
