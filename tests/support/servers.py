"""The servers of the test suite: its own PostgreSQL and Valkey, and a migrated template to copy databases from.

Each run of the suite takes a free slot under `var/test/`; a slot keeps its data directory and its template, so that the
next run starts in a second. Two runs at the same time take two slots.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from loyalty_platform.launcher import roles
from loyalty_platform.launcher.postgres import Postgres, binaries
from loyalty_platform.launcher.state import short_folder
from loyalty_platform.launcher.valkey import Valkey
from loyalty_platform.settings.development import write_private

ROOT = Path(__file__).resolve().parent.parent.parent
SLOTS = 16
ENVIRONMENT = "LOYALTY_TEST_SERVERS"
# The data is thrown away, so nothing waits for the disk.
SETTINGS = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off", "max_connections": "300"}


@dataclass(frozen=True)
class Endpoint:
    """What a worker of the suite has to know: how to reach both servers, and which template to copy."""

    admin: str
    app_password: str
    owner_password: str
    redis: str
    template: str

    def app(self, database: str) -> str:
        """Return the address of a database for the application's role."""
        return roles.as_url(make_conninfo(self.admin, user="loyalty_app", password=self.app_password, dbname=database))

    def owner(self, database: str) -> str:
        """Return the address of a database for the owner of the tables."""
        return roles.as_url(
            make_conninfo(self.admin, user="loyalty_owner", password=self.owner_password, dbname=database)
        )

    def superuser(self, database: str) -> str:
        """Return the address of a database for the administrator, to look behind the scenes."""
        return roles.as_url(make_conninfo(self.admin, dbname=database))

    def copy_template(self, name: str) -> None:
        """Make a fresh database from the migrated template, in place of one of the same name."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            drop(connection, name)
            make = "CREATE DATABASE {} TEMPLATE {} OWNER loyalty_owner STRATEGY {}"
            # Copying files is quicker than logging pages once nothing is written to disk on purpose.
            connection.execute(sql.SQL(make).format(*map(sql.Identifier, (name, self.template)), sql.SQL("FILE_COPY")))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO loyalty_app").format(sql.Identifier(name)))

    def drop_database(self, name: str) -> None:
        """Remove a database, cutting whoever is connected."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            drop(connection, name)

    def environment(self, database: str) -> dict[str, str]:
        """Return what the settings read for a database."""
        return {"DATABASE_URL": self.app(database), "DATABASE_OWNER_URL": self.owner(database), "REDIS_URL": self.redis}


class Servers:
    """Both servers of one run of the suite, or (with other settings, in another folder) of a measurement."""

    def __init__(self, folder: Path = ROOT / "var" / "test", settings: dict[str, str] | None = None) -> None:
        self.slot, self._lock = _take_slot(folder)
        self.sockets = short_folder()
        kept = _kept(self.slot / "secrets.json")
        (self.sockets / "pg").mkdir()
        self.postgres = Postgres(
            data=self.slot / f"pg{major_version()}",
            sockets=self.sockets / "pg",
            log=self.slot / "postgres.log",
            password=kept["superuser"],
            settings=SETTINGS if settings is None else settings,
        )
        self.valkey = Valkey(sockets=self.sockets, log=self.slot / "valkey.log")
        self._kept = kept

    def start(self) -> Endpoint:
        """Start both and make sure of the template; returns how to reach them."""
        self.valkey.start()
        self.postgres.start()
        endpoint = Endpoint(
            admin=self.postgres.address(),
            app_password=self._kept["app"],
            owner_password=self._kept["owner"],
            redis=self.valkey.address,
            template=f"template_{migrations_hash()}",
        )
        _make_template(endpoint)
        return endpoint

    def stop(self) -> None:
        """Stop both and give the slot back."""
        self.postgres.stop()
        self.valkey.stop()
        shutil.rmtree(self.sockets, ignore_errors=True)
        self._lock.close()


def migrations_hash() -> str:
    """Return a short hash of everything that decides what the migrated database looks like."""
    digest = hashlib.sha256()
    patterns = (
        "*/migrations/*.py",
        "core/tenancy/**/*.py",
        "loyalty_platform/launcher/roles.sql",
        "requirements/base.txt",
    )
    for file in sorted(file for pattern in patterns for file in ROOT.glob(pattern)):
        digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def major_version() -> str:
    """Return the major version of the PostgreSQL in use: each has data of its own, for PG_BIN chooses others."""
    shown = subprocess.run([str(binaries() / "postgres"), "-V"], capture_output=True, text=True, check=True).stdout
    return shown.split()[-1].split(".")[0]


def drop(connection: psycopg.Connection, name: str) -> None:
    """Remove a database if it is there, cutting whoever is connected."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _make_template(endpoint: Endpoint) -> None:
    with psycopg.connect(endpoint.admin, autocommit=True) as connection:
        known = [row[0] for row in connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate")]
        for stale in set(known) - {"postgres", endpoint.template}:
            drop(connection, stale)
        if endpoint.template in known:
            return
    draft = f"draft_{endpoint.template}"
    roles.prepare(
        make_conninfo(endpoint.admin, dbname=draft),
        app_password=endpoint.app_password,
        owner_password=endpoint.owner_password,
    )
    env = {**os.environ, ENVIRONMENT: json.dumps(endpoint.environment(draft))}
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--settings", "loyalty_platform.settings.test"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The migrations failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    with psycopg.connect(endpoint.admin, autocommit=True) as connection:
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(rename.format(sql.Identifier(draft), sql.Identifier(endpoint.template)))


def _take_slot(folder: Path) -> tuple[Path, TextIO]:
    for number in range(SLOTS):
        slot = folder / str(number)
        slot.mkdir(parents=True, exist_ok=True)
        handle = (slot / "lock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            continue
        return slot, handle
    raise RuntimeError(f"All {SLOTS} slots in {folder} are taken by other runs of the suite.")


def _kept(path: Path) -> dict[str, str]:
    if path.is_file():
        return dict(json.loads(path.read_text()))
    made = {name: secrets.token_hex(24) for name in ("superuser", "app", "owner")}
    write_private(path, made)
    return made
