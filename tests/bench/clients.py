"""Connections that stamp: raw sockets kept alive, in processes of their own, so that the clients cost little."""

import json
import multiprocessing
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from uuid import uuid4

PROCESSES = 2
HEAD_END = b"\r\n\r\n"
ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where to stamp, with which key, on which cards."""

    host: str
    port: int
    api_key: str
    cards: tuple[str, ...]


@dataclass(slots=True)
class Measured:
    """What the clients saw: how many answers of each status, and how long each took, in seconds."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    reconnects: int = 0

    @property
    def rate(self) -> float:
        """Stamps a second."""
        return self.statuses[201] / self.seconds

    def percentile(self, percent: float) -> float:
        """Return a percentile of the times, in milliseconds."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000 if ordered else 0.0


def run(target: Target, *, connections: int, seconds: float, rate: float | None = None) -> Measured:
    """Stamp for some seconds on all connections at once: as fast as answers come, or at a rate in all.

    At a rate the time counts from the moment at which a stamp was due, so that a stall shows in every one behind it.
    """
    share = connections // PROCESSES
    jobs = [
        (target, target.cards[number::PROCESSES], share, seconds, rate / PROCESSES if rate else None)
        for number in range(PROCESSES)
    ]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        found = pool.starmap(_work, jobs)
    total = Measured(seconds=sum(part.seconds for part in found) / PROCESSES)
    for part in found:
        total.statuses.update(part.statuses)
        total.times += part.times
        total.reconnects += part.reconnects
    return total


class _Connection:
    """One connection: a request in flight, and when it was due."""

    def __init__(self, target: Target, cards: Iterator[str], due: float) -> None:
        self.target, self.cards, self.due = target, cards, due
        self.request, self.received, self.busy = b"", b"", False
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection((self.target.host, self.target.port), ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self) -> None:
        body = json.dumps({"card_id": next(self.cards)}).encode()
        head = (
            f"POST /api/v1/store/loyalty/stamp HTTP/1.1\r\nHost: {self.target.host}:{self.target.port}\r\n"
            f"Authorization: Bearer {self.target.api_key}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: bench-{uuid4()}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.request, self.received, self.busy = head.encode() + body, b"", True
        self.socket.sendall(self.request)

    def read(self) -> int | None:
        """Read what came; returns the status of a whole answer, 0 when the server hung up."""
        try:
            part = self.socket.recv(65536)
        except OSError:
            part = b""
        if not part:
            return 0
        self.received += part
        head, found, body = self.received.partition(HEAD_END)
        if not found:
            return None
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if len(body) < int(length or 0):
            return None
        self.busy = False
        return int(head.split(b" ", 2)[1])


def _work(target: Target, cards: tuple[str, ...], count: int, seconds: float, rate: float | None) -> Measured:
    measured, selector, endless = Measured(), selectors.DefaultSelector(), cycle(cards)
    began = time.perf_counter()
    pause = count / rate if rate else 0.0
    connections = [_Connection(target, endless, began + pause * number / count) for number in range(count)]
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    ends = began + seconds
    while (now := time.perf_counter()) < ends:
        idle = [connection for connection in connections if not connection.busy]
        for connection in idle:
            if connection.due <= now:
                connection.send()
        waits = [connection.due - now for connection in connections if not connection.busy]
        for key, _ in selector.select(max(0.0, min([*waits, ends - now]))):
            _answer(key.data, selector, measured, pause)
    measured.seconds = time.perf_counter() - began
    for connection in connections:
        connection.socket.close()
    return measured


def _answer(connection: Any, selector: selectors.BaseSelector, measured: Measured, pause: float) -> None:
    status = connection.read()
    if status is None:
        return
    now = time.perf_counter()
    if status == 0:  # a worker that was recycled: the same request again, with its key
        selector.unregister(connection.socket)
        connection.socket.close()
        connection.open()
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        measured.reconnects += 1
        if connection.busy:
            connection.received = b""
            connection.socket.sendall(connection.request)
        return
    measured.statuses[status] += 1
    measured.times.append(now - connection.due)
    connection.due = max(connection.due + pause, now) if not pause else connection.due + pause
