"""`manage.py migrate` gives way: it waits a moment for a lock, tries again, and does the work once the way is free."""

import json
import os
import subprocess
import sys
import time

from tests.conftest import RealDatabase
from tests.support.servers import ENVIRONMENT, ROOT


def start(database: RealDatabase) -> subprocess.Popen[str]:
    """Take one migration of core back, as a process of its own."""
    servers = {"DATABASE_URL": database.app_url, "DATABASE_OWNER_URL": database.owner_url}
    command = [sys.executable, "manage.py", "migrate", "core", "0003", "--settings", "loyalty_platform.settings.test"]
    env = {**os.environ, ENVIRONMENT: json.dumps(servers), "PYTHONUNBUFFERED": "1"}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=env, **pipes)


def test_a_migration_waits_briefly_gives_way_and_comes_again(real_db: RealDatabase) -> None:
    applied = "SELECT count(*) FROM django_migrations WHERE app = 'core' AND name LIKE '0004%'"
    with real_db.connect_as_superuser() as reader, real_db.connect_as_app(autocommit=True) as till:
        reader.execute("SELECT count(*) FROM core_auditentry")
        process = start(real_db)
        assert process.stderr is not None
        said = process.stderr.readline()
        # The one that waits holds up those who come behind it, but not for longer than its patience.
        began = time.monotonic()
        till.execute("SELECT count(*) FROM core_auditentry")
        waited = time.monotonic() - began
        assert reader.execute(applied).fetchone() == (1,)
        reader.rollback()

        _, rest = process.communicate(timeout=60)
        assert process.returncode == 0, rest
        assert "trying again (1 of" in said
        assert waited < 2
        assert reader.execute(applied).fetchone() == (0,)
