"""`make run`: start the embedded servers, prepare what changed, serve, and stop all of it together."""

import contextlib
import errno
import http.client
import os
import secrets
import socket
import sys
import time
from pathlib import Path
from typing import NoReturn

from loyalty_platform.launcher import process, roles
from loyalty_platform.launcher.errors import CannotStart
from loyalty_platform.launcher.fakes import Fakes, choose_ports
from loyalty_platform.launcher.postgres import Postgres
from loyalty_platform.launcher.preparation import Preparation
from loyalty_platform.launcher.state import RunState
from loyalty_platform.launcher.supervise import StopRequested, Supervisor, catch_signals
from loyalty_platform.launcher.valkey import Valkey
from loyalty_platform.settings import environment as read
from loyalty_platform.settings.development import kept_secrets, write_private

ROOT, VAR = read.BASE_DIR, read.VAR
LOGS = VAR / "log"
FIRST_ANSWER_SECONDS = 60
PASSWORDS = ("POSTGRES_PASSWORD", "LOYALTY_OWNER_PASSWORD", "LOYALTY_APP_PASSWORD")


def main() -> int:
    """Run the stack until it is told to stop; returns the exit status."""
    catch_signals()
    state = RunState(VAR)
    supervisor = Supervisor(root=ROOT, logs=LOGS, note=state.record_process)
    try:
        state.take()
        _run(state, supervisor)
    except StopRequested:
        print("\nStopping ...", flush=True)
        return 0
    except CannotStart as error:
        return _say(error)
    finally:
        supervisor.stop()
        state.release()


def _run(state: RunState, supervisor: Supervisor) -> NoReturn:
    began = time.monotonic()
    port = read.number("PORT", 8000, minimum=1, maximum=65535)
    binds = _free_addresses(port)
    environment, given = _servers(state, supervisor)
    environment["SITE_URL"] = read.web_address("SITE_URL", f"http://127.0.0.1:{port}")
    phone = _fakes(supervisor, environment, port) if read.flag("FAKES") else ""
    state.record(site_url=environment["SITE_URL"], port=port, environment=environment, given=given)
    env = _child_environment(environment, port, binds)
    Preparation(root=ROOT, var=VAR, env=env, database=_database_mark(environment["DATABASE_URL"])).run()
    supervisor.start(ROOT / "Procfile", env)
    _await_first_answer(supervisor, port)
    _welcome(port, time.monotonic() - began, phone)
    supervisor.watch()


def _servers(state: RunState, supervisor: Supervisor) -> tuple[dict[str, str], dict[str, str]]:
    """Start what the environment does not name; returns the addresses in use and those that were given."""
    given = {name: read.text(name) for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL") if read.text(name)}
    if "DATABASE_URL" in given:
        addresses = roles.prepare_given(given["DATABASE_URL"], given.get("DATABASE_OWNER_URL", ""))
    else:
        addresses = _embedded_postgres(state, supervisor)
    redis_url = given.get("REDIS_URL", "")
    if not redis_url:
        valkey = Valkey(sockets=state.sockets, log=LOGS / "valkey.log")
        supervisor.serve("valkey", valkey)
        redis_url = valkey.address
    return {"DATABASE_URL": addresses.app, "DATABASE_OWNER_URL": addresses.owner, "REDIS_URL": redis_url}, given


def _embedded_postgres(state: RunState, supervisor: Supervisor) -> roles.Addresses:
    kept = kept_secrets(VAR)
    if any(not kept.get(name) for name in PASSWORDS):
        kept |= {name: secrets.token_hex(24) for name in PASSWORDS}
        write_private(VAR / "secrets.json", kept)
    sockets = state.sockets / "pg"
    sockets.mkdir(exist_ok=True)
    server = Postgres(data=VAR / "pg", sockets=sockets, log=LOGS / "postgres.log", password=kept["POSTGRES_PASSWORD"])
    if not (VAR / "pg" / "PG_VERSION").exists():
        print("Making the embedded PostgreSQL in var/pg ...", flush=True)
    supervisor.serve("postgres", server)
    return roles.prepare(
        server.address(), app_password=kept["LOYALTY_APP_PASSWORD"], owner_password=kept["LOYALTY_OWNER_PASSWORD"]
    )


def _fakes(supervisor: Supervisor, environment: dict[str, str], port: int) -> str:
    """Start what stands for Apple and Google, and let everything we start talk to it; returns the phone's address."""
    fakes = Fakes(
        root=ROOT, var=VAR, log=LOGS / "fakes.log", ports=choose_ports(port), site_url=environment["SITE_URL"],
        env=os.environ,
    )  # fmt: skip
    supervisor.serve("fakes", fakes)
    environment |= fakes.environment()
    return fakes.phone_url


def _child_environment(environment: dict[str, str], port: int, binds: list[str]) -> dict[str, str]:
    """Return the environment of everything we start: development settings, our servers, our Python first."""
    metrics = VAR / "metrics"
    metrics.mkdir(parents=True, exist_ok=True)
    for stale in metrics.glob("*.db"):
        stale.unlink(missing_ok=True)
    return {
        "LOYALTY_THROTTLE_SCALE": "100",
        **os.environ,
        **environment,
        "PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.local",
        "WEB_BIND": ",".join(binds),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
    }


def _free_addresses(port: int) -> list[str]:
    """Return the loopback addresses to serve on; raises CannotStart when somebody else is there."""
    binds = []
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            opened = socket.socket(family)
        except OSError:  # no IPv6 here
            continue
        with contextlib.closing(opened) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                    reason = "is in use" if error.errno == errno.EADDRINUSE else "may not be used by this user"
                    raise CannotStart(f"Port {port} {reason}: choose another, as in `make run PORT=8001`.") from error
                continue
            binds.append(f"[{host}]:{port}" if family == socket.AF_INET6 else f"{host}:{port}")
    return binds


def _await_first_answer(supervisor: Supervisor, port: int) -> None:
    deadline = time.monotonic() + FIRST_ANSWER_SECONDS
    while not _answers(port):
        supervisor.look_once()
        if time.monotonic() > deadline:
            raise CannotStart(
                f"The web process does not answer. The end of its log:\n{process.log_tail(LOGS / 'web.log')}"
            )
        time.sleep(0.1)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _database_mark(address: str) -> str:
    """Name the database for the memory of what was prepared: ours by its birth; a given one may change any time."""
    version = VAR / "pg" / "PG_VERSION"
    if "DATABASE_URL" in os.environ or not version.exists():
        return f"{address} {time.time()}"
    born = version.stat()
    return f"{born.st_ino} {born.st_mtime_ns}"


def _welcome(port: int, seconds: float, phone: str = "") -> None:
    fakes = f"\n  Phone       {phone} (fakes of Apple and Google: paste a card's wallet address there)" if phone else ""
    print(
        f"""
Ready after {seconds:.0f} s: http://localhost:{port} and http://127.0.0.1:{port}

  Merchants   owner@coffeelux.example (stamps), owner@mode-claire.example (points),
              owner@barbier-royal.example (both): http://127.0.0.1:{port}/accounts/login/
  Staff       Anna 4821, Ben 7359: http://127.0.0.1:{port}/store/coffeelux-gare/loyalty/terminal
  Customers   http://127.0.0.1:{port}/loyalty/coffeelux-gare/enroll
  Platform    admin@platform.example: http://127.0.0.1:{port}/admin/
  Password    demo-loyalty-2026 for every login; mail is in var/mail, logs are in var/log{fakes}

Ctrl-C stops everything.""",
        flush=True,
    )


def _say(error: CannotStart) -> int:
    print(f"\n{error}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
