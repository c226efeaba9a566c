"""Counts real round trips to PostgreSQL: how often the client sent something and then waited for an answer.

libpq writes down every message of the protocol as it is sent (F) and read (B). Whatever was sent before the next answer
is read is one trip: a pipeline of ten statements is one, BEGIN and COMMIT on their own are one each.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection
from psycopg import pq


@dataclass
class Trips:
    """The messages of each trip, in order: what was sent, by the protocol's names."""

    sent: list[list[str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sent)

    def __str__(self) -> str:
        return "\n".join(f"{number}: {' '.join(trip)}" for number, trip in enumerate(self.sent, 1))


@contextmanager
def counting() -> Iterator[Trips]:
    """Count the trips of Django's connection in this thread; read the result after the block."""
    connection.ensure_connection()
    wire, trips = connection.connection.pgconn, Trips()
    with tempfile.NamedTemporaryFile() as log:
        wire.trace(log.fileno())
        wire.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)
        try:
            yield trips
        finally:
            if connection.connection is None or connection.connection.pgconn is not wire:
                raise AssertionError("the connection was replaced while its trips were counted")
            wire.untrace()
        log.seek(0)
        trips.sent += _trips(log.read().decode(errors="replace"))


def _trips(trace: str) -> list[list[str]]:
    found: list[list[str]] = []
    reading = True
    for line in trace.splitlines():
        direction, _, rest = line.partition("\t")
        if direction == "F":
            if reading:
                found.append([])
            found[-1].append(_name(rest))
            reading = False
        elif direction == "B":
            reading = True
    return found


def _name(rest: str) -> str:
    """Return the message's name, and for a statement its first words."""
    parts = rest.split("\t")
    name = parts[1] if len(parts) > 1 else rest
    text = rest.partition('"')[2].lstrip().split("\\x0a")[0]
    words = " ".join(text.split()[:3]).strip('"') if name in ("Query", "Parse") else ""
    return f"{name}({words})" if words else name
