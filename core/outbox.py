"""The outbox: what happened is written with the rows it happened to; the relay takes it to the tasks afterwards.

Delivery is at least once, so consumers are idempotent and read the current state. The wake-up after a commit only
shortens the wait: a lost one costs the relay's poll interval and nothing else.
"""

import atexit
import logging
import os
import threading
import time
from contextlib import suppress
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.models import OutboxEvent

logger = logging.getLogger(__name__)

WAKE_LIST = "core:outbox:wake"
WAKE_TIMEOUT_SECONDS = 0.05
BREAKER_SECONDS = 5.0
# Wake-ups are this far apart at least; the first one after a rest goes out at once.
PAUSE_SECONDS = 0.03


def publish(topic: str, *, merchant_id: UUID, **payload: Any) -> OutboxEvent:
    """Write an event in the current transaction and wake the relay once it is committed."""
    event = OutboxEvent.objects.create(
        topic=topic, merchant_id=merchant_id, payload=payload, created_at=timezone.now()
    )  # fmt: skip
    transaction.on_commit(wake)
    return event


class _Waker:
    """A thread per process that passes the wake-ups on, many at a time: whoever commits neither waits nor pays for one.

    After a failure it leaves Redis alone for a while. A process that ends passes on what is due (`flush`).
    """

    def __init__(self) -> None:
        self._client: redis.Redis | None = None
        self._thread: threading.Thread | None = None
        self._due, self._sending, self._starting = threading.Event(), threading.Lock(), threading.Lock()
        self._quiet_until = 0.0

    def wake(self) -> None:
        self._due.set()
        if self._thread is None:
            with self._starting, suppress(RuntimeError):  # a process that ends starts no thread any more
                if self._thread is None:
                    thread = threading.Thread(target=self._run, name="outbox-waker", daemon=True)
                    thread.start()
                    self._thread = thread

    def flush(self) -> None:
        """Pass on what is due, now."""
        if self._sending.acquire(timeout=2 * WAKE_TIMEOUT_SECONDS):
            try:
                if self._due.is_set():
                    self._send()
            finally:
                self._sending.release()

    def _run(self) -> None:
        while True:
            self._due.wait()
            with self._sending:
                self._send()
            time.sleep(max(PAUSE_SECONDS, self._quiet_until - time.monotonic()))

    def _send(self) -> None:
        # Cleared before it is sent: what comes meanwhile may be too late for this one, and makes another.
        self._due.clear()
        if time.monotonic() < self._quiet_until:
            return
        try:
            if self._client is None:
                self._client = connect(timeout=WAKE_TIMEOUT_SECONDS)
            line = self._client.pipeline(transaction=False)
            line.lpush(WAKE_LIST, 1)
            line.ltrim(WAKE_LIST, 0, 0)
            line.execute()
        except (redis.RedisError, OSError):
            self._quiet_until = time.monotonic() + BREAKER_SECONDS
        except Exception:  # whatever it is, the next wake-up must find a thread
            logger.exception("the relay could not be woken")
            self._quiet_until = time.monotonic() + BREAKER_SECONDS


_waker = _Waker()


def _begin_anew() -> None:
    """Give a forked process a waker of its own: threads do not come along."""
    global _waker  # noqa: PLW0603 - one waker per process, and this is a new one
    _waker = _Waker()


os.register_at_fork(after_in_child=_begin_anew)


@atexit.register
def flush() -> None:
    """Pass on the wake-up that is due, if one is: for a process that ends, and for whoever looks right afterwards."""
    _waker.flush()


def wake() -> None:
    """Tell the relay that there is work. Never delays or fails the caller: another thread passes it on."""
    _waker.wake()


def connect(*, timeout: float) -> redis.Redis:
    """Return a client for REDIS_URL that fails fast; takes redis+socket:// as Celery writes it."""
    url = settings.REDIS_URL.replace("redis+socket://", "unix://", 1)
    client: redis.Redis = redis.Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=None
    )  # fmt: skip
    return client
