"""One connection of HTTP/2, for short requests, many at a time; written on the protocol library itself.

Its GOAWAY is the reason. A server that says it takes nothing new still answers what it took before, but the library
(and so every client built on it) regards the connection as closed then, and pushes that were delivered would be sent a
second time. Here that frame is read before the library sees it: what was taken is waited for, the rest is given back.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import H2Error
from hpack import NeverIndexedHeaderTuple

CONNECT_SECONDS = 5.0
# Before its settings are known, and however many a server would allow.
MOST_STREAMS = 200
HEAD, GOAWAY = 9, 7
BODY = b"{}"


class NotTaken(ConnectionError):
    """The server has surely not acted on this request: send it on another connection."""


class ConnectionFault(ConnectionError):
    """The connection ended before the answer; the request may have been taken."""


class CertificateRefused(ConnectionError):
    """The server ended the handshake because of our certificate; the text is its alert."""


@dataclass(slots=True)
class Response:
    """An answer: header names are in small letters."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Connection(asyncio.Protocol):
    """A connection to one server. `usable` says whether it takes new requests."""

    def __init__(self, authority: str) -> None:
        loop = asyncio.get_running_loop()
        config = H2Configuration(
            client_side=True, header_encoding=None, validate_outbound_headers=False,
            normalize_outbound_headers=False, validate_inbound_headers=False, normalize_inbound_headers=False,
        )  # fmt: skip
        self._h2 = H2Connection(config=config)
        self._authority = authority.encode()
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, tuple[asyncio.Future[Response], Response]] = {}
        self._ready: asyncio.Future[None] = loop.create_future()
        self._ping: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._rest = b""
        self._flush_due = self._draining = False
        self._lost: Exception | None = None
        self.heard_at = time.monotonic()
        self._listeners: dict[type[events.Event], Callable[[Any], None]] = {
            events.ResponseReceived: self._hear_headers, events.DataReceived: self._hear_data,
            events.StreamEnded: self._hear_end, events.StreamReset: self._hear_reset,
            events.RemoteSettingsChanged: self._hear_settings, events.WindowUpdated: self._hear_window,
            events.PingAckReceived: self._hear_ping,
        }  # fmt: skip

    @classmethod
    async def open(cls, host: str, port: int, context: ssl.SSLContext) -> "Connection":
        """Connect and wait for the server's settings; raises CertificateRefused, or what connecting raises."""
        loop = asyncio.get_running_loop()
        authority = host if port == 443 else f"{host}:{port}"
        async with asyncio.timeout(CONNECT_SECONDS):
            _, connection = await loop.create_connection(
                lambda: cls(authority), host, port, ssl=context, server_hostname=host
            )
            try:
                await connection._ready
            except BaseException:
                connection.close()
                raise
        return connection

    @property
    def usable(self) -> bool:
        """Whether new requests are taken."""
        return self._lost is None and not self._draining

    @property
    def capacity(self) -> int:
        """How many requests may be under way at once."""
        return max(1, min(self._h2.remote_settings.max_concurrent_streams, MOST_STREAMS))

    def retire(self) -> None:
        """Take nothing new; what is under way is still answered, then the connection ends."""
        self._draining = True
        self._room.set()
        self._close_when_done()

    def close(self) -> None:
        """End it now; what is under way fails."""
        self._fail(ConnectionFault("closed"))
        if self._transport is not None:
            self._transport.abort()

    async def alive(self, seconds: float) -> bool:
        """Tell whether the server answers a ping in time."""
        if not self.usable:
            return False
        self._ping = asyncio.get_running_loop().create_future()
        self._h2.ping(b"loyalty!")
        self._flush()
        try:
            async with asyncio.timeout(seconds):
                await self._ping
        except (TimeoutError, ConnectionError):
            return False
        return self.usable

    async def post(self, path: str, headers: Mapping[str, str], *, seconds: float) -> Response:
        """Send a request and wait for its answer. Raises NotTaken, ConnectionFault, or TimeoutError.

        An answer that does not come leaves the connection to the others, unless nothing at all came meanwhile.
        """
        sent_at = time.monotonic()
        stream = await self._send(path, headers)
        answer = self._waiting[stream][0]
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            if self.heard_at < sent_at:
                self.close()
            elif stream in self._waiting:
                self._h2.reset_stream(stream, ErrorCodes.CANCEL)
                self._flush()
            raise
        finally:
            self._waiting.pop(stream, None)
            self._room.set()
            self._close_when_done()

    async def _send(self, path: str, headers: Mapping[str, str]) -> int:
        while self.usable and not self._has_room():
            self._room.clear()
            await self._room.wait()
        if not self.usable:
            raise NotTaken("the connection takes nothing new")
        try:
            stream = self._h2.get_next_available_stream_id()
            self._h2.send_headers(stream, [
                (b":method", b"POST"), (b":scheme", b"https"), (b":authority", self._authority),
                NeverIndexedHeaderTuple(b":path", path.encode()),
                *((name.encode(), value.encode()) for name, value in headers.items()),
            ])  # fmt: skip
            self._h2.send_data(stream, BODY, end_stream=True)
        except H2Error as error:
            self.retire()
            raise NotTaken(str(error)) from error
        self._waiting[stream] = (asyncio.get_running_loop().create_future(), Response())
        if not self._flush_due:
            # Requests of one turn of the loop leave in one piece.
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)
        return stream

    def _has_room(self) -> bool:
        return len(self._waiting) < self.capacity and self._h2.outbound_flow_control_window >= len(BODY)

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to speak HTTP/2, or refuse a server that does not."""
        self._transport = cast(asyncio.Transport, transport)
        spoken = transport.get_extra_info("ssl_object")
        if spoken is not None and spoken.selected_alpn_protocol() != "h2":
            self._fail(ConnectionFault("the server does not speak HTTP/2"))
            self._transport.abort()
            return
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take in whole frames; the one that says goodbye is read here."""
        self.heard_at = time.monotonic()
        data = self._rest + data
        start = position = 0
        goodbyes: list[bytes] = []
        while len(data) - position >= HEAD:
            end = position + HEAD + int.from_bytes(data[position : position + 3], "big")
            if end > len(data):
                break
            if data[position + 3] == GOAWAY:
                self._feed(data[start:position])
                goodbyes.append(data[position + HEAD : end])
                start = end
            position = end
        self._feed(data[start:position])
        self._rest = data[position:]
        for payload in goodbyes:
            self._goodbye(payload)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who still waits."""
        if isinstance(exc, ssl.SSLError) and "ALERT" in (exc.reason or ""):
            self._fail(CertificateRefused(exc.reason))
        else:
            self._fail(ConnectionFault(repr(exc) if exc else "the server closed the connection"))

    def _feed(self, frames: bytes) -> None:
        if not frames or self._lost is not None:
            return
        try:
            for event in self._h2.receive_data(frames):
                listener = self._listeners.get(type(event))
                if listener is not None:
                    listener(event)
        except H2Error as error:
            self._fail(ConnectionFault(repr(error)))
            if self._transport is not None:
                self._transport.abort()

    def _hear_headers(self, event: events.ResponseReceived) -> None:
        response = self._waiting[event.stream_id][1] if event.stream_id in self._waiting else Response()
        for name, value in event.headers or ():
            if name == b":status":
                response.status = int(value)
            else:
                response.headers[bytes(name).decode("latin-1").lower()] = bytes(value).decode("latin-1")

    def _hear_data(self, event: events.DataReceived) -> None:
        if event.flow_controlled_length:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if event.stream_id in self._waiting:
            self._waiting[event.stream_id][1].body += event.data

    def _hear_end(self, event: events.StreamEnded) -> None:
        future, response = self._waiting.get(event.stream_id, (None, None))
        if future is not None and response is not None and not future.done():
            future.set_result(response)

    def _hear_reset(self, event: events.StreamReset) -> None:
        refused = event.error_code == ErrorCodes.REFUSED_STREAM
        self._fail_one(event.stream_id, NotTaken("refused") if refused else ConnectionFault("reset"))

    def _hear_settings(self, event: events.Event) -> None:
        if not self._ready.done():
            self._ready.set_result(None)
        self._room.set()

    def _hear_window(self, event: events.Event) -> None:
        self._room.set()

    def _hear_ping(self, event: events.Event) -> None:
        if self._ping is not None and not self._ping.done():
            self._ping.set_result(None)

    def _goodbye(self, payload: bytes) -> None:
        """Give back what the server did not take; what it took is still answered."""
        last = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
        self._draining = True
        for stream in [stream for stream in self._waiting if stream > last]:
            self._fail_one(stream, NotTaken("the server said goodbye before"))
        self._room.set()
        self._close_when_done()

    def _flush(self) -> None:
        self._flush_due = False
        if self._transport is not None and not self._transport.is_closing():
            data = self._h2.data_to_send()
            if data:
                self._transport.write(data)

    def _fail_one(self, stream: int, error: Exception) -> None:
        future = self._waiting[stream][0] if stream in self._waiting else None
        if future is not None and not future.done():
            future.set_exception(error)

    def _fail(self, error: Exception) -> None:
        if self._lost is not None:
            return
        self._lost = error
        for stream in list(self._waiting):
            self._fail_one(stream, error)
        for future in (self._ready, self._ping):
            if future is not None and not future.done():
                future.set_exception(error)
        if self._ready.done() and not self._ready.cancelled():
            self._ready.exception()  # nobody may be waiting for it any more
        self._room.set()

    def _close_when_done(self) -> None:
        if self._draining and not self._waiting and self._transport is not None:
            self._transport.close()
