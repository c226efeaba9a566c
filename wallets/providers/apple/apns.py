"""Apple's push service: tells devices that something of theirs changed. Only the production host knows passes.

One warm connection per process and credential, proved by the pass certificate. A push says nothing but "ask": the body
is empty, and which passes changed is asked for by the device.
"""

import asyncio
import json
import logging
import os
import ssl
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from queue import SimpleQueue
from typing import Any
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives import serialization
from django.conf import settings

from wallets.providers.apple import http2, identifiers
from wallets.providers.apple.credentials import Credential
from wallets.providers.apple.http2 import CertificateRefused, Connection, ConnectionFault, NotTaken
from wallets.providers.base import Verdict

logger = logging.getLogger(__name__)

# A batch ends before its rows count as left behind (services/queue.STALE), whatever the other side does or omits.
BATCH_SECONDS = 20.0
ANSWER_SECONDS = 10.0
IDLE_SECONDS, PING_SECONDS = 10.0, 1.0
MOST_TRIES = 20
LONGEST_TOKEN = 4096
REAL_HOST = "api.push.apple.com"
REASON_LENGTH = 200
BAD_TOKEN = "BadDeviceToken"  # noqa: S105 - Apple's word
# Besides every 403: the pass type and the certificate do not fit, so no push of ours is taken.
ABOUT_US = frozenset({"BadTopic", "MissingTopic", "TopicDisallowed"})


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one push. gone_since: since when the token is no device's, as Apple says, with Verdict.GONE.

    tried: whether it was sent; what was still to be sent when the credential was refused was not.
    """

    verdict: Verdict
    reason: str = ""
    status: int = 0
    retry_after: float | None = None
    gone_since: datetime | None = None
    tried: bool = True


# What came of pushes, by index, from the thread that talks to Apple; None when it has ended.
Heard = SimpleQueue[tuple[int, Told] | None]
UNSENT = Told(Verdict.RETRY, "there was no time left", tried=False)


def is_for(credential: Credential) -> bool:
    """Tell whether to push with a credential. Apple takes no chain but its own, and is not asked about others."""
    host = urlsplit(str(settings.LOYALTY_APPLE_APNS_URL)).hostname
    return host != REAL_HOST or identifiers.is_apples(credential.intermediate)


def push(credential: Credential, tokens: Sequence[str]) -> list[Told]:
    """Push to each token and return what came of each, in their order. Never inside a database transaction.

    Takes 20 seconds at most. The connection stays open for the next batch.
    """
    told = [UNSENT] * len(tokens)
    for part in pushing(credential, tokens):
        for index, each in part.items():
            told[index] = each
    return told


def pushing(credential: Credential, tokens: Sequence[str]) -> Iterator[dict[int, Told]]:
    """Push as `push` does, and yield what came of pushes, by their index, as soon as it is known: all of them once.

    While the caller writes one part down the next one gathers.
    """
    if not tokens:
        return
    heard: Heard = SimpleQueue()
    job = _hand().submit(_push, credential, tokens, heard)
    job.add_done_callback(lambda _done: heard.put(None))
    known: set[int] = set()
    try:
        while (part := _gathered(heard)) is not None:
            known |= part.keys()
            yield part
    finally:
        wait([job])
    rest = {index: told for index, told in enumerate(job.result()) if index not in known}
    if rest:
        yield rest


def _gathered(heard: Heard) -> dict[int, Told] | None:
    """Wait for an answer and return it with what else has come by then; None once there is nothing left to wait for."""
    part: dict[int, Told] = {}
    while (item := heard.get()) is not None:
        part[item[0]] = item[1]
        if heard.empty():
            return part
    # What stood before the end is a part of its own; the end is heard again after it.
    if part:
        heard.put(None)
        return part
    return None


def forget() -> None:
    """Close this process's connections."""
    _hand().submit(_close_all).result()


def _push(credential: Credential, tokens: Sequence[str], heard: Heard) -> list[Told]:
    runner, channels = _mine()
    url = str(settings.LOYALTY_APPLE_APNS_URL)
    key = (credential.fingerprint, url, str(settings.LOYALTY_APPLE_APNS_CA_PATH))
    if key not in channels:
        # Another certificate or another host: what was open with the old one is of no use any more.
        runner.run(_close(channels))
        try:
            channels[key] = Channel(credential, url)
        except OSError as error:  # also what the TLS library has to say about files
            logger.warning("no way to APNs: %r", error)
            return [Told(Verdict.RETRY, f"no way to APNs: {error!r}"[:REASON_LENGTH], tried=False)] * len(tokens)
    return runner.run(channels[key].push(tokens, heard))


def _close_all() -> None:
    runner, channels = _mine()
    runner.run(_close(channels))


def judge(response: http2.Response) -> Told:
    """Say what an answer means for the push, the token and the credential."""
    status, said = response.status, _said(response)
    reason = str(said.get("reason") or f"HTTP {status}")[:REASON_LENGTH]
    if status == 200:
        return Told(Verdict.ACCEPTED, status=status)
    if status == 410:
        return Told(Verdict.GONE, reason, status, gone_since=_moment(said.get("timestamp")))
    if status == 403 or (status == 400 and reason in ABOUT_US):
        return Told(Verdict.BLOCKED, reason, status)
    if status == 429 or status >= 500:
        return Told(Verdict.RETRY, reason, status, _retry_after(response.headers.get("retry-after", "")))
    return Told(Verdict.REFUSED, reason, status)


