"""A process beside the stack with the product's settings, for what the drills want of it: one, since a start costs
seconds. A line of JSON in, a line of JSON out; `opening.py` is its other end.
"""

import contextlib
import json
import subprocess
from pathlib import Path
from typing import Any

from tests.drills.opening import MARK

END_SECONDS = 5


class Beside:
    """Started when it is asked for the first time, and again when it ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None

    def ask(self, env: dict[str, str], **wanted: Any) -> Any:
        """Send a request and return what it came to; raises AssertionError with the other end's traceback."""
        if self.process is None or self.process.poll() is not None:
            self._start(env)
        try:
            told = self._exchange(json.dumps(wanted))
        except BaseException:
            # Nobody reads the answer any more, and the next one would get it.
            self.end()
            raise
        assert "broke" not in told, told["broke"]
        return told["done"]

    def end(self) -> None:
        """End it; the stack may have other addresses from now on."""
        if self.process is not None:
            self.process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.communicate(timeout=END_SECONDS)
        self.process = None

    def _start(self, env: dict[str, str]) -> None:
        self.end()
        with (self.folder / "var/log/beside.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.folder / ".venv/bin/python"), "-m", "tests.drills.opening"], cwd=self.folder, env=env,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip

    def _exchange(self, line: str) -> dict[str, Any]:
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        for said in self.process.stdout:
            if said.startswith(MARK):
                told: dict[str, Any] = json.loads(said.removeprefix(MARK))
                return told
        raise AssertionError("The process beside the stack ended; its log is beside.log.")
