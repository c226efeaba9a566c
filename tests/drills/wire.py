"""Browsers that speak real HTTP; their answers have the names of Django's, so that the suite's judges can read them."""

import http.client
import json
import threading
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

SECONDS = 30.0
CSRF = "d" * 32
JSON = "application/json"
# What stands in an address already goes as it is; everything else is written in percent.
PLAIN = "/:?&=%+~!$'()*,;@-._"


@dataclass(slots=True)
class Answer:
    """What came back. request: the address that was asked, as Django's test client keeps it."""

    status_code: int
    headers: http.client.HTTPMessage
    content: bytes
    request: dict[str, str]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a header."""
        return self.headers.get(name, default)

    def __getitem__(self, name: str) -> str:
        return str(self.headers.get(name, ""))

    def getvalue(self) -> bytes:
        """Return the body."""
        return self.content

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.content)

    @property
    def cookies(self) -> SimpleCookie:
        """Return the cookies that are set."""
        found: SimpleCookie = SimpleCookie()
        for text in self.headers.get_all("Set-Cookie") or []:
            found.load(text)
        return found


@dataclass
class Browser:
    """One caller: its cookies and headers go with every request, and so does the token against forgery."""

    base: str
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    name: str = ""
    forgery_token: bool = True

    def __post_init__(self) -> None:
        self._lines = threading.local()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request: bytes and text go as they are, a form as pairs in a list, everything else as JSON."""
        sent = {**self._usual(), **{name.replace("_", "-"): value for name, value in headers.items()}}
        data: bytes | None = None
        if isinstance(body, list) and all(isinstance(pair, tuple) for pair in body):
            data, kind = urlencode(body).encode(), "application/x-www-form-urlencoded"
        elif isinstance(body, bytes):
            data, kind = body, JSON
        elif body is not None:
            data, kind = (body if isinstance(body, str) else json.dumps(body, default=str)).encode(), JSON
        if data is not None:
            sent.setdefault("Content-Type", kind)
        return self._send(method, quote(path, safe=PLAIN), data, sent)

    def _usual(self) -> dict[str, str]:
        cookies = dict(self.cookies)
        sent = {"Accept": "*/*", "Accept-Language": "en", **self.headers}
        if self.forgery_token:
            cookies["csrftoken"], sent["X-CSRFToken"] = CSRF, CSRF
            if "X-Forwarded-Proto" in sent:
                sent["Referer"] = f"https://{sent['Host']}/"
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return sent

    def _send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Answer:
        asked = {"PATH_INFO": path.partition("?")[0], "QUERY_STRING": path.partition("?")[2]}
        for last in (False, True):
            line = getattr(self._lines, "line", None) or self._open()
            try:
                line.request(method, path, data, headers)
                answer = line.getresponse()
                return Answer(answer.status, answer.headers, answer.read(), asked)
            except (OSError, http.client.HTTPException):
                # The server hangs up on a line that was quiet, and on a body that it does not want to read.
                line.close()
                self._lines.line = None
                if last:
                    raise
        raise AssertionError

    def _open(self) -> http.client.HTTPConnection:
        at = urlsplit(self.base)
        self._lines.line = http.client.HTTPConnection(at.hostname or "", at.port, timeout=SECONDS)
        return self._lines.line  # type: ignore[no-any-return]
