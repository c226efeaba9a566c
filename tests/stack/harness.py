"""Starts the whole product as a user would, in a copy of the clone, and can kill each part of it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from loyalty_platform.launcher.postgres import binaries
from loyalty_platform.launcher.process import group_members, started_at

ROOT = Path(__file__).resolve().parent.parent.parent
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis", "node_modules")
MARK = "LOYALTY_STACK_MARK"
READY_SECONDS = 300
STOP_SECONDS = 40


def free_port() -> int:
    """Return a TCP port that nobody holds at this moment."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """One clone with its own databases and processes. A context manager: at its end nothing is left of either."""

    def __init__(self, folder: Path, *, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.mark = uuid.uuid4().hex
        self.given = env or {}
        self.process: subprocess.Popen[bytes] | None = None
        self.leaders: dict[str, int] = {}
        copy_clone(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill_everything()

    @property
    def url(self) -> str:
        """The address it serves."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """What the launcher printed so far."""
        return (self.folder / "output.txt").read_text() if (self.folder / "output.txt").exists() else ""

    def start(self, *, wait: bool = True, **env: str) -> "Stack":
        """Start the launcher as `make run` does, and wait for the first answer."""
        with (self.folder / "output.txt").open("wb") as out:
            self.process = subprocess.Popen(
                [str(self.folder / ".venv/bin/python"), "-m", "loyalty_platform.launcher"],
                cwd=self.folder,
                env=self.environment(**env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if wait:
            self.wait_for(lambda: "Ready after" in self.output, READY_SECONDS, "the first answer")
            self.leaders |= self.processes()
        return self

    def environment(self, **env: str) -> dict[str, str]:
        """Return an almost empty environment: what the suite was started with must not leak in."""
        return {"PATH": os.environ["PATH"], "PORT": str(self.port), MARK: self.mark, **self.given, **env}

    def run(self) -> dict[str, Any]:
        """Return what var/run.json says, {} when nothing runs."""
        try:
            return dict(json.loads((self.folder / "var/run.json").read_text()))
        except (OSError, ValueError):
            return {}

    def processes(self) -> dict[str, int]:
        """Return the process ids of the parts: postgres, valkey, web, worker, beat, relay."""
        return {name: pid for name, (pid, _) in self.run().get("processes", {}).items()}

    def manage(self, *arguments: str) -> str:
        """Run a management command beside the stack, without any environment, and return what it printed."""
        command = [str(self.folder / ".venv/bin/python"), "manage.py", *arguments]
        env = {"PATH": os.environ["PATH"], MARK: self.mark}
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self, path: str = "/healthz", *, timeout: float = 10) -> int:
        """Return the status of a GET, 0 when nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal, SIGKILL by default, to one part (or `launcher`); returns its process id."""
        pid = self.process.pid if name == "launcher" and self.process else self.processes()[name]
        os.kill(pid, number)
        return pid

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the launcher and return its exit status."""
        assert self.process is not None
        self.leaders |= self.processes()
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def wait_for(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until something is so; fails with the launcher's output when it ends or time runs out."""
        deadline = time.monotonic() + seconds
        while not condition():
            ended = self.process is not None and self.process.poll() is not None
            if ended and not condition():
                raise AssertionError(f"The launcher ended while waiting for {what}:\n{self.output}")
            if time.monotonic() > deadline:
                raise AssertionError(f"No {what} after {seconds} s:\n{self.output}")
            time.sleep(0.05)

    def remaining(self) -> list[int]:
        """Return the processes of this stack that live: those of its sessions and those that carry its mark."""
        found = {pid for leader in self.leaders.values() for pid in group_members(leader)}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid() and started_at(int(entry.name)):
                with contextlib.suppress(OSError):
                    if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes():
                        found.add(int(entry.name))
        return sorted(found)

    def assert_nothing_left(self) -> None:
        """Fail when any process of the stack lives, after a moment for the system to tidy up."""
        deadline = time.monotonic() + 5
        while self.remaining() and time.monotonic() < deadline:
            time.sleep(0.1)
        left = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ") for pid in self.remaining()}
        assert not left, left

    def kill_everything(self) -> None:
        """End every process of the stack by force and remove its files."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        for pid in self.remaining():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.run().get("sockets"):
            shutil.rmtree(self.run()["sockets"], ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def copy_clone(folder: Path) -> None:
    """Copy the tree as a clone has it; the virtual environment is shared, since it holds no state."""
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED, dirs_exist_ok=True)
    (folder / ".venv").symlink_to(Path(sys.prefix))


def stack_folder() -> Path:
    """Return a new folder for a stack, with a space in its name."""
    return Path(tempfile.mkdtemp(prefix="loyalty stack "))


def program(name: str) -> str:
    """Return one of PostgreSQL's programs, such as pgbench."""
    return str(binaries() / name)
