"""The outbox: an event lives and dies with its transaction, and waking the relay never delays an answer."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings

from core import outbox, tenancy
from core.ids import uuid7
from core.outbox import WAKE_LIST, connect
from loyalty_platform.launcher.state import short_folder
from tests.support import outbox as events

LIMIT_SECONDS = 0.1


@pytest.fixture
def waker(monkeypatch: Any) -> Callable[[], None]:
    """A process's first wake-up, whatever earlier tests did."""
    monkeypatch.setattr(outbox, "_waker", outbox._Waker())
    return outbox.wake


@pytest.fixture
def silent_redis(monkeypatch: Any) -> Iterator[str]:
    """An address where connections are accepted and nothing is ever answered."""
    folder = short_folder()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "silent.sock"))
        server.listen(64)
        monkeypatch.setattr(settings, "REDIS_URL", f"unix://{folder}/silent.sock")
        yield settings.REDIS_URL
    shutil.rmtree(folder)


def seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def test_it_works(real_db: Any, waker: Callable[[], None], broker: str) -> None:
    ids = events.publish(card_id="c1")

    row = events.rows(*ids)[0]
    assert (row.topic, row.payload, row.state) == ("tests.heard", {"card_id": "c1"}, "queued")
    assert connect(timeout=1).llen(WAKE_LIST) == 1


def test_an_event_of_a_transaction_that_failed_is_gone(real_db: Any, waker: Callable[[], None]) -> None:
    merchant_id = uuid7()
    with pytest.raises(ZeroDivisionError), tenancy.scope(merchant_id):
        outbox.publish("tests.heard", merchant_id=merchant_id)
        raise ZeroDivisionError

    assert events.rows() == []
    assert connect(timeout=1).llen(WAKE_LIST) == 0


def test_many_wake_ups_leave_one_token(waker: Callable[[], None]) -> None:
    for _ in range(50):
        waker()

    assert connect(timeout=1).llen(WAKE_LIST) == 1


def test_wake_is_quick_while_redis_is_silent(waker: Callable[[], None], silent_redis: str) -> None:
    assert seconds(waker) < LIMIT_SECONDS
    assert seconds(lambda: [waker() for _ in range(1000)]) < LIMIT_SECONDS


def test_wake_is_quick_while_redis_is_gone(waker: Callable[[], None], monkeypatch: Any) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", "unix:///nobody-is-here.sock")

    assert seconds(waker) < LIMIT_SECONDS


def test_wake_is_quick_while_the_network_swallows_everything(waker: Callable[[], None], monkeypatch: Any) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        # A full backlog drops further connection attempts, as a firewall does.
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        monkeypatch.setattr(settings, "REDIS_URL", f"redis://127.0.0.1:{address[1]}")

        assert seconds(waker) < LIMIT_SECONDS
        for filler in fillers:
            filler.close()


def test_wake_is_quick_for_every_thread_while_redis_is_silent(waker: Callable[[], None], silent_redis: str) -> None:
    took: list[float] = []
    threads = [threading.Thread(target=lambda: took.append(seconds(waker))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(took) < 4 * LIMIT_SECONDS  # one after the other they would take twice as long


def test_wake_finds_redis_again(waker: Callable[[], None], broker: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", "unix:///nobody-is-here.sock")
    waker()
    monkeypatch.setattr(settings, "REDIS_URL", broker)
    outbox._waker._client = None
    outbox._waker._quiet_until = time.monotonic() - 1

    waker()

    assert connect(timeout=1).llen(WAKE_LIST) == 1


def test_a_write_is_not_delayed_by_a_silent_redis(real_db: Any, waker: Callable[[], None], silent_redis: str) -> None:
    usual = min(seconds(events.publish) for _ in range(5))  # the first one opens the breaker

    outbox._waker._quiet_until = 0.0
    assert seconds(events.publish) < usual + LIMIT_SECONDS
