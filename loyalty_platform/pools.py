"""The processes of a Celery worker, with one fault of Celery's mended: its master must outlive a bad second.

When children die and the broker goes away at about the same time, the master hears of the deaths first and takes the
children's descriptors off; on reconnecting it puts all of its children back under watch, finds None there, and ends
with "file descriptor is None". A child whose end was seen needs no watch: the pool replaces it.
"""

from typing import Any

from celery.concurrency import asynpool, prefork

UNSEEN = object()


class Pool(asynpool.AsynPool):
    """A pool that leaves children alone whose end it has seen."""

    def _track_child_process(self, proc: Any, hub: Any) -> None:
        if getattr(proc, "_sentinel_poll", UNSEEN) is not None:
            super()._track_child_process(proc, hub)  # type: ignore[misc]


class TaskPool(prefork.TaskPool):
    """Celery's own prefork pool, made of these."""

    Pool = Pool
