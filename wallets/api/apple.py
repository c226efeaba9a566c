"""Apple's web service: what phones call, with the addresses and answers that Apple fixed.

Plain views: no session, no form token, no language and no redirect, since a device brings none and follows none.
"""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.http import http_date
from django.views import View

from core import throttling
from core.errors import NotFound, ServiceUnavailable
from core.web import counted_address
from wallets import tasks
from wallets.enums import Provider
from wallets.providers.apple.provider import CONTENT_TYPE
from wallets.queries import device_changes
from wallets.services import device_logs, fetches, phones, registrations
from wallets.services.fetches import Package
from wallets.services.phones import Holder

DEVICE_LENGTH = 255
BODY_BYTES = 65_536
DRAINED_BODIES = 64
LOG_TIMES, LOG_PERIOD = 30, 60
LOG_TIMES_ALL = 3_000


class TooLarge(Exception):
    """A body above what any device sends."""


class AppleView(View):
    """What all addresses share: nothing is kept by anybody on the way."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answer, and forbid to store the answer; a device needs no words, only when to come back."""
        try:
            response = super().dispatch(request, *args, **kwargs)
        except ServiceUnavailable as refusal:
            response = _empty(refusal.status, {"Retry-After": str(refusal.retry_after)})
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class PassView(AppleView):
    """Addresses below a pass: `self.holder` is proven by the pass's token, and nobody else gets past the door."""

    holder: Holder

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Let the holder in; to all others every pass is the same."""
        found = phones.prove(
            wanted_type=kwargs["pass_type"], serial=kwargs["serial"],
            authorization=request.headers.get("Authorization", ""), at=timezone.now(),
        )  # fmt: skip
        if found is None:
            return _empty(401, {"WWW-Authenticate": "ApplePass", "Cache-Control": "no-store"})
        self.holder = found
        return super().dispatch(request, *args, **kwargs)


class RegistrationView(PassView):
    """A device's registration for a pass."""

    http_method_names = ["post", "delete"]

    def post(self, request: HttpRequest, device: str, **_: str) -> HttpResponse:
        """Register: 201 for a new one, 200 for one that is there (its push token may be a new one)."""
        push_token = _push_token(request)
        if push_token is None or not _is_device(device):
            return _empty(400)
        done = registrations.register(self.holder, device=device, push_token=push_token, at=timezone.now())
        if done.queued:
            tasks.wake(Provider.APPLE)
        return _empty(201 if done.created else 200)

    def delete(self, request: HttpRequest, device: str, **_: str) -> HttpResponse:
        """Unregister; a registration that is not there is as good as one that was taken away."""
        if _is_device(device):
            registrations.unregister(self.holder, device=device)
        return _empty(200)


class ChangesView(AppleView):
    """What changed for a device; its identifier is all that it has to know."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, device: str, pass_type: str) -> HttpResponse:
        """List the serial numbers of passes with news, and the tag to come back with."""
        if not pass_type or pass_type != phones.pass_type():
            return _empty(204)
        since = request.GET.get("passesUpdatedSince", "")
        found = device_changes.of_device(device, pass_type=pass_type, since=since)
        if found is None:
            return _empty(204)
        registrations.note_seen(device, at=timezone.now())
        return JsonResponse({"serialNumbers": found.serials, "lastUpdated": str(found.newest)})


class FetchView(PassView):
    """The newest version of a pass."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Return the whole package, or 304 when the device has the very one."""
        try:
            package = fetches.fetch(
                merchant_id=self.holder.merchant_id, pass_id=self.holder.pass_id, at=timezone.now(),
                body=request.method == "GET",
            )  # fmt: skip
        except NotFound:
            return _empty(401, {"WWW-Authenticate": "ApplePass"})
        if request.headers.get("If-Modified-Since") == _date(package):
            return _empty(304, {"Last-Modified": _date(package)})
        return package_response(request, package)


class LogView(AppleView):
    """What a device has to say when something went wrong with our passes."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep the messages, as far as that is reasonable for words of anybody."""
        try:
            body = _body(request)
        except TooLarge:
            return _empty(413)
        if not _may_log(request):
            return _empty(429, {"Retry-After": str(throttling.seconds_left(LOG_PERIOD))})
        found = _json(body)
        messages = found.get("logs") if isinstance(found, dict) else None
        if not isinstance(messages, list):
            return _empty(400)
        device_logs.keep(messages, at=timezone.now())
        return _empty(200)


def package_response(request: HttpRequest, package: Package) -> HttpResponse:
    """Return a .pkpass; HEAD has the same headers."""
    size = str(len(package.content))
    return HttpResponse(
        package.content if request.method == "GET" else b"",
        content_type=CONTENT_TYPE,
        headers={
            "Last-Modified": _date(package),
            "Content-Length": size,
            "Content-Disposition": 'attachment; filename="card.pkpass"',
            "Cache-Control": "no-store",
        },
    )


def _empty(status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    response = HttpResponse(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response


def _date(package: Package) -> str:
    return http_date(package.last_modified.timestamp())


def _is_device(device: str) -> bool:
    return 0 < len(device) <= DEVICE_LENGTH and "\x00" not in device


def _push_token(request: HttpRequest) -> str | None:
    """Return the push token of a body, None when there is none: any text that can be stored is one."""
    try:
        found = _json(_body(request))
    except TooLarge:
        return None
    token = found.get("pushToken") if isinstance(found, dict) else None
    if not isinstance(token, str) or not token.strip() or not token.isprintable():
        return None
    return token


def _may_log(request: HttpRequest) -> bool:
    """Count the report: of its address, and of the whole world. Without the counter nobody reports."""
    address = f"wallets-log:{counted_address(request)}"
    mine = throttling.allow(address, limit=LOG_TIMES, period=LOG_PERIOD, closed_without_redis=True)
    return mine and throttling.allow(
        "wallets-log", limit=LOG_TIMES_ALL, period=LOG_PERIOD, closed_without_redis=True
    )  # fmt: skip


def _body(request: HttpRequest) -> bytes:
    """Return the body; raises TooLarge for more than any device sends."""
    # In chunks a body has no length, and Django would take it for empty; a server that ends it by itself says so.
    chunked = "Content-Length" not in request.headers and request.META.get("wsgi.input_terminated")
    stream = request.META["wsgi.input"] if chunked else request
    found = stream.read(BODY_BYTES + 1)
    if len(found) > BODY_BYTES:
        # Unread, the rest would break the connection before the caller has read the answer.
        for _ in range(DRAINED_BODIES):
            if not stream.read(BODY_BYTES):
                break
        raise TooLarge
    return bytes(found)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
