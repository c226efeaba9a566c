"""Runs the relay as a process of its own, as the Procfile does."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Self

from tests.support.servers import ENVIRONMENT, ROOT

STOP_SECONDS = 5.0


class RelayProcess:
    """A relay on a test's own database. Use it as a context manager: it always ends."""

    def __init__(self, database: Any, redis: str) -> None:
        servers = {"DATABASE_URL": database.app_url, "DATABASE_OWNER_URL": database.owner_url, "REDIS_URL": redis}
        self.env = {**os.environ, ENVIRONMENT: json.dumps(servers), "PYTHONUNBUFFERED": "1"}
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "manage.py", "relay", "--settings", "loyalty_platform.settings.test"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return self

    def __exit__(self, *error: object) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def wait_until_started(self) -> None:
        """Read the log up to the line that says that it works."""
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "relay started" in line:
                return
        raise AssertionError("the relay did not start")

    def kill(self) -> None:
        """Kill it as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def terminate(self) -> tuple[int, float]:
        """Send SIGTERM; returns the exit status and the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS), time.monotonic() - began


def eventually(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Wait until something is so; returns whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
