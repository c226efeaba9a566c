"""The relay: takes events from the outbox to the tasks that hear them, at least once.

It waits for the wake-up that follows a commit, claims a batch in a short transaction, publishes one Celery task per
route of the event's topic, and writes down what became of it. Nothing is published inside a transaction. While the
broker is away nothing is claimed; when it comes back without its memory, the last minutes are sent again.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import close_old_connections, connection
from django.utils import timezone
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError as BrokerProblem

from core import claims
from core.outbox import WAKE_LIST, connect

logger = logging.getLogger(__name__)

POLL_SECONDS = 1
REDIS_SECONDS = 3.0
BROKER_SECONDS = 2.0
# Events that come while a batch is on its way make the next one: fewer, larger transactions under load.
LINGER_SECONDS = 0.05
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 5.0
# Lives as long as the broker's memory: when it is gone, so are the tasks that waited there.
MEMORY_MARK = "core:outbox:memory"
AWAY = (redis.RedisError, BrokerProblem, OSError)
Routes = Mapping[str, Sequence[str]]


class Stopped(BaseException):
    """Raised out of a wait when the relay is told to stop."""


class Publisher:
    """Hands tasks to the broker over a connection of its own that gives up after two seconds."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._producer: Any = None

    def send(self, name: str, kwargs: dict[str, Any]) -> None:
        """Publish one task; raises what the broker or the serializer raises."""
        if self._producer is None:
            self._connection = current_app.connection_for_write(
                transport_options={
                    "max_retries": 1, "interval_start": 0, "interval_step": 0, "socket_timeout": BROKER_SECONDS,
                    "socket_connect_timeout": BROKER_SECONDS, "connect_retries_timeout": BROKER_SECONDS,
                }
            )  # fmt: skip
            self._producer = current_app.amqp.Producer(self._connection)
        current_app.send_task(name, kwargs=kwargs, producer=self._producer, retry=False, ignore_result=True)

    def reset(self) -> None:
        """Forget the connection; the next task opens another."""
        with suppress(*AWAY):
            if self._connection is not None:
                self._connection.release()
        self._connection = self._producer = None


def routes() -> Routes:
    """Return which tasks hear which topic."""
    table: Routes = import_string(settings.EVENT_ROUTES)
    return table


def publish(
    events: Sequence[claims.Event], publisher: Publisher, table: Routes, stopping: Callable[[], bool] = lambda: False
) -> tuple[claims.Outcome, bool]:
    """Publish claimed events in order; returns what became of each, and whether the broker is there.

    An event that the broker or the serializer refuses waits for its turn again. When the broker is away, or the relay
    is to stop, the rest is not tried. A topic that nobody hears is done at once.
    """
    outcome, there = claims.Outcome(), True
    for event in events:
        if not there or stopping():
            outcome.untried.append(event.id)
            continue
        try:
            for name in table.get(event.topic, ()):
                publisher.send(name, {"merchant_id": str(event.merchant_id), **event.payload})
        except AWAY as error:
            there = False
            publisher.reset()
            outcome.refused.append((event, repr(error), False))
        except Exception as error:  # noqa: BLE001 - whatever one event carries must not stop the others
            logger.warning("event %s (%s) cannot be published: %r", event.id, event.topic, error)
            outcome.refused.append((event, repr(error), True))
        else:
            outcome.sent.append(event.id)
    return outcome, there


class Relay:
    """The process. `stop` may be called from a signal handler."""

    def __init__(self, *, now: Callable[[], datetime] = timezone.now) -> None:
        self._now = now
        self._table = routes()
        self._publisher = Publisher()
        self._redis: redis.Redis | None = None
        self._outcome: claims.Outcome | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._stopping = self._waiting = False

    def run(self) -> None:
        """Work until `stop`."""
        logger.info("relay started")
        with suppress(Stopped):
            while not self._stopping:
                self.step()
        self._publisher.reset()
        logger.info("relay stopped")

    def stop(self) -> None:
        """End: at once while waiting, else after the event in hand; what else was claimed goes back."""
        self._stopping = True
        if self._waiting:
            raise Stopped

    def step(self) -> None:
        """Wait for work and do it. A broker or a database that is away costs a pause and nothing else."""
        if settings.RELAY_PULSE:
            Path(settings.RELAY_PULSE).touch()
        try:
            self._await_wake()
            there = self._drain()
        except AWAY as error:
            logger.warning("relay: the broker is away: %r", error)
            self._redis, there = None, False
        except DatabaseProblem as error:
            logger.warning("relay: the database is away: %r", error)
            connection.close()
            there = False
        if there:
            self._pause = FIRST_PAUSE_SECONDS
        else:
            self._idle(lambda: time.sleep(self._pause))
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)

    def _await_wake(self) -> None:
        if self._redis is None:
            self._redis = connect(timeout=REDIS_SECONDS)
        client = self._redis
        if not self._idle(lambda: client.exists(MEMORY_MARK)):
            found = claims.recall(at=self._now())
            logger.info("relay: the broker's memory is new; %s events are sent again", found)
            client.set(MEMORY_MARK, 1)
        self._idle(lambda: client.blpop([WAKE_LIST], timeout=POLL_SECONDS))

    def _drain(self) -> bool:
        """Publish batch after batch until nothing is queued; returns whether the broker was there all the time."""
        while not self._stopping:
            close_old_connections()
            self._settle()
            events = claims.claim(at=self._now())
            if not events:
                return True
            self._outcome, there = publish(events, self._publisher, self._table, lambda: self._stopping)
            self._settle()
            if not there:
                return False
            if len(events) < claims.SHARE:
                self._idle(lambda: time.sleep(LINGER_SECONDS))
        return True

    def _settle(self) -> None:
        """Write down what became of the last batch: when the database is away, once it is back, lest all go twice."""
        if self._outcome is not None:
            claims.settle(self._outcome, at=self._now())
            self._outcome = None

    def _idle(self, wait: Callable[[], object]) -> object:
        """Wait in a way that `stop` ends at once, also when it came a moment before."""
        self._waiting = True
        try:
            if self._stopping:
                raise Stopped
            return wait()
        finally:
            self._waiting = False
