"""`manage.py migrate` gives way: it waits a moment for a lock, tries again, and does the work once the way is free.

An index that is built beside the tills has time: it waits for those who came before, and nobody waits for it.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.conftest import RealDatabase
from tests.support.servers import ENVIRONMENT, ROOT

SETTINGS = "loyalty_platform.settings.test"
# An app of its own: two tables, then a migration as docs/operations.md prescribes it, and a change of a table after it.
EXPANDING = {
    "__init__.py": "",
    "migrations/__init__.py": "",
    "settings.py": f"from {SETTINGS} import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'expanding']",
    "models.py": """
from django.db import models

class Sale(models.Model):
    day = models.DateField()

class Guest(models.Model):
    name = models.TextField()
""",
    "migrations/0001_tables.py": """
from django.db import migrations, models

class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Sale", [("id", models.AutoField(primary_key=True)), ("day", models.DateField())]),
        migrations.CreateModel("Guest", [("id", models.AutoField(primary_key=True)), ("name", models.TextField())]),
    ]
""",
    "migrations/0002_indexes.py": """
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

class Migration(migrations.Migration):
    atomic = False
    dependencies = [("expanding", "0001_tables")]
    operations = [
        AddIndexConcurrently("sale", models.Index(fields=["day"], name="sale_by_day")),
        AddIndexConcurrently("guest", models.Index(fields=["name"], name="guest_by_name")),
        migrations.RunSQL("ALTER TABLE expanding_sale SET (fillfactor = 90)", "SELECT 1"),
    ]
""",
}


@contextmanager
def migrating(database: RealDatabase, app: str, name: str, **around: str) -> Iterator[subprocess.Popen[str]]:
    """Migrate an app to a state, as a process of its own. around: its `settings`, `path`, and the owner's `options`."""
    options = around.get("options", "")
    owner_url = (
        f"{database.owner_url}{'&' if '?' in database.owner_url else '?'}{options}" if options else database.owner_url
    )
    servers = {"DATABASE_URL": database.app_url, "DATABASE_OWNER_URL": owner_url}
    command = [sys.executable, "manage.py", "migrate", app, name, "--settings", around.get("settings", SETTINGS)]
    env = {
        **os.environ,
        ENVIRONMENT: json.dumps(servers),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": around.get("path", ""),
    }
    quiet, told = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=quiet, stderr=told, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> str:
    """Wait until it is done; return what it said."""
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    assert select.select([process.stderr], [], [], 30)[0], "it waits and says nothing"
    return process.stderr.readline()


class Expanding:
    """The app in a database, its tables made, its indexes not yet."""

    def __init__(self, database: RealDatabase, folder: Path) -> None:
        self.database, self.folder = database, folder
        for name, text in EXPANDING.items():
            path = folder / "expanding" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        with self.to("0001") as process:
            ended(process)

    @contextmanager
    def to(self, name: str) -> Iterator[subprocess.Popen[str]]:
        """Migrate it to a state."""
        around = {"settings": "expanding.settings", "path": str(self.folder)}
        with migrating(self.database, "expanding", name, **around) as process:
            yield process

    def indexes(self) -> dict[str, bool]:
        """Return which of the two indexes are there, and whether each is valid."""
        query = "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        with self.database.connect_as_superuser() as looking:
            return dict(looking.execute(f"{query} WHERE c.relname IN ('sale_by_day', 'guest_by_name')").fetchall())

    def wait_until_it_waits(self, index: str) -> None:
        """Wait until the build of an index waits for a lock, and for twice as long as a change may."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s"
        with self.database.connect_as_superuser(autocommit=True) as looking:
            deadline = time.monotonic() + 30
            while looking.execute(query, [f'CREATE INDEX CONCURRENTLY "{index}"%']).fetchone() != (1,):
                assert time.monotonic() < deadline, "it never waited"
                time.sleep(0.05)
            time.sleep(0.7)
            assert looking.execute(query, [f'CREATE INDEX CONCURRENTLY "{index}"%']).fetchone() == (1,), "it gave up"


@pytest.fixture
def expanding(real_db: RealDatabase, tmp_path: Path) -> Expanding:
    """An app that is about to get two indexes."""
    return Expanding(real_db, tmp_path)


@pytest.mark.parametrize("options", ["", "options=-c%20work_mem%3D8MB"], ids=["plain", "with options"])
def test_a_migration_waits_briefly_gives_way_and_comes_again(real_db: RealDatabase, options: str) -> None:
    applied = "SELECT count(*) FROM django_migrations WHERE app = 'core' AND name LIKE '0004%'"
    with real_db.connect_as_superuser() as reader, real_db.connect_as_app(autocommit=True) as till:
        reader.execute("SELECT count(*) FROM core_auditentry")
        with migrating(real_db, "core", "0003", options=options) as process:
            said = first_line(process)
            # The one that waits holds up those who come behind it, but not for longer than its patience.
            began = time.monotonic()
            till.execute("SELECT count(*) FROM core_auditentry")
            waited = time.monotonic() - began
            assert reader.execute(applied).fetchone() == (1,)
            reader.rollback()

            ended(process)
        assert "trying again (1 of" in said
        assert waited < 2
        assert reader.execute(applied).fetchone() == (0,)


def test_an_index_waits_for_those_who_came_before_and_holds_up_nobody(expanding: Expanding) -> None:
    database = expanding.database
    with database.connect_as_superuser() as report, database.connect_as_superuser() as writer:
        report.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        report.execute("SELECT count(*) FROM expanding_sale")
        writer.execute("INSERT INTO expanding_guest (name) VALUES ('Anna')")
        with expanding.to("0002") as process:
            expanding.wait_until_it_waits("sale_by_day")
            with database.connect_as_superuser() as till:
                till.execute("SET lock_timeout = '300ms'")
                till.execute("INSERT INTO expanding_sale (day) VALUES (now())")
            report.rollback()
            expanding.wait_until_it_waits("guest_by_name")
            writer.rollback()

            assert "trying again" not in ended(process)
    assert expanding.indexes() == {"sale_by_day": True, "guest_by_name": True}


def test_an_index_that_was_broken_off_is_built_anew(expanding: Expanding) -> None:
    database = expanding.database
    with database.connect_as_superuser() as report, database.connect_as_owner(autocommit=True) as impatient:
        report.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        report.execute("SELECT count(*) FROM expanding_sale")
        impatient.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            impatient.execute("CREATE INDEX CONCURRENTLY sale_by_day ON expanding_sale (day)")
    assert expanding.indexes() == {"sale_by_day": False}

    with expanding.to("0002") as process:
        ended(process)

    assert expanding.indexes() == {"sale_by_day": True, "guest_by_name": True}


def test_what_was_built_stays_when_a_later_step_gives_way(expanding: Expanding) -> None:
    lock = "LOCK TABLE expanding_{} IN SHARE UPDATE EXCLUSIVE MODE"
    database = expanding.database
    with database.connect_as_superuser() as guests, database.connect_as_superuser() as sales:
        guests.execute(lock.format("guest"))
        with expanding.to("0002") as process:
            expanding.wait_until_it_waits("guest_by_name")
            sales.execute(lock.format("sale"))
            guests.rollback()
            said = first_line(process)
            sales.rollback()

            ended(process)
    assert "trying again (1 of" in said
    assert expanding.indexes() == {"sale_by_day": True, "guest_by_name": True}


def test_indexes_are_dropped_beside_the_tills_too(expanding: Expanding) -> None:
    with expanding.to("0002") as process:
        ended(process)

    with expanding.to("0001") as process:
        ended(process)

    assert expanding.indexes() == {}
