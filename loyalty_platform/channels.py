"""The way of Celery to the broker, with one fault of kombu's mended: a worker's master must outlive a lost broker.

What is asked of a channel after its connection was given up (to give an unfinished task back, to acknowledge a finished
one) ends in "'NoneType' object has no attribute 'hostname'", which nobody expects, and with it ends the master. That
the connection is lost is expected everywhere, so that is what is said.
"""

from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as ConnectionLost


class Channel(redis.Channel):
    """A channel that says so when its connection is gone."""

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if getattr(self.connection, "client", None) is None:
            raise ConnectionLost("The connection to the broker was given up.")
        parameters: dict[str, Any] = super()._connparams(asynchronous)  # type: ignore[misc]
        return parameters


class Transport(redis.Transport):
    """Kombu's own transport, made of these."""

    Channel = Channel
