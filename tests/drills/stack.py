"""The stack that the drills break: started by the product's own launcher, with shops to do business in."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg

from loyalty_platform.launcher.process import group_members
from tests.drills.beside import Beside
from tests.stack import harness
from tests.stack.shop import API, Answer, ask

WEB_WORKERS = "2"
HEALTHY_SECONDS = 60.0
COMMAND_SECONDS = 300.0
QUERY = "-c statement_timeout=60s"
PIN = "482193"
PASSWORD = "demo-loyalty-2026"


@dataclass
class Shop:
    """A fresh merchant with one of what a drill needs. `url` is the address of the stack."""

    url: str
    merchant_id: str
    slug: str
    store_id: str
    store_code: str
    program_id: str
    api_key: str
    staff_id: str
    pin: str
    owner_email: str
    cards: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def call(
        self, path: str, body: dict[str, Any] | None = None, *, key: str = "", method: str = "", **headers: str
    ) -> Answer:
        """Ask the API with the shop's key, such as `store/loyalty/stamp`; writes get a key of their own by default."""
        sent = {"Authorization": f"Bearer {self.api_key}", "Idempotency_Key": key or str(uuid.uuid4()), **headers}
        return ask(f"{self.url}{API}/{path}", body, method=method, **sent)

    def stamp(self, card_id: str, *, key: str = "") -> Answer:
        """Give a stamp."""
        return self.call("store/loyalty/stamp", {"card_id": card_id}, key=key)

    def card(self, card_id: str) -> dict[str, Any]:
        """Read a card as the till does."""
        answer = self.call(f"store/loyalty/cards/{card_id}")
        assert answer.status == 200, answer
        return answer.body


class Stack(harness.Stack):
    """A copy of the clone that runs, with fakes, several web processes and a database that waits for the disk."""

    def __init__(self, **env: str) -> None:
        usual = {"FAKES": "1", "WEB_WORKERS": WEB_WORKERS, "METRICS_TOKEN": "drill"}
        super().__init__(harness.stack_folder(), env={**usual, **env})
        self.beside = Beside(self.folder)

    def __exit__(self, *error: object) -> None:
        try:
            self.beside.end()
        finally:
            super().__exit__(*error)

    def begin(self) -> Self:
        """Start, and wait until everything answers."""
        self.beside.end()
        self.start()
        self.wait_until_healthy()
        return self

    def revive(self) -> None:
        """Start again what a drill brought down altogether; the next one is not to suffer for it."""
        if self.process is None or self.process.poll() is not None:
            self.begin()

    def renew(self) -> None:
        """End whatever is left by force, however it is stuck, and start again on the same data at another address.

        Another one, so that a client who is still at it disturbs nobody.
        """
        self.leaders |= self.processes()
        for pid in self.remaining():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(10)
        self.port = harness.free_port()
        self.begin()

    @property
    def base(self) -> str:
        """The address it serves."""
        return self.url

    @property
    def env(self) -> dict[str, str]:
        """The environment for commands beside the stack, with the addresses of its servers."""
        bare = {name: value for name, value in self.environment().items() if name != "FAKES"}
        settings = {"DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.local", "PYTHONWARNINGS": "ignore"}
        return {**bare, **self.run()["environment"], **settings}

    @property
    def app_dsn(self) -> str:
        """The address of the database for the application's role."""
        return str(self.run()["environment"]["DATABASE_URL"])

    @property
    def owner_dsn(self) -> str:
        """The address of the database for the owner of the tables."""
        return str(self.run()["environment"]["DATABASE_OWNER_URL"])

    @property
    def superuser_dsn(self) -> str:
        """The address of the database for its administrator, who sees all tenants."""
        kept = json.loads((self.folder / "var/secrets.json").read_text())
        sockets = f"{self.run()['sockets']}/pg"
        return psycopg.conninfo.make_conninfo(
            host=sockets, port=5432, user="postgres", password=kept["POSTGRES_PASSWORD"], dbname="loyalty"
        )

    @property
    def redis_url(self) -> str:
        """The address of Valkey, as redis-py reads it."""
        return str(self.run()["environment"]["REDIS_URL"])

    @property
    def python(self) -> str:
        """The interpreter of the stack."""
        return str(self.folder / ".venv/bin/python")

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database as its administrator, behind the product's back."""
        with psycopg.connect(self.superuser_dsn, connect_timeout=10, options=QUERY) as connection:
            return connection.execute(query, values).fetchall()

    def children(self, name: str) -> list[int]:
        """Return the processes below a part: gunicorn's of `web`, Celery's of `worker`, backends of `postgres`."""
        leader = self.processes()[name]
        return [pid for pid in _children(leader) or group_members(leader) if pid != leader]

    def kill_child(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to one process below a part, chosen at random; returns its id, 0 when there is none."""
        found = self.children(name)
        if not found:
            return 0
        pid = random.choice(found)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return pid

    def is_healthy(self) -> bool:
        """Tell whether the site answers, reaches its database, and has all its web processes."""
        if any(self.status(path, timeout=5) != 200 for path in ("/healthz", "/readyz")):
            return False
        return len(self.children("web")) >= int(self.given["WEB_WORKERS"])

    def wait_until_healthy(self, seconds: float = HEALTHY_SECONDS) -> float:
        """Wait until everything answers; returns the seconds that it took."""
        began = time.monotonic()
        self.wait_for(self.is_healthy, seconds, "health")
        return time.monotonic() - began

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python beside the stack (`manage.py …`, `-m …`), whatever its exit status."""
        return subprocess.run(
            [self.python, *arguments], cwd=self.folder, env=self.env, capture_output=True, text=True, check=False,
            timeout=COMMAND_SECONDS,
        )  # fmt: skip

    def manage(self, *arguments: str) -> str:
        """Run a management command beside the stack and return what it printed."""
        done = self.command("manage.py", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def verify(self) -> tuple[int, str]:
        """Hold all ledgers of all merchants against their cards: the number of differences, and what was printed."""
        said = str(self.beside.ask(self.env, command=["verify_ledger"])).strip()
        found = re.search(r"(\d+) differences", said)
        return (int(found[1]) if found else -1), said

    def shop(self, *, cards: int = 1, **rules: Any) -> Shop:
        """Open a merchant; `rules` are fields of its program (by default stamps without any limit)."""
        return self.shops(1, cards=cards, **rules)[0]

    def shops(self, count: int, *, cards: int = 1, **rules: Any) -> list[Shop]:
        """Open several merchants at once."""
        wanted = {"count": count, "cards": cards, "rules": rules, "pin": PIN}
        return [Shop(url=self.url, **facts) for facts in self.beside.ask(self.env, shops=wanted)]

    def keep_logs(self, folder: Path) -> None:
        """Copy the logs of all parts, for whoever looks into a red drill."""
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            shutil.copytree(self.folder / "var/log", folder)
            shutil.copy(self.folder / "output.txt", folder / "launcher.log")


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is so; returns whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _children(leader: int) -> list[int]:
    try:
        text = " ".join(path.read_text() for path in Path(f"/proc/{leader}/task").glob("*/children"))
    except OSError:
        return []
    return [int(pid) for pid in text.split()]
