"""The production topology from the system's packages: nginx with TLS → gunicorn → PgBouncer → PostgreSQL, and workers.

The files of loyalty_platform/deploy are taken as they are, but for addresses and paths: each must be found where it is
replaced. It runs in a copy of the clone, with production settings, on free ports of this machine.
"""

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx
import psycopg
from psycopg.conninfo import conninfo_to_dict

from loyalty_platform.launcher import process, unprivileged
from loyalty_platform.launcher.postgres import binaries
from loyalty_platform.launcher.preparation import compile_messages
from loyalty_platform.launcher.state import short_folder
from loyalty_platform.launcher.valkey import Valkey
from tests.drills import opening
from tests.stack.harness import copy_clone, free_port, stack_folder
from tests.support.servers import Endpoint

PROGRAMS = ("nginx", "pgbouncer", "openssl")
KEY = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="
PICTURE = f"wallets/{'ab' * 16}.png"
# What no page of the walk shows, and what takes longest to compress.
NOT_COLLECTED = ("drf_spectacular_sidecar", "admin", "*.wasm")
QUEUES = "default,mail,bulk,wallets,push.apple,push.google"
START_SECONDS = 60.0


def missing() -> list[str]:
    """Return the programs that are not on this machine."""
    return [name for name in PROGRAMS if found(name) is None]


def found(name: str) -> str | None:
    """Return where a program is; servers are often outside an ordinary user's PATH."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


def replaced(text: str, changes: dict[str, str]) -> str:
    """Return a configuration with some of its addresses and paths changed; each must be there."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in the configuration any more"
        text = text.replace(old, new)
    return text


