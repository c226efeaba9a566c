"""What the measurement runs on: own servers that write to the disk, a load, and gunicorn with the product."""

import contextlib
import os
import secrets
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg

from loyalty_platform.launcher import process
from tests.support.servers import ROOT, Endpoint, Servers

DATABASE = "bench"
FOLDER = ROOT / "var" / "bench"
# A commit waits for the disk as in production; checkpoints stay out of the rounds. The files that the load filled with
# its log are used again, as in a database that has run for a while: a new one is filled with zeros first, and all wait.
SETTINGS = {
    "max_connections": "200", "shared_buffers": "256MB", "max_wal_size": "4GB", "min_wal_size": "2GB",
    "checkpoint_timeout": "30min",
}  # fmt: skip
START_SECONDS = 60
# BENCH_SERVER measures with another one: a command line with {port}.
GUNICORN = "{python} -m gunicorn loyalty_platform.wsgi --config loyalty_platform/gunicorn_conf.py"


@dataclass
class Stage:
    """The servers, the address of the site, and the merchant that is measured. Use it as a context manager."""

    cards: int
    rows: int
    port: int = 0
    api_key: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    servers: Servers = field(init=False)
    endpoint: Endpoint = field(init=False)
    web: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.servers = Servers(FOLDER, SETTINGS)
        self.work = tempfile.TemporaryDirectory(prefix="loyalty-bench-")
        try:
            self.endpoint = self.servers.start()
            self.endpoint.copy_template(DATABASE)
            self.env = self._environment()
            self._seed()
            self._serve()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self.web is not None:
            process.stop_all([self.web])
        self.servers.stop()
        self.work.cleanup()

    @property
    def folder(self) -> Path:
        """A folder for files of this run."""
        return Path(self.work.name)

    def manage(self, *arguments: str) -> str:
        """Run a management command and return what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{arguments[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout.strip()

    def web_cpu(self) -> float:
        """Return the seconds of processor that the web processes have used."""
        assert self.web is not None
        return sum(_cpu(pid) for pid in process.group_members(self.web.pid))

    def database_cpu(self) -> float:
        """Return the seconds of processor that PostgreSQL has used, its gone backends included."""
        assert self.servers.postgres.process is not None
        leader = self.servers.postgres.process.pid
        return sum(_cpu(pid, children=pid == leader) for pid in [leader, *_children(leader)])

    def _environment(self) -> dict[str, str]:
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        key = urlsafe_b64encode(secrets.token_bytes(32)).decode()
        return {
            "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.production",
            **self.endpoint.environment(DATABASE), "SECRET_KEY": key, "LOYALTY_PIN_PEPPERS": key,
            "LOYALTY_DATA_KEYS": key, "EMAIL_URL": "dummymail://", "SITE_URL": f"http://127.0.0.1:{self.port}",
            "WEB_BIND": f"127.0.0.1:{self.port}", "WEB_THREADS": os.environ.get("WEB_THREADS", "4"),
            "WEB_WORKERS": os.environ.get("WEB_WORKERS", str(os.cpu_count() or 2)),
            "LOYALTY_THROTTLE_SCALE": "1000", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip

    def _seed(self) -> None:
        key_file = self.folder / "key"
        sizes = ("--cards", str(self.cards), "--transactions", str(self.rows))
        print(self.manage("seed_load", "--force", *sizes, "--api-key-file", str(key_file)), flush=True)
        self.api_key = key_file.read_text().strip()
        with psycopg.connect(self.endpoint.superuser(DATABASE), autocommit=True) as connection:
            prefix = self.api_key.split("_")[1]
            row = connection.execute(
                "SELECT k.merchant_id, k.store_id, p.id FROM stores_apikey k "
                "JOIN loyalty_program p ON p.merchant_id = k.merchant_id WHERE k.prefix = %s",
                [prefix],
            ).fetchone()
            assert row is not None
            self.facts = {"merchant": row[0], "store": row[1], "program": row[2], "prefix": prefix}
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def cards_of_the_merchant(self) -> list[str]:
        """Return the ids of the cards of the measured merchant, in an order that has nothing to do with their place."""
        with psycopg.connect(self.endpoint.superuser(DATABASE)) as connection:
            rows = connection.execute(
                "SELECT id::text FROM loyalty_card WHERE merchant_id = %s ORDER BY md5(id::text)",
                [self.facts["merchant"]],
            )
            return [row[0] for row in rows]

    def number_cards(self, cards: list[str]) -> None:
        """Give cards numbers in a table of their own, for pgbench."""
        with psycopg.connect(self.endpoint.superuser(DATABASE), autocommit=True) as connection:
            connection.execute("CREATE TABLE bench_card (n int PRIMARY KEY, id uuid NOT NULL)")
            connection.execute(
                "INSERT INTO bench_card SELECT n, id FROM unnest(%s::uuid[]) WITH ORDINALITY AS u(id, n)",
                [cards],
            )
            connection.execute("GRANT SELECT ON bench_card TO loyalty_app")
            connection.execute("ANALYZE bench_card")

    def _serve(self) -> None:
        command = shlex.split(os.environ.get("BENCH_SERVER", GUNICORN).format(python=sys.executable, port=self.port))
        log = self.folder / "web.log"
        self.web = process.spawn(command, log=log, env=self.env, cwd=ROOT)
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.env['SITE_URL']}/healthz", timeout=5):
                return
            if self.web.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"gunicorn does not answer:\n{process.log_tail(log, 30)}")
            time.sleep(0.1)


def _cpu(pid: int, *, children: bool = False) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11 : 15 if children else 13]) / os.sysconf("SC_CLK_TCK")


def _children(leader: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == leader:
                    found.append(int(entry.name))
    return found
