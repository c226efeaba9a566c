"""What happened on the fakes, newest first, and a way to wait for the next thing."""

import threading
import time
from collections import deque
from typing import Any

KEPT = 200


class Happenings:
    """A bounded log with a version that grows; several threads write, several wait."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._changed = threading.Condition()
        self.version = 1

    def note(self, who: str, text: str, *, bad: bool = False) -> None:
        """Write a line and wake whoever waits."""
        with self._changed:
            self._entries.appendleft({"at": time.time(), "who": who, "text": text, "bad": bad})
        self.wake()

    def wake(self) -> None:
        """Say that something changed that is worth looking at."""
        with self._changed:
            self.version += 1
            self._changed.notify_all()

    def wait(self, seen: int, seconds: float) -> int:
        """Wait until the version is another than `seen`, or the time is over; returns the version."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != seen, seconds)
            return self.version

    def entries(self) -> list[dict[str, Any]]:
        """Return the lines, newest first."""
        with self._changed:
            return list(self._entries)
