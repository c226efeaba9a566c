"""Places for heavy work that all processes of a host share, such as hashing PINs: who finds none free waits.

A place is a lock on a file, which the system gives back when its holder dies. Where no such file can be made, the
limit holds within the process only.
"""

import fcntl
import os
import random
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOOK_SECONDS = 0.003
# Nobody is kept longer from work that takes milliseconds: something is wrong with the files then.
LONGEST_SECONDS = 5.0


class HostSlots:
    """`count` places under a name; `with slots.taken():` holds one of them."""

    def __init__(self, name: str, count: int) -> None:
        self._name, self._count = name, count
        self._mine = threading.BoundedSemaphore(count)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a place and hold it; after five seconds go on without one."""
        with self._mine:
            held = self._wait()
            try:
                yield
            finally:
                if held is not None:
                    # A process that was forked meanwhile may still have it open.
                    fcntl.flock(held, fcntl.LOCK_UN)
                    os.close(held)

    def _wait(self) -> int | None:
        folder, deadline = self._folder(), time.monotonic() + LONGEST_SECONDS
        while folder is not None and time.monotonic() < deadline:
            first = random.randrange(self._count)  # noqa: S311 - spreads who looks where
            try:
                for number in range(self._count):
                    with suppress(BlockingIOError):
                        return _lock(folder / str((first + number) % self._count))
            except OSError:
                return None
            time.sleep(LOOK_SECONDS)
        return None

    def _folder(self) -> Path | None:
        """Return the folder of the files, which is this user's alone; None where there can be none."""
        try:
            folder = Path(tempfile.gettempdir()) / f"{self._name}-{os.getuid()}"
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
        except OSError:
            return None
        return folder if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() else None


def _lock(path: Path) -> int:
    """Return a descriptor that holds the file's lock until it is closed; raises BlockingIOError where another does."""
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(held)
        raise
    return held
