"""A fake of Apple's push service: HTTP/2 with TLS and a required client certificate, and faults on command.

Written on the protocol library, in a thread of its own (or, as a program, in a process of its own for measurements).
"""

import argparse
import asyncio
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded
from h2.exceptions import H2Error
from h2.settings import SettingCodes

START_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Push:
    """A push that was taken."""

    token: str
    topic: str
    headers: dict[str, str]
    body: bytes
    at: float
    connection: int
    status: int


@dataclass(slots=True)
class Fault:
    """What a token is answered, so many times (None: always). silent: nothing at all."""

    status: int = 200
    reason: str = ""
    timestamp: int | None = None
    retry_after: int | None = None
    times: int | None = None
    silent: bool = False
    latency: float | None = None


@dataclass
class FakeApns:
    """The server. Use it as a context manager; `url` is what LOYALTY_APPLE_APNS_URL is set to.

    latency: seconds until an answer. topics: pass types whose certificate may push (None: whatever the header says).
    hooks: called with the token of a push that was taken, by token ("" for all), in a thread of its own.
    goodbye_after: after so many pushes on a connection a GOAWAY; `abrupt`: it forgets the last ones that came before.
    """

    certificate: Path
    key: Path
    client_ca: Path
    host: str = "127.0.0.1"
    port: int = 0
    latency: float = 0.0
    most_streams: int = 1000
    topics: frozenset[str] | None = None
    goodbye_after: int | None = None
    hooks: dict[str, Callable[[str], Any]] = field(default_factory=dict)
    pushes: list[Push] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    opened: int = 0
    refused_handshakes: int = 0
    silent: bool = False
    keeps: bool = True

    def __post_init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None
        self._lines: set[Line] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base address."""
        return f"https://{self.host}:{self.port}"

    @property
    def tokens(self) -> list[str]:
        """The tokens of the pushes that were accepted, in order."""
        return [push.token for push in self.pushes if push.status == 200]

    def start(self) -> None:
        """Listen, in a thread."""
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve(started.set)), daemon=True)
        self._thread.start()
        assert started.wait(START_SECONDS)

    def stop(self) -> None:
        """Close every connection and end; the port is kept for another `start`."""
        loop, thread = self._loop, self._thread
        if loop is not None and thread is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._ending.set)
            thread.join(START_SECONDS)
        self._loop = self._thread = None

    def answer(self, token: str, status: int = 200, reason: str = "", **how: Any) -> None:
        """Answer a token in another way from now on ("" stands for every token); see Fault."""
        self._faults[token] = Fault(status, reason, **how)

    def heal(self) -> None:
        """Forget all faults."""
        self._faults.clear()
        self.silent, self.goodbye_after, self.topics = False, None, None

    def say_goodbye(self, *, taken: bool = True) -> None:
        """Send GOAWAY on all connections now: what was taken is answered (or, not `taken`, nothing was)."""
        assert self._loop is not None
        for line in list(self._lines):
            self._loop.call_soon_threadsafe(line.say_goodbye, taken)

    def cut(self) -> None:
        """Cut all connections without a word."""
        assert self._loop is not None
        for line in list(self._lines):
            self._loop.call_soon_threadsafe(line.cut)

    async def serve(self, started: Callable[[], Any]) -> None:
        """Listen until `stop`."""
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(self._heard_exception)
        self._server = await self._loop.create_server(
            lambda: Line(self), self.host, self.port, ssl=self._context(), reuse_port=True
        )
        self.port = self._server.sockets[0].getsockname()[1]
        started()
        await self._ending.wait()
        self._server.close()
        for line in list(self._lines):
            line.cut()
        await asyncio.sleep(0)

    def fault_of(self, token: str) -> Fault:
        """Return what a token is answered now, and count it down."""
        for name in (token, ""):
            fault = self._faults.get(name)
            if fault is not None and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return Fault()

    def took(self, push: Push) -> None:
        """Write a push down and call who waits for it."""
        self.answers[push.status] += 1
        if self.keeps:
            self.pushes.append(push)
        if push.status != 200:
            return
        for name in (push.token, ""):
            if name in self.hooks:
                threading.Thread(target=self.hooks[name], args=(push.token,), daemon=True).start()

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        context.load_verify_locations(self.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["h2"])
        return context

    def _heard_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(context.get("exception"), ssl.SSLError):
            self.refused_handshakes += 1


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: FakeApns) -> None:
        self._server, self._transport = server, None
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._requests: dict[int, tuple[dict[str, str], bytearray]] = {}
        self._last = self._count = 0
        self._leaving = False
        self._open = 0
        self.number = 0
        self.topic = ""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._server.opened += 1
        self.number = self._server.opened
        self._server._lines.add(self)
        subject = dict(pair[0] for pair in transport.get_extra_info("peercert")["subject"])
        self.topic = subject.get("userId", "")
        self._h2.initiate_connection()
        self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: self._server.most_streams})
        self._h2.increment_flow_control_window(2**30)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._lines.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        try:
            events = self._h2.receive_data(data)
        except H2Error:
            self._flush()
            self.cut()
            return
        for event in events:
            if isinstance(event, RequestReceived):
                headers = {str(name): str(value) for name, value in event.headers}
                self._requests[event.stream_id] = (headers, bytearray())
            elif isinstance(event, DataReceived):
                self._requests[event.stream_id][1].extend(event.data)
            elif isinstance(event, StreamEnded) and event.stream_id is not None:
                self._take(event.stream_id)
            elif isinstance(event, ConnectionTerminated):
                self.cut()
        self._flush()

    def say_goodbye(self, taken: bool) -> None:
        """Send GOAWAY: the streams that came are answered, or none of them."""
        if self._transport is None or self._leaving:
            return
        self._leaving = True
        frame = (self._last if taken else 0).to_bytes(4, "big") + int(ErrorCodes.NO_ERROR).to_bytes(4, "big")
        # Written by hand: the library would close its own side of the connection, too.
        self._transport.write(len(frame).to_bytes(3, "big") + b"\x07\x00" + bytes(4) + frame)
        if not taken:
            self._open = 0
        self._end_when_done()

    def cut(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, stream: int) -> None:
        if self._leaving:
            return
        self._last, self._count = stream, self._count + 1
        headers, body = self._requests.pop(stream)
        token = headers[":path"].removeprefix("/3/device/")
        fault = self._server.fault_of(token)
        if self._server.silent or fault.silent:
            return
        self._open += 1
        status, reason = self._judge(headers, fault)
        latency = self._server.latency if fault.latency is None else fault.latency
        push = Push(token, headers.get("apns-topic", ""), headers, bytes(body), time.time(), self.number, status)
        answer = (stream, push, reason, fault)
        if latency:
            asyncio.get_running_loop().call_later(latency, self._answer, *answer)
        else:
            self._answer(*answer)
        if self._server.goodbye_after and self._count >= self._server.goodbye_after:
            self.say_goodbye(True)

    def _judge(self, headers: dict[str, str], fault: Fault) -> tuple[int, str]:
        if headers.get(":method") != "POST":
            return 405, "MethodNotAllowed"
        if not headers[":path"].startswith("/3/device/"):
            return 404, "BadPath"
        allowed = self._server.topics
        if headers.get("apns-topic") != self.topic or (allowed is not None and self.topic not in allowed):
            return 400, "TopicDisallowed"
        return fault.status, fault.reason

    def _answer(self, stream: int, push: Push, reason: str, fault: Fault) -> None:
        if self._transport is None:
            return
        said: dict[str, Any] = {"reason": reason} if reason else {}
        if fault.timestamp is not None:
            said["timestamp"] = fault.timestamp
        headers = [(":status", str(push.status)), ("apns-id", f"{self.number}-{stream}")]
        if fault.retry_after is not None:
            headers.append(("retry-after", str(fault.retry_after)))
        with suppress(H2Error):
            self._h2.send_headers(stream, headers, end_stream=not said)
            if said:
                self._h2.send_data(stream, json.dumps(said).encode(), end_stream=True)
            self._server.took(push)
        self._open -= 1
        self._flush()
        self._end_when_done()

    def _end_when_done(self) -> None:
        if self._leaving and self._open <= 0 and self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        if self._transport is not None:
            data = self._h2.data_to_send()
            if data:
                self._transport.write(data)


def main() -> None:
    """Serve until the standard input ends; prints the port. For measurements: counts, keeps nothing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--client-ca", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    options = parser.parse_args()
    with FakeApns(**vars(options), keeps=False) as server:
        print(server.port, flush=True)
        input()
        print(json.dumps(server.answers), flush=True)


if __name__ == "__main__":
    with suppress(EOFError):
        main()
