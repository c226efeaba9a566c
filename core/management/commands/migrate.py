"""`migrate` as the owner of the tables: the application's own role may not change them."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections
from psycopg.conninfo import conninfo_to_dict


class Command(DjangoMigrate):
    """Runs Django's migrate on DATABASE_OWNER_URL."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Switch the connection to the owner's role, then check (the checks ask the database, too) and migrate."""
        use_owner(options.get("database") or "default")
        return super().execute(*args, **options)


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
