"""Keeps the stack up: restarts the embedded servers, and ends everything when a master process dies."""

import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, Protocol

from loyalty_platform.launcher import process
from loyalty_platform.launcher.errors import CannotStart

LOOK_EVERY_SECONDS = 0.2
STABLE_SECONDS = 30
MOST_RESTARTS = 10
BIGGEST_LOG = 20_000_000


class Server(Protocol):
    """An embedded server."""

    process: subprocess.Popen[bytes] | None

    def start(self) -> None:
        """Start and wait until it answers."""

    def stop(self) -> None:
        """Stop."""

    def alive(self) -> bool:
        """Tell whether it runs."""


class StopRequested(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal: raised in the main thread wherever it is."""


def catch_signals() -> None:
    """Turn the signals that end us into StopRequested, once; further ones do not disturb the clean-up."""

    def on_signal(number: int, frame: object) -> None:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        raise StopRequested

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), on_signal)


class Supervisor:
    """The embedded servers and the processes of the Procfile."""

    def __init__(self, *, root: Path, logs: Path, note: Callable[[str, int], None]) -> None:
        self.root, self.logs, self.note = root, logs, note
        self.servers: dict[str, Server] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: dict[str, list[float]] = {}
        logs.mkdir(parents=True, exist_ok=True)
        for log in logs.glob("*.log"):
            if log.stat().st_size > BIGGEST_LOG:
                log.replace(log.with_suffix(".log.1"))

    def serve(self, name: str, server: Server) -> None:
        """Start an embedded server and look after it from now on."""
        self.servers[name] = server
        server.start()
        if server.process is not None:
            self.note(name, server.process.pid)

    def start(self, procfile: Path, env: Mapping[str, str]) -> None:
        """Start each line of the Procfile, with its output in a log of its own."""
        for name, command in read_procfile(procfile).items():
            child = process.spawn(["/bin/sh", "-c", command], log=self.logs / f"{name}.log", env=env, cwd=self.root)
            self.processes[name] = child
            self.note(name, child.pid)

    def look_once(self) -> None:
        """Restart a server that died; raise CannotStart when a process of the Procfile did."""
        for name, server in self.servers.items():
            if not server.alive():
                self._restart(name, server)
        for name, child in self.processes.items():
            status = child.poll()
            if status is not None:
                log = self.logs / f"{name}.log"
                raise CannotStart(
                    f"The {name} process ended ({_how(status)}), so everything is stopped. "
                    f"The end of {log}:\n{process.log_tail(log)}"
                )

    def watch(self) -> NoReturn:
        """Look after everything until something raises."""
        while True:
            self.look_once()
            time.sleep(LOOK_EVERY_SECONDS)

    def stop(self) -> None:
        """Stop the processes, then the servers they use; leaves nothing."""
        process.stop_all(self.processes.values())
        for server in reversed(self.servers.values()):
            server.stop()

    def _restart(self, name: str, server: Server) -> None:
        now = time.monotonic()
        recent = [moment for moment in self._restarts.get(name, []) if now - moment < STABLE_SECONDS]
        if len(recent) >= MOST_RESTARTS:
            raise CannotStart(
                f"{name} keeps dying: {MOST_RESTARTS} times in {STABLE_SECONDS} seconds; see {self.logs}."
            )
        self._restarts[name] = [*recent, now]
        print(f"{name} died and is started again.", file=sys.stderr, flush=True)
        server.start()
        if server.process is not None:
            self.note(name, server.process.pid)


def read_procfile(path: Path) -> dict[str, str]:
    """Return the commands of a Procfile by name, each made to replace its shell."""
    commands: dict[str, str] = {}
    for line in path.read_text().splitlines():
        name, separator, command = line.partition(":")
        if separator and not line.startswith("#") and shlex.split(command):
            commands[name.strip()] = f"exec {command.strip().removeprefix('exec ')}"
    return commands


def _how(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
