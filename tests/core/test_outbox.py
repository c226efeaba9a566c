"""The outbox: an event lives and dies with its transaction, and waking the relay never delays an answer."""

import json
import os
import shutil
import socket
import subprocess
import sys
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
from tests.support.servers import ENVIRONMENT

LIMIT_SECONDS = 0.1


@pytest.fixture
def waker(monkeypatch: Any) -> Callable[[], None]:
    """A process's first wake-up, whatever earlier tests did."""
    outbox.flush()
    connect(timeout=1).delete(WAKE_LIST)
    monkeypatch.setattr(outbox, "_waker", outbox._Waker())
    return outbox.wake


def tokens() -> int:
    """How many wake-ups wait for the relay, once the one that is due has been passed on."""
    outbox.flush()
    return int(connect(timeout=1).llen(WAKE_LIST))


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
    assert tokens() == 1


def test_an_event_of_a_transaction_that_failed_is_gone(real_db: Any, waker: Callable[[], None]) -> None:
    merchant_id = uuid7()
    with pytest.raises(ZeroDivisionError), tenancy.scope(merchant_id):
        outbox.publish("tests.heard", merchant_id=merchant_id)
        raise ZeroDivisionError

    assert events.rows() == []
    assert tokens() == 0


def test_many_wake_ups_leave_one_token(waker: Callable[[], None]) -> None:
    for _ in range(50):
        waker()

    assert tokens() == 1


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
    outbox.flush()
    monkeypatch.setattr(settings, "REDIS_URL", broker)
    outbox._waker._client = None
    outbox._waker._quiet_until = time.monotonic() - 1

    waker()

    assert tokens() == 1


def test_a_write_is_not_delayed_by_a_silent_redis(real_db: Any, waker: Callable[[], None], silent_redis: str) -> None:
    usual = min(seconds(events.publish) for _ in range(5))  # the first one opens the breaker

    outbox._waker._quiet_until = 0.0
    assert seconds(events.publish) < usual + LIMIT_SECONDS


def test_wake_ups_of_a_moment_are_passed_on_together(waker: Callable[[], None], monkeypatch: Any) -> None:
    """Each costs the process that stamps; the relay needs one."""
    passed: list[float] = []
    monkeypatch.setattr(outbox, "_waker", Counting(passed))
    began = time.monotonic()
    while time.monotonic() < began + 10 * outbox.PAUSE_SECONDS:
        waker()
        time.sleep(0.001)
    last = time.monotonic()
    time.sleep(3 * outbox.PAUSE_SECONDS)

    assert 1 <= len(passed) <= 12
    assert passed[-1] > last - outbox.PAUSE_SECONDS, "the last one counts as well"


class Counting(outbox._Waker):
    """A waker that notes when it passes something on."""

    def __init__(self, passed: list[float]) -> None:
        super().__init__()
        self.passed = passed

    def _send(self) -> None:
        self.passed.append(time.monotonic())
        super()._send()


def test_a_process_that_ends_at_once_passes_its_wake_up_on(waker: Callable[[], None], broker: str) -> None:
    code = "import django; django.setup(); from core import outbox; outbox.wake()"
    servers = {**json.loads(os.environ.get(ENVIRONMENT, "{}")), "REDIS_URL": broker}
    environment = {**os.environ, ENVIRONMENT: json.dumps(servers)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)

    assert tokens() == 1


def test_a_forked_process_passes_its_wake_ups_on(waker: Callable[[], None], broker: str) -> None:
    waker()
    assert tokens() == 1
    connect(timeout=1).delete(WAKE_LIST)

    child = os.fork()
    if child == 0:
        waker()
        time.sleep(5 * outbox.PAUSE_SECONDS)
        os._exit(0)
    os.waitpid(child, 0)

    assert connect(timeout=1).llen(WAKE_LIST) == 1
