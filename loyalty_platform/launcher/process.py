"""Starting, recognising and stopping processes so that none is ever left behind."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

POLL_SECONDS = 0.05


def spawn(
    command: list[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    last_wish: str = "TERM",
) -> subprocess.Popen[bytes]:
    """Start a process as the leader of its own session, with its output in `log`.

    On Linux it gets the signal `last_wish` when we die ourselves, even by a kill -9.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        return subprocess.Popen(
            [*with_last_wish(last_wish), *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
        )


@cache
def with_last_wish(name: str) -> tuple[str, ...]:
    """Return the prefix that ties a process to its parent's life, or nothing where setpriv is absent."""
    setpriv = shutil.which("setpriv")
    if setpriv is None or not works([setpriv, "--pdeathsig", name, "true"]):
        return ()
    return (setpriv, "--pdeathsig", name)


def works(command: list[str]) -> bool:
    """Tell whether a command exists and ends well; its output is dropped."""
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


def started_at(pid: int) -> str:
    """Return a mark of the moment a process started, '' when there is none; pid and mark together name a process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except OSError:
        pass
    if Path("/proc/self/stat").exists():
        return ""
    return _ps(pid, "lstart=")


def command_line(pid: int) -> str:
    """Return the command line of a process, '' when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _ps(pid, "command=")


def _ps(pid: int, column: str) -> str:
    done = subprocess.run(["ps", "-o", column, "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def group_members(group: int) -> list[int]:
    """Return the living processes of a group (Linux; elsewhere the leader only)."""
    if not Path("/proc/self/stat").exists():
        return [group] if started_at(group) else []
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def signal_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to a session leader's whole group; a group that is gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def stop_group(leader: int, *, gone: Callable[[], bool], first: signal.Signals, patience: float) -> None:
    """Ask a process to end, wait, then end what is left of its group by force."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(leader, first)
    wait_until(gone, patience)
    signal_group(leader, signal.SIGKILL)
    wait_until(gone, 5)


def stop_all(processes: Iterable[subprocess.Popen[bytes]], *, patience: float = 10) -> None:
    """Stop several processes at the same time, gently first, and leave nothing of their groups."""
    running = list(processes)
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    wait_until(lambda: all(process.poll() is not None for process in running), patience)
    for process in running:
        signal_group(process.pid, signal.SIGKILL)
    for process in running:
        process.wait()


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition; returns whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def log_tail(log: Path, lines: int = 15) -> str:
    """Return the end of a log file."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