class Channel:
    """The way to Apple with one credential, and its connection once there is one."""

    def __init__(self, credential: Credential, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._prefix = f"{parts.path.rstrip('/')}/3/device/"
        self._headers = {
            "apns-topic": credential.pass_type_id, "apns-push-type": "background", "apns-priority": "5",
            "content-type": "application/json",
        }  # fmt: skip
        self._context = _context(credential)
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()

    async def push(self, tokens: Sequence[str], heard: Heard) -> list[Told]:
        """Push to all tokens at once, as many as the server takes; each answer is put into `heard` as it comes."""
        state = _Batch([UNSENT] * len(tokens), iter(enumerate(tokens)), heard)
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                # No more than the server takes at once: whoever waits for room does not hear that all is to stop.
                count = min((await self._try_to_open(state)), len(tokens))
                await asyncio.gather(*(self._work(state) for _ in range(count)))
        except TimeoutError:
            logger.warning("APNs did not answer all pushes in time")
        return [each if each is not UNSENT else state.fault or UNSENT for each in state.told]

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _work(self, state: "_Batch") -> None:
        for index, token in state.todo:
            if state.fault is not None:
                return
            try:
                state.told[index] = await self._push_one(token)
            except (OSError, TimeoutError) as error:
                state.fault = _no_connection(error)
            except Exception as error:  # whatever one token carries must not stop the others
                logger.exception("a push failed")
                state.told[index] = Told(Verdict.REFUSED, repr(error)[:REASON_LENGTH])
            if state.told[index] is not UNSENT:
                state.heard.put((index, state.told[index]))
            if state.told[index].verdict == Verdict.BLOCKED:
                state.fault = Told(Verdict.BLOCKED, state.told[index].reason, tried=False)

    async def _try_to_open(self, state: "_Batch") -> int:
        """Return how many pushes may be under way at once, 0 when there is no connection."""
        try:
            return (await self._open()).capacity
        except (OSError, TimeoutError) as error:
            state.fault = _no_connection(error)
            return 0

    async def _push_one(self, token: str) -> Told:
        """Push to one token; what surely was not taken, or was cut off once, is sent again over a new connection."""
        if not token or len(token) > LONGEST_TOKEN:
            return Told(Verdict.REFUSED, BAD_TOKEN, tried=False)
        path, cut_off = self._prefix + quote(token, safe=""), 0
        for _ in range(MOST_TRIES):
            connection = await self._open()
            try:
                response = await connection.post(path, self._headers, seconds=ANSWER_SECONDS)
            except NotTaken:
                continue
            except TimeoutError:
                return Told(Verdict.RETRY, "no answer in time")
            except ConnectionFault as error:
                cut_off += 1
                if cut_off > 1:
                    return Told(Verdict.RETRY, f"cut off: {error}"[:REASON_LENGTH])
                continue
            if response.status == 503:
                connection.retire()
            return judge(response)
        return Told(Verdict.RETRY, "no connection took it")

    async def _open(self) -> Connection:
        async with self._opening:
            known = self._connection
            idle = known is not None and time.monotonic() - known.heard_at > IDLE_SECONDS
            # What happened while nobody listened is heard now; a way that died silently does not answer.
            if known is not None and idle and not await known.alive(PING_SECONDS):
                known.close()
            if known is None or not known.usable:
                self._connection = known = await Connection.open(self._host, self._port, self._context)
            return known


@dataclass(slots=True)
class _Batch:
    told: list[Told]
    todo: Iterator[tuple[int, str]]
    heard: Heard
    fault: Told | None = None


class _Mine:
    """One thread per process with a loop of its own, which lives as long as its connections.

    A thread of its own, since the caller's may run a loop already. A forked process starts with none of it.
    """

    pid = 0
    hand: ThreadPoolExecutor
    runner: asyncio.Runner
    channels: dict[Any, Channel]


_kept = _Mine()


def _hand() -> ThreadPoolExecutor:
    """Return the thread that talks to Apple."""
    if _kept.pid != os.getpid():
        _kept.hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="apns")
        _kept.runner, _kept.channels, _kept.pid = asyncio.Runner(), {}, os.getpid()
    return _kept.hand


def _mine() -> tuple[asyncio.Runner, dict[Any, Channel]]:
    """Return the loop and the connections; in the thread that talks to Apple only."""
    return _kept.runner, _kept.channels


async def _close(channels: dict[Any, Channel]) -> None:
    for channel in channels.values():
        channel.close()
    channels.clear()
    await asyncio.sleep(0)


def _no_connection(error: Exception) -> Told:
    """Say what a connection that does not come about means: nobody has to find out once more in this batch."""
    if isinstance(error, CertificateRefused):
        return Told(Verdict.BLOCKED, f"the certificate was refused: {error}", tried=False)
    logger.warning("APNs cannot be reached: %r", error)
    return Told(Verdict.RETRY, f"no connection: {error!r}"[:REASON_LENGTH], tried=False)


def _context(credential: Credential) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(settings.LOYALTY_APPLE_APNS_CA_PATH) or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    with _as_file(credential) as path:
        context.load_cert_chain(path)
    return context


@contextmanager
def _as_file(credential: Credential) -> Iterator[str]:
    """Lay certificate, intermediate and key, as they were parsed, where the TLS library can read them.

    Not the configured files: they may be replaced one after the other just now.
    """
    pem = serialization.Encoding.PEM
    parts = [
        credential.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        credential.certificate.public_bytes(pem),
        credential.intermediate.public_bytes(pem),
    ]
    if hasattr(os, "memfd_create"):
        with open(os.memfd_create("credential"), "wb") as file:  # noqa: PTH123 - a descriptor, in memory only
            file.write(b"".join(parts))
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(parts))
        file.flush()
        yield file.name


def _said(response: http2.Response) -> dict[str, Any]:
    try:
        said = json.loads(response.body or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _moment(milliseconds: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _retry_after(text: str) -> float | None:
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
