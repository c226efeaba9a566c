"""What a running launcher leaves in `var/`: the lock that says it runs, and run.json for those beside it."""

import fcntl
import json
import os
import shutil
import signal
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from loyalty_platform.launcher import process
from loyalty_platform.launcher.errors import CannotStart
from loyalty_platform.settings.development import write_private

# A socket's path may have 107 bytes; the longest name in the folder is ".s.PGSQL.5432.lock".
LONGEST_FOLDER = 80


class RunState:
    """The lock and the record of one clone's stack."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.path = var / "run.json"
        self.sockets = Path()
        self._lock: TextIO | None = None
        self.taken = False
        self._record: dict[str, Any] = {}

    def take(self) -> None:
        """Become the only launcher of this clone; ends what a killed one left. Raises CannotStart when one runs."""
        self.var.mkdir(parents=True, exist_ok=True)
        # The handle is held until the process ends, however it ends: the system then drops the lock.
        self._lock = (self.var / "run.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotStart(self._who_runs()) from error
        self._end_leftovers()
        self.taken = True
        self.sockets = short_folder()
        self._write(pid=os.getpid(), sockets=str(self.sockets), processes={})

    def record(self, **values: Any) -> None:
        """Add values to run.json."""
        self._write(**values)

    def record_process(self, name: str, pid: int) -> None:
        """Remember a process, so that the next start can end it if we are killed."""
        known = dict(self._record.get("processes", {}))
        known[name] = [pid, process.started_at(pid)]
        self._write(processes=known)

    def release(self) -> None:
        """Take the record and the sockets away; the lock goes with the process. Another launcher's are left alone."""
        if not self.taken:
            return
        self.path.unlink(missing_ok=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _write(self, **values: Any) -> None:
        self._record.update(values)
        write_private(self.path, self._record)

    def _read(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.path.read_text()))
        except (OSError, ValueError):
            return {}

    def _who_runs(self) -> str:
        running = self._read()
        where = f" at {running['site_url']}" if running.get("site_url") else ""
        who = f" (process {running['pid']})" if running.get("pid") else ""
        return f"This clone runs already{where}{who}. Stop that one first, or start from another clone."

    def _end_leftovers(self) -> None:
        left = self._read()
        for name, (pid, mark) in left.get("processes", {}).items():
            members = process.group_members(pid)
            # The number may have gone to somebody else: then the mark of its start differs and we leave it alone.
            if members and process.started_at(pid) in {mark, ""}:
                print(f"Ending {name}, left over from a launcher that was killed.", flush=True)
                first = signal.SIGINT if name == "postgres" else signal.SIGTERM
                process.stop_group(pid, gone=partial(_is_empty, pid), first=first, patience=10)
        if left.get("sockets"):
            shutil.rmtree(left["sockets"], ignore_errors=True)


def _is_empty(group: int) -> bool:
    return not process.group_members(group)


def short_folder() -> Path:
    """Make a private folder whose path is short enough for sockets."""
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):  # noqa: S108 - mkdtemp makes it private
        if len(os.fsencode(parent)) > LONGEST_FOLDER - 20:
            continue
        try:
            return Path(tempfile.mkdtemp(prefix="loyalty-", dir=parent))
        except OSError:
            continue
    raise CannotStart("No folder for sockets can be made: neither TMPDIR nor /tmp can be written to.")
