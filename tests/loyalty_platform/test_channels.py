"""A worker's master outlives a broker that goes away while a child works and another one is free."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Consumer, Producer, Queue
from kombu.common import ignore_errors

from loyalty_platform.celery import app
from loyalty_platform.channels import Channel
from loyalty_platform.launcher.state import short_folder
from loyalty_platform.launcher.valkey import Valkey


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Valkey]:
    """Yield a broker of this test's own, to be stopped at will."""
    sockets = short_folder()
    server = Valkey(sockets=sockets, log=tmp_path / "valkey.log")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(sockets, ignore_errors=True)


def test_workers_are_made_of_it() -> None:
    with app.connection_for_read() as connection:
        assert connection.transport.Channel is Channel


# What is lost is not closed well by anybody, which is the case to be survived.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_task_that_is_lost_with_the_broker_does_not_end_the_worker(broker: Valkey) -> None:
    connection = Connection(f"redis+socket://{broker.socket}", transport_options={"socket_timeout": 2})
    [task] = take_a_task_and_wait_for_another(connection)
    said: list[str] = []

    broker.stop()
    # As a worker does it when the connection broke, and once the task is done.
    with suppress(Exception):
        connection.collect(socket_timeout=1)
    ignore_errors(connection, connection.close)
    task.ack_log_error(Said(said), connection.connection_errors)

    assert len(said) == 1
    assert "ConnectionError" in said[0]


class Said:
    """A logger that keeps what it is told."""

    def __init__(self, kept: list[str]) -> None:
        self.kept = kept

    def critical(self, text: str, *values: Any, **_: Any) -> None:
        """Keep it."""
        self.kept.append(text % values)


def take_a_task_and_wait_for_another(connection: Connection) -> list[Any]:
    """Leave a connection as a worker has it: one task is not done yet, the next one and commands are waited for."""
    taken: list[Any] = []
    tasks, commands = connection.default_channel, connection.channel()
    Producer(tasks).publish({"number": 1}, routing_key="work", declare=[Queue("work")])
    for channel, name in ((tasks, "work"), (commands, "commands")):
        reader = Consumer(channel, [Queue(name)], on_message=taken.append)
        reader.qos(prefetch_count=2)
        reader.consume()
    while not taken:
        connection.drain_events(timeout=5)
    for channel in (tasks, commands):
        if not channel._in_poll:
            channel._brpop_start()
    return taken
