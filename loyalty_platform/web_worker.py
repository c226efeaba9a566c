"""gunicorn's worker with threads, evened out: who holds fewer connections takes the next one.

A new connection wakes all processes, and the quickest takes it, whatever it holds already. Tills and proxies keep their
connections, so one process could be left with most of the work while the others wait.
"""

import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped] # gunicorn comes without types

# A process waits so long for each connection it holds, up to so many of them, before it reaches for another one.
STEP_SECONDS, MOST = 0.0002, 10


class EvenWorker(ThreadWorker):
    """Lets processes with fewer connections go first."""

    def accept(self, listener: Any) -> None:
        """Take a connection unless somebody else was quicker."""
        time.sleep(min(self.nr_conns, MOST) * STEP_SECONDS)
        super().accept(listener)
