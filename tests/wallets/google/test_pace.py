"""The pace: never more than twenty requests in any second over all processes, the urgent first (pitfall 41)."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from core.outbox import connect
from wallets.enums import Priority
from wallets.providers.google import pace

ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import json, sys, threading, time
import django
from django.conf import settings
django.setup()
settings.REDIS_URL = sys.argv[1]
from wallets.providers.google import pace
found, ends = [], time.time() + float(sys.argv[2])
def work():
    while time.time() < ends:
        if pace.take(2, seconds=0.5):
            found.append(time.time())
threads = [threading.Thread(target=work) for _ in range(6)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print(json.dumps(found))
"""


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    connect(timeout=1).delete(pace.KEY, pace.WAITING)
    pace.forget()
    yield
    pace.forget()


def most_in_a_second(times: list[float]) -> int:
    times = sorted(times)
    return max(sum(1 for other in times if at <= other < at + 1.0) for at in times)


def test_several_processes_with_several_threads_keep_to_it_together() -> None:
    command = [sys.executable, "-c", WORKER, django_settings.REDIS_URL, "4"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.test"}
    workers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=environment) for _ in range(2)]

    times = [at for worker in workers for at in json.loads(worker.communicate()[0])]

    assert most_in_a_second(times) <= 20
    seconds = max(times) - min(times)
    assert len(times) / seconds > 12, "it is slower than it has to be"


def taken(ranks: dict[int, int], seconds: float) -> list[int]:
    """Let so many threads of each rank take turns; return the ranks in the order in which they got one."""
    order: list[int] = []
    ends = time.monotonic() + seconds

    def work(rank: int) -> None:
        while time.monotonic() < ends:
            if pace.take(rank, seconds=ends - time.monotonic()):
                order.append(rank)

    threads = [threading.Thread(target=work, args=(rank,)) for rank, count in ranks.items() for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return order


def test_the_urgent_goes_first() -> None:
    bulk: list[float] = []
    ends = time.monotonic() + 2.5

    def flood() -> None:
        while time.monotonic() < ends:
            if pace.take(Priority.BULK, seconds=0.5):
                bulk.append(time.monotonic())

    threads = [threading.Thread(target=flood) for _ in range(12)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    waits = []
    for _ in range(5):
        began = time.monotonic()
        assert pace.take(Priority.SAVE, seconds=2)
        waits.append(time.monotonic() - began)
        time.sleep(0.2)
    for thread in threads:
        thread.join()

    assert sorted(waits)[2] < 0.2, waits
    assert max(waits) < 0.6, waits


def test_whoever_waits_for_something_urgent_has_all_turns_meanwhile() -> None:
    order = taken({Priority.SAVE: 4, Priority.BULK: 4}, 1.5)

    assert order.count(Priority.SAVE) > 15
    assert order.count(Priority.BULK) <= 3  # the first one, and the last when nobody urgent waits any more


def test_of_equals_the_first_to_come_is_the_first_to_go() -> None:
    order: list[int] = []

    def work(number: int) -> None:
        if pace.take(Priority.STAMP, seconds=5):
            order.append(number)

    assert pace.take(Priority.STAMP, seconds=1)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
        time.sleep(0.003)
    for thread in threads:
        thread.join()

    assert order == sorted(order)
    assert len(order) == 12


def test_one_that_waited_and_went_away_stops_nobody() -> None:
    assert pace.take(Priority.BULK, seconds=1)
    assert not pace.take(Priority.SAVE, seconds=0)
    time.sleep(0.1)

    began = time.monotonic()
    assert pace.take(Priority.BULK, seconds=1)
    assert time.monotonic() - began < 0.5


def test_who_waits_too_long_gives_up() -> None:
    assert pace.take(Priority.STAMP, seconds=1)

    assert not pace.take(Priority.STAMP, seconds=0.01)


def test_a_clock_that_was_set_back_does_not_stop_it() -> None:
    connect(timeout=1).set(pace.KEY, str(int((time.time() + 3600) * 1_000_000)))

    assert pace.take(Priority.STAMP, seconds=1)


def test_without_redis_it_is_slow_and_goes_on(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nobody-listens-here"
    pace.forget()
    began, times = time.monotonic(), []
    while time.monotonic() - began < 1.5:
        if pace.take(Priority.STAMP, seconds=1):
            times.append(time.monotonic())

    assert 3 <= len(times) <= 8
