"""The outbox: what happened is written with the rows it happened to; the relay takes it to the tasks afterwards.

Delivery is at least once, so consumers are idempotent and read the current state. The wake-up after a commit only
shortens the wait: a lost one costs the relay's poll interval and nothing else.
"""

import threading
import time
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.models import OutboxEvent

WAKE_LIST = "core:outbox:wake"
WAKE_TIMEOUT_SECONDS = 0.05
BREAKER_SECONDS = 5.0


def publish(topic: str, *, merchant_id: UUID, **payload: Any) -> OutboxEvent:
    """Write an event in the current transaction and wake the relay once it is committed."""
    event = OutboxEvent.objects.create(
        topic=topic, merchant_id=merchant_id, payload=payload, created_at=timezone.now()
    )  # fmt: skip
    transaction.on_commit(wake)
    return event


class _Waker:
    """One client per process with short timeouts; after a failure it stays silent for a while."""

    def __init__(self) -> None:
        self._client: redis.Redis | None = None
        self._quiet_until = 0.0
        self._lock = threading.Lock()

    def wake(self) -> None:
        if time.monotonic() < self._quiet_until:
            return
        try:
            line = self._connection().pipeline(transaction=False)
            line.lpush(WAKE_LIST, 1)
            line.ltrim(WAKE_LIST, 0, 0)
            line.execute()
        except (redis.RedisError, OSError):
            self._quiet_until = time.monotonic() + BREAKER_SECONDS

    def _connection(self) -> redis.Redis:
        with self._lock:
            if self._client is None:
                self._client = connect(timeout=WAKE_TIMEOUT_SECONDS)
            return self._client


_waker = _Waker()


def wake() -> None:
    """Tell the relay that there is work. Never delays or fails the caller: 50 ms at most, then 5 s of silence."""
    _waker.wake()


def connect(*, timeout: float) -> redis.Redis:
    """Return a client for REDIS_URL that fails fast; takes redis+socket:// as Celery writes it."""
    url = settings.REDIS_URL.replace("redis+socket://", "unix://", 1)
    client: redis.Redis = redis.Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=None
    )  # fmt: skip
    return client
