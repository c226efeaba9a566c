"""Promise 20: it can be restored. The commands of docs/operations.md, for real, onto a server that knows nothing."""

import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from loyalty_platform.launcher import roles
from loyalty_platform.launcher.postgres import Postgres, binaries
from loyalty_platform.launcher.state import short_folder
from tests.drills.found import Budget, Finding
from tests.drills.stack import PASSWORD, Shop, Stack

PROMISE, TITLE = 20, "it can be restored"
# What must be the same afterwards: of every merchant, how much value there is and how it came to be.
SUMS = """
    SELECT c.merchant_id, count(*), sum(stamp_count), sum(points_balance), sum(seq),
           (SELECT count(*) FROM loyalty_transaction t WHERE t.merchant_id = c.merchant_id)
    FROM loyalty_card c GROUP BY 1 ORDER BY 1
"""
# A PIN (hashed with the peppers), a customer's secret (signed with the secret key) and a password still open the door.
LOGINS = """
import json, sys, django
django.setup()
from django.contrib.auth import authenticate
from django.test import Client
facts = json.loads(sys.argv[1])
api = "/api/v1/store/loyalty"
key = {"Authorization": "Bearer " + facts["api_key"], "X-Store-Code": facts["store_code"]}
body = {"staff_id": facts["staff_id"], "staff_pin": facts["pin"]}
json_of = {"content_type": "application/json", "secure": True}
card = {"Authorization": "Card " + facts["secrets"][0]}
# Somebody who did not call before: the drills used up what one address may ask for in an hour.
client = Client(SERVER_NAME="localhost", REMOTE_ADDR=facts["address"])
print(json.dumps({
    "password": authenticate(None, username=facts["owner_email"], password=facts["password"]) is not None,
    "key": client.get(f"{api}/cards", headers=key, secure=True).status_code,
    "pin": client.post(f"{api}/pins/verify", body, headers=key, **json_of).status_code,
    "card": client.get("/api/v1/storefront/loyalty/card", headers=card, secure=True).status_code,
    "stamp": client.post(f"{api}/stamp", {"card_id": facts["cards"][0]}, headers=key, **json_of).status_code,
}))
"""
COMMAND_SECONDS = 200.0
WELL = {"password": True, "key": 200, "pin": 200, "card": 200, "stamp": 201}


def drill(stack: Stack, budget: Budget) -> Finding:
    """Dump the stack while it works, restore it into a fresh server, and hold it against the original."""
    shop = stack.shop(cards=budget.count(25, least=5))
    for number in range(budget.count(200, least=30)):
        shop.stamp(shop.cards[number % len(shop.cards)])
    with tempfile.TemporaryDirectory(prefix="loyalty-restore-") as name:
        folder = Path(name)
        sums, seconds = _back_up(stack, folder)
        elsewhere = _Elsewhere(folder)
        try:
            began = time.monotonic()
            environment = elsewhere.restore(folder / "loyalty.dump", stack)
            restored = time.monotonic() - began
            return _compared(stack, shop, environment, sums, f"dump {seconds:.1f} s, restore {restored:.1f} s")
        finally:
            elsewhere.stop()


def _back_up(stack: Stack, folder: Path) -> tuple[list[tuple[Any, ...]], float]:
    """Take the dump, and the sums of the same moment: both read one snapshot."""
    began = time.monotonic()
    with psycopg.connect(stack.superuser_dsn) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert snapshot is not None
        sums = connection.execute(SUMS).fetchall()
        target = folder / "loyalty.dump"
        _run("pg_dump", "--format=custom", "--snapshot", snapshot[0], "--file", str(target), stack.superuser_dsn)
    return sums, time.monotonic() - began


class _Elsewhere:
    """A server of its own, with a data directory and passwords of its own."""

    def __init__(self, folder: Path) -> None:
        self.sockets = short_folder()
        (self.sockets / "pg").mkdir()
        log = folder / "postgres.log"
        self.server = Postgres(data=folder / "pg", sockets=self.sockets / "pg", log=log, password="another-password")

    def restore(self, dump: Path, stack: Stack) -> dict[str, str]:
        """Make roles and database, then restore; returns the environment for commands on it."""
        self.server.start()
        inside = self.server.address(database="loyalty")
        addresses = roles.prepare(inside, app_password="app-elsewhere", owner_password="owner-elsewhere")
        _run("pg_restore", "--clean", "--if-exists", "--exit-on-error", "--single-transaction", "-d", inside, str(dump))
        # Rights on the database itself are not in a dump: roles.sql may be run again at any time.
        _run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", inside, "-f", str(roles.ROLES_SQL))
        _run("psql", "-q", "-d", inside, "-c", "ANALYZE")
        return {**stack.env, "DATABASE_URL": addresses.app, "DATABASE_OWNER_URL": addresses.owner}

    def stop(self) -> None:
        """Stop it and leave nothing."""
        self.server.stop()
        shutil.rmtree(self.sockets, ignore_errors=True)


def _compared(stack: Stack, shop: Shop, environment: dict[str, str], sums: list[tuple[Any, ...]], took: str) -> Finding:
    """Hold the restored server against the original: sums, ledgers, logins, and a PIN without the peppers."""
    with psycopg.connect(_superuser_of(environment)) as connection:
        same = connection.execute(SUMS).fetchall() == sums
        powerful = connection.execute(
            "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'loyalty%' AND (rolsuper OR rolbypassrls)"
        ).fetchone()
    verified = _python(stack, environment, "manage.py", "verify_ledger")
    logins = _logins(stack, environment, shop)
    strange = {"LOYALTY_PIN_PEPPERS": "a-pepper-that-was-made-up-0123456789-0123456789"}
    without = _logins(stack, {**environment, **strange}, shop)
    migrated = _python(stack, environment, "manage.py", "migrate", "--check").returncode == 0
    safe = without.get("pin") == 403
    ok = same and verified.returncode == 0 and logins == WELL and migrated and safe and powerful == (0,)
    ledger = verified.stdout.strip().splitlines()[-1] if verified.stdout.strip() else verified.stderr[-200:]
    wrong = "" if logins == WELL else f" but {logins}"
    figure = f"{took}; {len(sums)} merchants {'as before' if same else 'CHANGED'}; {ledger}; logins work{wrong}"
    return Finding(ok, figure + ("" if safe else f"; without the peppers: {without}"))


def _superuser_of(environment: dict[str, str]) -> str:
    parts = conninfo_to_dict(environment["DATABASE_URL"])
    return make_conninfo(
        "", host=parts["host"], port=parts["port"], dbname="loyalty", user="postgres", password="another-password"
    )


def _logins(stack: Stack, environment: dict[str, str], shop: Shop) -> dict[str, Any]:
    facts = {**vars(shop), "password": PASSWORD, "address": f"192.0.2.{random.randrange(1, 255)}"}
    done = _python(stack, environment, "-c", LOGINS, json.dumps(facts))
    lines = done.stdout.strip().splitlines()
    return dict(json.loads(lines[-1])) if done.returncode == 0 and lines else {"failed": done.stderr[-300:]}


def _python(stack: Stack, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [stack.python, *arguments]
    return subprocess.run(
        command, cwd=stack.folder, env=environment, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS
    )


def _run(program: str, *arguments: str) -> None:
    command = [str(binaries() / program), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}, timeout=COMMAND_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"{program} failed: {done.stderr[-1500:]}")
