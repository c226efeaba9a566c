"""The cache in real Valkey, and while it is away."""

import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache

from core.cache import ForgivingRedisCache


def test_it_works() -> None:
    cache.set("a", 1, 30)
    assert cache.get("a") == 1
    assert cache.incr("a") == 2
    assert cache.add("a", 9) is False
    assert cache.get_many(["a", "b"]) == {"a": 2}
    assert cache.delete("a") is True
    assert cache.get("a", "gone") == "gone"


@pytest.fixture
def away(tmp_path: Path) -> ForgivingRedisCache:
    return ForgivingRedisCache(f"unix://{tmp_path}/nobody.sock", {})


def test_without_redis_nothing_is_remembered_and_nothing_fails(away: ForgivingRedisCache) -> None:
    away.set("a", 1)
    assert away.get("a", "gone") == "gone"
    assert away.add("a", 1) is True
    assert away.incr("a") == 1
    assert away.get_many(["a"]) == {}
    assert away.has_key("a") is False
    assert away.delete("a") is False
    assert away.set_many({"a": 1}) == []
    away.delete_many(["a"])


def test_without_redis_nobody_waits(away: ForgivingRedisCache) -> None:
    started = time.monotonic()
    for number in range(100):
        away.get(str(number))
    assert time.monotonic() - started < 1


def test_it_comes_back(away: ForgivingRedisCache) -> None:
    away.get("a")
    assert away._away_until > time.monotonic()
    back = ForgivingRedisCache(settings.CACHES["default"]["LOCATION"], {})
    back._away_until = time.monotonic() - 1
    back.set("a", 1)
    assert back.get("a") == 1