class Topology:
    """All of it. A context manager: at its end no process and no file is left."""

    def __init__(self, endpoint: Endpoint, database: str) -> None:
        self.endpoint, self.database = endpoint, database
        self.folder, self.sockets = stack_folder(), short_folder()
        self.web_port, self.pool_port, self.plain_port, self.tls_port = (free_port() for _ in range(4))
        self.parts: dict[str, subprocess.Popen[bytes]] = {}
        self.valkey = Valkey(sockets=self.sockets, log=self.folder / "valkey.log")
        self.shop: dict[str, Any] = {}

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        process.stop_all(self.parts.values(), patience=0.5)
        self.valkey.stop()
        self.endpoint.drop_database(self.database)
        for folder in (self.folder, self.sockets):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """The address that nginx serves."""
        return f"https://localhost:{self.tls_port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment of web and workers, as docker-compose.yml gives it."""
        parts = conninfo_to_dict(self.endpoint.app(self.database))
        pooled = f"postgresql://{parts['user']}:{parts['password']}@127.0.0.1:{self.pool_port}/loyalty"
        return {
            "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.production",
            "SECRET_KEY": KEY, "LOYALTY_PIN_PEPPERS": KEY, "LOYALTY_DATA_KEYS": KEY, "EMAIL_URL": "dummymail://",
            "DATABASE_URL": pooled, "DATABASE_PREPARE_AFTER": "0", "REDIS_URL": self.valkey.address,
            "SITE_URL": self.url, "TRUST_PROXY": "1", "WEB_BIND": f"127.0.0.1:{self.web_port}", "WEB_WORKERS": "2",
            "WEB_ACCESS_LOG": "1", "WEB_GRACEFUL_SECONDS": "20", "RELAY_PULSE": str(self.folder / "relay-pulse"),
            "METRICS_TOKEN": "watch", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip

    def log(self, name: str) -> str:
        """Return what a part wrote."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def client(self, **options: Any) -> httpx.Client:
        """Return a client that trusts the self-made certificate and nothing else."""
        trust = ssl.create_default_context(cafile=str(self.folder / "tls/fullchain.pem"))
        return httpx.Client(base_url=self.url, verify=trust, timeout=20, **options)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database as its administrator, past PgBouncer."""
        with psycopg.connect(self.endpoint.superuser(self.database), autocommit=True) as connection:
            cursor = connection.execute(query, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def allow_database(self, *, allowed: bool) -> None:
        """Let the database go away (nobody gets in, everybody is thrown out), or come back."""
        with psycopg.connect(self.endpoint.admin, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{self.database}" ALLOW_CONNECTIONS {allowed}')
            if not allowed:
                cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
                connection.execute(cut, [self.database])

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a part in the copy of the clone."""
        log = self.folder / f"{name}.log"
        self.parts[name] = process.spawn(list(command), log=log, env=self.env, cwd=self.folder)
        return self.parts[name]

    def start_web(self) -> None:
        """Start gunicorn as the container does."""
        config = "loyalty_platform/gunicorn_conf.py"
        self.start("web", sys.executable, "-m", "gunicorn", "loyalty_platform.wsgi", "--config", config)

    def start_workers(self) -> None:
        """Start the relay, and one worker for all queues."""
        self.start("relay", sys.executable, "manage.py", "relay")
        worker = "--app loyalty_platform worker --concurrency 2 --without-gossip --without-mingle --queues"
        self.start("worker", sys.executable, "-m", "celery", *worker.split(), QUEUES)

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until /readyz says yes through all of it."""
        with self.client() as client:
            assert process.wait_until(lambda: self._is_ready(client), seconds), self.ends_of_logs()

    def ends_of_logs(self) -> str:
        """Return the last lines of every part, for whoever looks for the reason."""
        return "\n".join(f"== {path.name}\n{process.log_tail(path)}" for path in sorted(self.folder.glob("*.log")))

    def _begin(self) -> None:
        copy_clone(self.folder)
        compile_messages(self.folder)
        arguments = [part for name in NOT_COLLECTED for part in ("--ignore", name)]
        self.start("static", sys.executable, "manage.py", "collectstatic", "--no-input", "-v0", *arguments)
        self.valkey.start()
        self.endpoint.copy_template(self.database)
        self._start_pgbouncer()
        self._make_certificate()
        asked = 'printf "%s\\n" "$1" | "$0" -m tests.drills.opening'
        seeding = self.start("seed", "sh", "-c", asked, sys.executable, json.dumps({"shops": SHOP}))
        self.start_workers()
        self._put_picture()
        self._start_nginx()
        assert self.parts.pop("static").wait(START_SECONDS) == 0, self.log("static")
        # A web process that starts before the list of static files is there knows none of them.
        self.start_web()
        assert seeding.wait(START_SECONDS) == 0, self.log("seed")
        self.parts.pop("seed")
        told = self.log("seed").strip().splitlines()[-1].removeprefix(opening.MARK)
        self.shop = json.loads(told)["done"][0]
        self.wait_until_ready()

    def _is_ready(self, client: httpx.Client) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return client.get("/readyz").status_code == 200
        return False

    def _start_pgbouncer(self) -> None:
        parts = conninfo_to_dict(self.endpoint.app(self.database))
        users, config = self.folder / "userlist.txt", self.folder / "pgbouncer.ini"
        users.write_text(f'"{parts["user"]}" "{parts["password"]}"\n')
        changes = {
            "host=db port=5432 dbname=loyalty": f"host={parts['host']} port={parts['port']} dbname={self.database}",
            "listen_addr = 0.0.0.0": "listen_addr = 127.0.0.1",
            "listen_port = 6432": f"listen_port = {self.pool_port}",
            "/etc/pgbouncer/userlist.txt": "userlist.txt",
        }
        config.write_text(replaced((self.folder / "loyalty_platform/deploy/pgbouncer.ini").read_text(), changes))
        program = found("pgbouncer") or ""
        identity = unprivileged.choose(binaries() / "postgres")
        identity.own(users, config)
        self.start("pgbouncer", *identity.wrap([program, str(config)]))

    def _make_certificate(self) -> None:
        (self.folder / "tls").mkdir()
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
        more = ["-addext", "subjectAltName=DNS:localhost", "-keyout", "tls/privkey.pem", "-out", "tls/fullchain.pem"]
        subprocess.run([*command.split(), *more], cwd=self.folder, check=True, capture_output=True)

    def _start_nginx(self) -> None:
        config = self.nginx_config()
        # Root's workers would become nobody, who may not enter our folder.
        also = ["-g", "daemon off; user root;"] if os.geteuid() == 0 else ["-g", "daemon off;"]
        self.start("nginx", found("nginx") or "", "-c", str(config), "-p", str(self.folder), *also)

    def nginx_config(self) -> Path:
        """Write nginx's configuration for this machine and return where it is."""
        place = f'"{self.folder}'
        text = (self.folder / "loyalty_platform/deploy/nginx.conf").read_text()
        changes = {
            "/etc/nginx/tls/fullchain.pem": f'{place}/tls/fullchain.pem"',
            "/etc/nginx/tls/privkey.pem": f'{place}/tls/privkey.pem"',
            "listen 8080": f"listen 127.0.0.1:{self.plain_port}",
            "listen 8443": f"listen 127.0.0.1:{self.tls_port}",
            "server web:8000": f"server 127.0.0.1:{self.web_port}",
            "root /srv;": f'root {place}/var";',
            "root /srv/acme;": f'root {place}/acme";',
            "/tmp/nginx": f"{self.sockets}/nginx",
        }
        path = self.folder / "nginx.conf"
        path.write_text(replaced(text, changes))
        return path

    def _put_picture(self) -> None:
        picture = self.folder / "var/media" / PICTURE
        picture.parent.mkdir(parents=True)
        shutil.copy(next((self.folder / "static").rglob("*.png")), picture)
        (picture.parent / "notes.txt").write_text("nobody's business")


SHOP = {"count": 1, "cards": 5, "rules": {}, "pin": "482193"}
