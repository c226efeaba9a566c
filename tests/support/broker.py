"""What waits in the broker's queues, read as a worker would."""

import base64
import json
from dataclasses import dataclass
from typing import Any

import redis


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task that nobody has taken yet."""

    name: str
    kwargs: dict[str, Any]


def waiting(address: str, queue: str = "default") -> list[Waiting]:
    """Return the tasks of a queue, the first published first."""
    with redis.Redis.from_url(address) as client:
        raw = [json.loads(entry) for entry in client.lrange(queue, 0, -1)]
    found = []
    for message in reversed(raw):
        _args, kwargs, _options = json.loads(base64.b64decode(message["body"]))
        found.append(Waiting(message["headers"]["task"], kwargs))
    return found
