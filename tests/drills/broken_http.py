"""Requests that are hardly HTTP, and clients that take their time: raw sockets, no library in between."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

STAMP = "/api/v1/store/loyalty/stamp"
SECONDS = 15.0
# Fewer than a web process has threads: by chance all of them may be at the same one.
SLOW_CLIENTS = 3
PATIENCE_SECONDS = 2.0


@dataclass
class Wire:
    """What was sent, what was wrong, how many stamps were acknowledged, and how long others waited for an answer."""

    sent: int = 0
    accepted: int = 0
    waited: float = 0.0
    faults: list[str] = field(default_factory=list)


def send_all(base: str, key: str, card: str) -> Wire:
    """Send everything once; an answer, if there is one, is below 500, and the site answers the next one."""
    found = Wire()
    for name, data in [*_heads(), *_bodies(key, card), *_large(key, card)]:
        found.sent += 1
        statuses = _exchange(base, data)
        found.accepted += statuses.count(201)
        if any(status >= 500 for status in statuses):
            found.faults.append(f"{name}: {statuses}")
        if _exchange(base, _get("/healthz")) != [200]:
            found.faults.append(f"after {name} the site does not answer")
    return found


def slow_clients(base: str, key: str, card: str, *, seconds: int) -> Wire:
    """Let some clients send a stamp byte by byte, and others one that never ends, while one more asks as usual."""
    found, body = Wire(sent=SLOW_CLIENTS), f'{{"card_id": "{card}"}}'.encode()
    ended: list[list[int]] = []

    def trickle(number: int) -> None:
        # Every second one never sends its last byte: it must cost nobody anything, and give no stamp.
        data = _post(key, body, f"slow-{number}-{time.monotonic()}")
        ended.append(_exchange(base, data, over=seconds, without_end=number % 2 == 1))

    threads = [threading.Thread(target=trickle, args=[number], daemon=True) for number in range(SLOW_CLIENTS)]
    deadline = time.monotonic() + seconds + 2 * SECONDS
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
        began = time.monotonic()
        if _exchange(base, _get("/healthz")) != [200]:
            found.faults.append("the site does not answer beside slow clients")
            break
        found.waited = max(found.waited, time.monotonic() - began)
        time.sleep(0.1)
    for thread in threads:
        thread.join(max(0.1, deadline - time.monotonic()))
    found.accepted = sum(statuses.count(201) for statuses in ended)
    if any(status >= 500 for statuses in ended for status in statuses):
        found.faults.append(f"slow clients: {ended}")
    if found.accepted != (SLOW_CLIENTS + 1) // 2 or found.waited > PATIENCE_SECONDS:
        found.faults.append(f"slow clients: {ended}, others waited {found.waited:.1f} s")
    return found


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()


def _post(key: str, body: bytes, name: str, *more: str, length: str | None = "") -> bytes:
    """Return a stamp's request; `length` is what it says of its body (None: nothing)."""
    lines = [f"POST {STAMP} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {key}", "Connection: close",
             "Content-Type: application/json", f"Idempotency-Key: {name}", *more]  # fmt: skip
    if length is not None:
        lines.append(f"Content-Length: {length or len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _heads() -> Iterator[tuple[str, bytes]]:
    """Request lines and headers that no client should send."""
    yield from {
        "nothing": b"\r\n\r\n", "noise": bytes(range(256)) + b"\r\n\r\n",
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "no host": b"GET /healthz HTTP/1.1\r\n\r\n", "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "foreign host": b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "host of nonsense": b"GET / HTTP/1.1\r\nHost: \xff[::::\r\nConnection: close\r\n\r\n",
        "HTTP/0.9": b"GET /\r\n", "HTTP/3.0": b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", "HTTP/x": b"GET / HTTP/x\r\n\r\n",
        "unknown method": b"FROB / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        "lower case": b"get / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        "trace": b"TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        "connect": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        "options": b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        "whole address": b"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        "space before colon": b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
        "folded": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: a\r\n b\r\nConnection: close\r\n\r\n",
        "bare CR": b"GET / HTTP/1.1\rHost: 127.0.0.1\r\r", "NUL in a header": b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
    }.items()  # fmt: skip
    for path in (
        "/\x00",
        "/%00",
        "/%ff",
        "//",
        "/../../etc/passwd",
        "/static/%2e%2e/%2e%2e/manage.py",
        "/media/..%2f",
        "/%",
        "/?%",
        "/\xff",
    ):
        yield f"path {path!r}", f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode("latin-1")


def _bodies(key: str, card: str) -> Iterator[tuple[str, bytes]]:
    """Lengths that lie, chunks that break, and two requests in one."""
    body = f'{{"card_id": "{card}"}}'.encode()
    chunked = "Transfer-Encoding: chunked"
    for name, length in {
        "negative": "-1",
        "huge": "9" * 30,
        "words": "many",
        "empty": " ",
        "sum": "1+1",
        "hex": "0x10",
    }.items():
        yield f"length {name}", _post(key, body, f"length-{name}", length=length)
    yield "more promised than sent", _post(key, body, "promised", length=str(len(body) + 100))
    yield "two lengths", _post(key, body, "two", f"Content-Length: {len(body) + 1}")
    yield "length and chunks", _post(key, b"0\r\n\r\n", "both", chunked)
    yield "chunks", _post(key, f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n", "chunks", chunked, length=None)
    for name, chunk in {"size": b"zz\r\nx\r\n0\r\n\r\n", "negative": b"-5\r\nhello\r\n0\r\n\r\n", "end": b"5\r\nhel",
                        "huge": b"f" * 40 + b"\r\nx\r\n", "none": b""}.items():  # fmt: skip
        yield f"chunk {name}", _post(key, chunk, f"chunk-{name}", chunked, length=None)
    yield "chunks twice", _post(key, b"0\r\n\r\n", "twice", chunked, chunked, length=None)
    yield "continue", _post(key, body, "continue", "Expect: 100-continue")
    yield "expect nonsense", _post(key, body, "expect", "Expect: a-miracle")
    yield "smuggled", _post(key, body + _post(key, body, "smuggled"), "carrier", length=str(len(body)))
    yield "pipelined", _get("/healthz").replace(b"Connection: close\r\n", b"") * 20


def _large(key: str, card: str) -> Iterator[tuple[str, bytes]]:
    """More than anybody reads."""
    yield "long line", b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    yield "long header", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: " + b"a" * 200_000 + b"\r\n\r\n"
    yield "many headers", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X-A: a\r\n" * 5000 + b"\r\n"
    ten = f'{{"card_id": "{card}", "order_reference": "'.encode() + b"x" * 10_000_000 + b'"}'
    yield "ten megabytes", _post(key, ten, "ten")
    yield (
        "ten megabytes in chunks",
        _post(key, b"%x\r\n" % len(ten) + ten + b"\r\n0\r\n\r\n", "chunked", "Transfer-Encoding: chunked", length=None),
    )
    yield "deep", _post(key, b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "deep")


def _exchange(base: str, data: bytes, *, over: float = 0.0, without_end: bool = False) -> list[int]:
    """Send bytes, all at once or one by one over some seconds, and return the statuses of what comes back."""
    at = urlsplit(base)
    try:
        connected = socket.create_connection((at.hostname, at.port), SECONDS)
    except OSError:
        return []
    with connected as line:
        try:
            if over:
                for number in range(len(data) - without_end):
                    line.sendall(data[number : number + 1])
                    time.sleep(over / len(data))
            else:
                line.sendall(data)
            if not without_end:
                line.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it hung up before the end, and what it said can still be read
        return [] if without_end else _statuses(line)


def _statuses(line: socket.socket) -> list[int]:
    received = b""
    try:
        while part := line.recv(65536):
            received += part
    except OSError:
        pass
    return [int(text[:3]) for text in received.split(b"HTTP/1.1 ")[1:] if text[:3].isdigit() and text[:3] != b"100"]
