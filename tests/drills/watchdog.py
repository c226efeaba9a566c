"""A hard limit for what could hang: it is broken off wherever it is, and what hung is written down."""

import contextlib
import faulthandler
import signal
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

AGAIN_SECONDS = 10.0
OURS = "tests/drills/"


class Hung(BaseException):
    """The time is over. No Exception, since nobody on the way may take it for a fault of the stack."""


@contextlib.contextmanager
def limit(seconds: float, threads: Path, *, again: float = AGAIN_SECONDS) -> Iterator[None]:
    """Raise Hung in the main thread once the time is over, and again for whoever waits on the way out.

    threads: the file that all threads are written to, with what each of them did at that moment.
    """

    hung: list[str] = []

    def over(number: int, frame: FrameType | None) -> None:
        hung.append(place(frame))
        threads.parent.mkdir(parents=True, exist_ok=True)
        with threads.open("a") as file:
            faulthandler.dump_traceback(file, all_threads=True)
        raise Hung(f"no end after {seconds:.0f} s in {hung[0]}")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds, again)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def place(frame: FrameType | None) -> str:
    """Name the innermost line of the drills that a frame stands in."""
    lines = [line for line in traceback.extract_stack(frame) if OURS in line.filename]
    return f"{lines[-1].name} ({Path(lines[-1].filename).name}:{lines[-1].lineno})" if lines else "an unknown place"
