"""Google's Wallet API: insert, read and change classes and objects, with every answer judged."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import requests
from django.conf import settings
from django.utils import timezone
from requests.adapters import HTTPAdapter

from wallets.providers.base import Answer, Verdict
from wallets.providers.google.credentials import ServiceAccount
from wallets.providers.google.tokens import NoToken, TokenSource

CLASS, OBJECT = "loyaltyClass", "loyaltyObject"
CONNECT_SECONDS, READ_SECONDS = 3.05, 10.0
CONNECTIONS = 32
REASON_LENGTH = 1000
LONGEST_PAUSE = 300
# A 403 that is about how many requests there were, not about who sent them.
TOO_MANY = ("ratelimit", "rate_limit", "quota", "resource_exhausted")
NOTIFIED_TOO_OFTEN = "quotaexceeded"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the judged answer and, when it was accepted, the resource as Google holds it.

    notified_too_often: the change is fine, but its notification would be one too many for this pass today.
    """

    answer: Answer
    body: dict[str, Any] = field(default_factory=dict)
    notified_too_often: bool = False

    @property
    def accepted(self) -> bool:
        """Whether Google took it."""
        return self.answer.verdict is Verdict.ACCEPTED

    @property
    def missing(self) -> bool:
        """Whether Google does not know the thing."""
        return self.answer.status == 404

    @property
    def exists(self) -> bool:
        """Whether Google has the thing already."""
        return self.answer.status == 409


class Client:
    """One account at one address. Threads share it; connections stay open between requests."""

    def __init__(self, account: ServiceAccount, base: str) -> None:
        self.account, self._root = account, f"{base}/walletobjects/v1"
        self._session = requests.Session()
        # Nothing of one request may stick to the next: threads share the session.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=CONNECTIONS))
        self.tokens = TokenSource(account, self._session)

    def get(self, kind: str, name: str) -> Reply:
        """Read a class or an object."""
        return self._send("GET", f"{kind}/{quote(name, safe='')}", None, READ_SECONDS)

    def insert(self, kind: str, body: dict[str, Any], *, seconds: float = READ_SECONDS) -> Reply:
        """Make a class or an object, waiting so long for the answer; `exists` when it is there already."""
        return self._send("POST", kind, body, seconds)

    def patch(self, kind: str, name: str, changes: dict[str, Any], *, seconds: float = READ_SECONDS) -> Reply:
        """Change what is named, None clears; `missing` when it is not there."""
        return self._send("PATCH", f"{kind}/{quote(name, safe='')}", changes, seconds)

    def close(self) -> None:
        """Close the connections that are open and idle."""
        self._session.close()

    def _send(self, method: str, path: str, body: dict[str, Any] | None, seconds: float) -> Reply:
        reply = self._once(method, path, body, seconds)
        if reply.answer.status == 401 and reply.answer.verdict is Verdict.BLOCKED:
            # A token may end before its time; a second refusal is about the account.
            reply = self._once(method, path, body, seconds)
        return reply

    def _once(self, method: str, path: str, body: dict[str, Any] | None, seconds: float) -> Reply:
        try:
            token = self.tokens.token()
            response = self._session.request(
                method, f"{self._root}/{path}", json=body, auth=_bearer(token),
                timeout=(min(CONNECT_SECONDS, seconds), seconds), allow_redirects=False,
            )  # fmt: skip
        except NoToken as error:
            return Reply(error.answer)
        except requests.RequestException as error:
            return Reply(Answer(Verdict.RETRY, f"{method} {path.partition('/')[0]}: {type(error).__name__}"))
        if response.status_code == 401:
            self.tokens.drop(token)
        return judge(response, notifying=bool(body and "notifyPreference" in body))


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """Say who we are. As `auth`, because a netrc file on the machine would replace a mere header."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return sign


def judge(response: requests.Response, *, notifying: bool = False) -> Reply:
    """Say what an answer means: taken, try again, never, or not with this account."""
    status, words = response.status_code, response.text[:REASON_LENGTH]
    if 200 <= status < 300:
        try:
            body = response.json()
        except ValueError:
            return Reply(Answer(Verdict.RETRY, "the answer is not JSON", status))
        return Reply(Answer(Verdict.ACCEPTED, status=status), body if isinstance(body, dict) else {})
    low = words.lower()
    if notifying and 400 <= status < 500 and NOTIFIED_TOO_OFTEN in low.replace(" ", ""):
        return Reply(Answer(Verdict.REFUSED, words, status), notified_too_often=True)
    return Reply(Answer(_verdict(status, low), words, status, _retry_after(response)))


def _verdict(status: int, words: str) -> Verdict:
    if status in (408, 425, 429) or status >= 500 or status < 400:
        return Verdict.RETRY
    if status == 403 and any(word in words for word in TOO_MANY):
        return Verdict.RETRY
    return Verdict.BLOCKED if status in (401, 403) else Verdict.REFUSED


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal():
        return float(min(int(text), LONGEST_PAUSE))
    try:
        seconds = (parsedate_to_datetime(text) - timezone.now()).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_PAUSE)


_lock = threading.Lock()
_clients: dict[tuple[int, str, str], Client] = {}


def connect(account: ServiceAccount) -> Client:
    """Return this process's client of an account, made at the first use and anew when the account changes."""
    key = (os.getpid(), account.fingerprint, settings.LOYALTY_GOOGLE_API_BASE)
    with _lock:
        if key not in _clients:
            _close_all()
            _clients[key] = Client(account, settings.LOYALTY_GOOGLE_API_BASE)
        return _clients[key]


def disconnect() -> None:
    """Close this process's connections to Google; the next request opens new ones."""
    with _lock:
        _close_all()


def _close_all() -> None:
    for old in _clients.values():
        old.close()
    _clients.clear()
