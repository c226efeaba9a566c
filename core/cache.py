"""The cache, which may vanish: without Redis nothing is remembered, and nobody waits or fails because of it.

What must hold without Redis does not come here: PIN counters and idempotency live in PostgreSQL.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

logger = logging.getLogger(__name__)
QUIET_SECONDS = 5.0
T = TypeVar("T")


class _OneClient(RedisCacheClient):
    """Makes one client instead of one for each command, which takes longer than the command itself.

    LOCATION names one server: with several it would depend on what is asked.
    """

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """Return the client; its pool hands each thread a connection of its own."""
        if (found := getattr(self, "_made", None)) is None:
            found = self._made = super().get_client(key, write=write)
        return found


class ForgivingRedisCache(RedisCache):
    """Redis as Django's cache; while it is away reads find nothing, and writes are forgotten."""

    _away_until = 0.0

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _OneClient

    def _try(self, work: Callable[[], T], otherwise: T) -> T:
        if time.monotonic() < self._away_until:
            return otherwise
        try:
            return work()
        except (redis.RedisError, OSError) as problem:
            logger.warning("cache away: %s", problem)
            self._away_until = time.monotonic() + QUIET_SECONDS
            return otherwise

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        """Store a value that is not there; without Redis it counts as stored."""
        return self._try(lambda: bool(super(ForgivingRedisCache, self).add(key, value, *args, **kwargs)), True)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return a value, or the default."""
        return self._try(lambda: super(ForgivingRedisCache, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        """Store a value."""
        self._try(lambda: super(ForgivingRedisCache, self).set(key, value, *args, **kwargs), None)

    def touch(self, key: Any, *args: Any, **kwargs: Any) -> bool:
        """Prolong a value's life."""
        return self._try(lambda: bool(super(ForgivingRedisCache, self).touch(key, *args, **kwargs)), False)

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Forget a value."""
        return self._try(lambda: bool(super(ForgivingRedisCache, self).delete(key, version)), False)

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        """Return those values that are there."""
        return self._try(lambda: dict(super(ForgivingRedisCache, self).get_many(keys, version)), {})

    def has_key(self, key: Any, version: int | None = None) -> bool:
        """Tell whether there is a value."""
        return self._try(lambda: bool(super(ForgivingRedisCache, self).has_key(key, version)), False)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Count up; without Redis the count starts anew each time."""
        return self._try(lambda: int(super(ForgivingRedisCache, self).incr(key, delta, version)), delta)

    def set_many(self, data: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """Store several values."""
        return self._try(lambda: list(super(ForgivingRedisCache, self).set_many(data, *args, **kwargs)), [])

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        """Forget several values."""
        self._try(lambda: super(ForgivingRedisCache, self).delete_many(keys, version), None)
