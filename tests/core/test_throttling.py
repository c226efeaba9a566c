"""Counting requests in a real Valkey, and what happens when it is away."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import time_machine

from core import throttling
from core.throttling import _Counter

AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def counter(monkeypatch: pytest.MonkeyPatch, broker: str) -> _Counter:
    """A counter of its own, since one per process remembers its client and its last failure."""
    made = _Counter()
    monkeypatch.setattr(throttling, "_counter", made)
    return made


@pytest.fixture
def frozen() -> Iterator[Any]:
    """The middle of a window, so that no test runs across its edge."""
    with time_machine.travel("2026-03-10T12:00:30Z", tick=False) as clock:
        yield clock


def hits(count: int, **options: Any) -> list[bool]:
    return [throttling.allow("test", **{"limit": 3, "period": 60, **options}) for _ in range(count)]


def test_it_works(frozen: Any) -> None:
    assert hits(5) == [True, True, True, False, False]


def test_the_next_window_begins_anew(frozen: Any) -> None:
    hits(5)
    frozen.shift(30)

    assert hits(1) == [True]


def test_subjects_are_counted_apart(frozen: Any) -> None:
    hits(5)

    assert throttling.allow("somebody-else", limit=1, period=60)


def test_the_setting_scales_every_limit(frozen: Any, settings: Any) -> None:
    settings.LOYALTY_THROTTLE_SCALE = 2

    assert hits(8) == [True] * 6 + [False] * 2


def test_counters_vanish_by_themselves(frozen: Any, broker: str) -> None:
    hits(1)
    with redis.Redis.from_url(broker) as client:
        [key] = client.keys("core:throttle:test:*")
        assert 60 < client.ttl(key) <= 120


def test_without_redis_reads_go_on_and_guesses_stop(settings: Any) -> None:
    settings.REDIS_URL = AWAY

    assert hits(5) == [True] * 5
    assert hits(5, closed_without_redis=True) == [False] * 5


def test_redis_is_left_alone_for_a_while_after_a_failure(settings: Any, broker: str, counter: _Counter) -> None:
    """Nobody waits for a server that is away more than once in five seconds."""
    settings.REDIS_URL = AWAY
    hits(1)
    settings.REDIS_URL, counter._client = broker, None

    assert hits(1, closed_without_redis=True) == [False]
    counter._away_until -= throttling.BREAKER_SECONDS
    assert hits(1, closed_without_redis=True) == [True]


def test_seconds_left(frozen: Any) -> None:
    assert throttling.seconds_left(60) == 30
    assert throttling.seconds_left(3600) == 3570


def told(broker: str) -> list[int]:
    """What Redis was told of each window."""
    with redis.Redis.from_url(broker) as client:
        return [int(client.get(key) or 0) for key in client.keys("core:throttle:test:*")]


def test_in_steps_one_process_meets_the_limit_exactly(frozen: Any) -> None:
    assert hits(1000, limit=600, in_steps=True) == [True] * 600 + [False] * 400


def test_in_steps_redis_is_asked_seldom_while_the_limit_is_far(
    frozen: Any, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    class Listening(_Counter):
        def hit(self, name: str, period: int, hits: int = 1) -> int | None:
            asked.append(hits)
            return super().hit(name, period, hits)

    monkeypatch.setattr(throttling, "_counter", Listening())
    hits(300, limit=600, in_steps=True)

    assert len(asked) <= 45
    assert told(broker) == [sum(asked)]
    assert 285 <= sum(asked) <= 300


def test_in_steps_small_limits_are_counted_one_by_one(frozen: Any, broker: str) -> None:
    assert hits(5, in_steps=True) == [True] * 3 + [False] * 2
    assert told(broker) == [5]


def test_in_steps_processes_together_pass_the_limit_by_a_few_at_most(frozen: Any, monkeypatch: Any) -> None:
    processes, passed = [_Counter() for _ in range(4)], 0
    for number in range(2000):
        monkeypatch.setattr(throttling, "_counter", processes[number % 4])
        passed += hits(1, limit=600, in_steps=True)[0]

    assert 600 <= passed <= 600 * 1.05


def test_in_steps_the_next_window_begins_anew(frozen: Any) -> None:
    assert hits(700, limit=600, in_steps=True)[-1] is False
    frozen.shift(30)

    assert hits(600, limit=600, in_steps=True) == [True] * 600


def test_in_steps_without_redis_it_goes_on(settings: Any) -> None:
    settings.REDIS_URL = AWAY

    assert hits(700, limit=600, in_steps=True) == [True] * 700


def test_in_steps_no_hit_of_a_thread_is_lost(frozen: Any) -> None:
    """Sixteen threads of one process, and the limit still holds within the steps that were on their way."""
    passed: list[int] = []
    threads = [
        threading.Thread(target=lambda: passed.append(sum(hits(100, limit=600, in_steps=True)))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 600 <= sum(passed) <= 600 + 32
