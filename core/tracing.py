"""Which request, task and merchant a log line belongs to, and what no line may carry.

A line names the route, never the path: paths hold card codes and links that open something. What PostgreSQL says of a
row (its DETAIL) is cut, and addresses and credentials in a text are blotted out.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
NUMBER = re.compile(r"[0-9A-Za-z-]{8,64}")
# A route of ours that takes what no other one does, as core.metrics has it.
NOWHERE = "unmatched"
AFTER_A_ROW = r"\n(?:HINT|QUERY|CONTEXT): |\n\n(?:The above exception was|During handling of)|\nTraceback \(most recent"
BLOTS = (
    # "Failing row contains (…)", "Key (email)=(…) already exists", and where a COPY stood.
    # A name may hold line breaks and blank lines, so it ends only where one of the texts that may follow begins.
    (re.compile(rf"\n?(?:DETAIL|CONTEXT): .*?(?={AFTER_A_ROW}|\Z)", re.DOTALL), ""),
    # gunicorn's own: an address and its query, the first line as it came, whose machine it was.
    (re.compile(r"\A(Error handling request)\b.*", re.DOTALL), r"\1"),
    (re.compile(r"\A(Invalid request) from ip=\S*: ([\w /]*).*", re.DOTALL), r"\1: \2"),
    (re.compile(r"\b(Bearer|Card|ApplePass|Basic) +[\w.~+/=-]{20,}"), r"\1 …"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "…@…"),
    (re.compile(r"://[^/@\s]+@"), "://…@"),
    (re.compile(r"(?<![\w-])\+\d[\d ]{6,}\d"), "+…"),
)

logger = logging.getLogger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]
_trace: ContextVar[dict[str, Any] | None] = ContextVar("trace", default=None)


def begin(**facts: Any) -> None:
    """Start the trace of a request or a task: from now on every line of this thread carries these facts."""
    _trace.set(facts)


def end() -> None:
    """End the trace."""
    _trace.set(None)


def saw(merchant_id: Any) -> None:
    """Note whose rows this request or task works on; costs next to nothing, since the hot path calls it."""
    trace = _trace.get()
    if trace is not None:
        trace["merchant_id"] = merchant_id


def facts() -> dict[str, str]:
    """Return what is known of the request or task that runs, as text."""
    return {name: str(value) for name, value in (_trace.get() or {}).items()}


def blot(text: str) -> str:
    """Return a text without what tells of people, rows or credentials."""
    for pattern, instead in BLOTS:
        text = pattern.sub(instead, text)
    return text


def add_facts(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """Add the facts to a log line: a step of structlog's chain."""
    for name, value in facts().items():
        line.setdefault(name, value)
    return line


def without_paths(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """Put the route in the place of the path that Django names in its own lines: a step of structlog's chain."""
    request = getattr(line.get("_record"), "request", None)
    path = getattr(request, "path", "")
    if path and isinstance(line.get("event"), str):
        escaped = path.encode("unicode_escape").decode("ascii")
        for form in (path, escaped):
            line["event"] = line["event"].replace(form, f"/{route(request)}")
    return line


def blotted(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """Blot every text of a log line: the last step but one of structlog's chain."""
    return {name: blot(value) if isinstance(value, str) else value for name, value in line.items()}


def route(request: Any) -> str:
    """Return the pattern of the address that answers a request."""
    match = getattr(request, "resolver_match", None)
    return match.route if match is not None and match.url_name != "catch-all-nowhere" else NOWHERE


class TracingMiddleware:
    """Gives each request a number, the proxy's where it is trusted, and says it in the answer.

    With WEB_ACCESS_LOG it writes a line for each: number, method, route, status, milliseconds, merchant.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.tells, self.trusts = settings.ACCESS_LOG, settings.TRUST_PROXY

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on under its number."""
        number = request.headers.get(HEADER, "") if self.trusts else ""
        if not NUMBER.fullmatch(number):
            number = uuid.uuid4().hex
        begin(request_id=number)
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            response[HEADER] = number
            if self.tells:
                self._tell(request, response, time.perf_counter() - began)
            return response
        finally:
            end()

    @staticmethod
    def _tell(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        what = {"method": request.method, "route": route(request), "status": response.status_code}
        logger.info("request", extra={"told": {**what, "ms": round(seconds * 1000, 1)}})


def add_told(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """Add what a line of the standard library brought as `extra={"told": {…}}`: a step of structlog's chain."""
    line.update(getattr(line.get("_record"), "told", {}))
    return line
