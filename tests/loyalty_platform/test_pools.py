"""A worker's master outlives children and a broker that go at the same time."""

import os
from types import SimpleNamespace

from celery.concurrency import get_implementation
from kombu.asynchronous import Hub

from loyalty_platform.celery import app
from loyalty_platform.pools import Pool, TaskPool


def test_workers_are_made_of_it() -> None:
    assert get_implementation(app.conf.worker_pool) is TaskPool
    assert TaskPool.Pool is Pool


def test_a_child_whose_end_was_seen_is_not_watched_again() -> None:
    hub, pool = Hub(), Pool.__new__(Pool)
    reading, writing = os.pipe()
    alive = SimpleNamespace(_popen=SimpleNamespace(sentinel=reading))
    gone = SimpleNamespace(_popen=SimpleNamespace(sentinel=reading), _sentinel_poll=None)
    try:
        pool._track_child_process(gone, hub)
        assert not hub.readers
        pool._track_child_process(alive, hub)
        assert list(hub.readers) == [alive._sentinel_poll]
    finally:
        hub.close()
        for descriptor in (reading, writing, getattr(alive, "_sentinel_poll", None)):
            if descriptor is not None:
                os.close(descriptor)
