"""Words that stand nowhere but where a person left them, and the search for them in everything that is stored.

The search looks as the administrator, past every policy, at the text of every row of every table there is: a table that
is made tomorrow is searched as well. Sessions are searched in the clear.
"""

import re
from dataclasses import dataclass
from typing import Any

import redis
from django.contrib.sessions.backends.db import SessionStore

# Five digits alone stand in some identifier, or in the microseconds of some instant, sooner or later.
SQL_TRACES = "kanari|35269100|691 00|(?<![0-9a-f])69100[0-9]{4}(?![0-9a-f])|2001:db8:ca"
TRACES = re.compile(SQL_TRACES, re.IGNORECASE)


@dataclass(frozen=True)
class Canary:
    """A person whose every word can be recognised."""

    number: int

    @property
    def name(self) -> str:
        return f"Kanariname{self.number:03} Kanarifamily"

    @property
    def email(self) -> str:
        return f"kanarimail{self.number:03}@kanari.example"

    @property
    def new_email(self) -> str:
        return f"kanarinew{self.number:03}@kanari.example"

    @property
    def phone(self) -> str:
        return f"+35269100{self.number:04}"

    @property
    def ip(self) -> str:
        return f"2001:db8:ca::{self.number + 1:x}"

    @property
    def browser(self) -> str:
        return f"Kanariphone/{self.number}"

    def said(self, about: str) -> str:
        """Return a text in which somebody names them."""
        return f"{about}: Kanariname{self.number:03} called"


def in_database(connection: Any) -> dict[str, int]:
    """Return how many rows of which table hold a trace. connection: of the administrator."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c "
            "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        )
        tables = [row[0] for row in cursor.fetchall()]
        assert "public.customers_customer" in tables
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text ~* %s", [SQL_TRACES])
            if count := cursor.fetchone()[0]:
                found[table.removeprefix("public.")] = count
        cursor.execute("SELECT session_data FROM django_session")
        sessions = [SessionStore().decode(row[0]) for row in cursor.fetchall()]
    if named := sum(bool(TRACES.search(repr(session))) for session in sessions):
        found["sessions in the clear"] = named
    return found


def ledger(connection: Any) -> str:
    """Return a fingerprint of the whole ledger."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t.id)) FROM loyalty_transaction t")
        return str(cursor.fetchone())


def in_redis(address: str) -> list[str]:
    """Return what in Redis holds a trace; counters by address end by themselves within two hours."""
    found = []
    with redis.Redis.from_url(address) as client:
        for key in client.scan_iter():
            if key.startswith(b"core:throttle:"):
                continue
            kind = client.type(key)
            value = client.get(key) if kind == b"string" else client.lrange(key, 0, -1) if kind == b"list" else ""
            if TRACES.search(f"{key!r} {value!r}"):
                found.append(repr(key))
    return found
