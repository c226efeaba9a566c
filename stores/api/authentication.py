"""Who calls the store API: an API key, a paired terminal, or a signed-in person. Each becomes a Credential."""

import hashlib
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.request import Request

from core import tenancy
from core.errors import NotAuthenticated, NotFound, PermissionDenied
from merchants.permissions import MANAGE
from stores.queries import devices
from stores.queries.access import Credential, StoreRequired
from stores.services import api_keys, terminals

Proven = tuple[Any, Credential]
STORE_HEADER = "X-Store-Code"
NOTE_EVERY_SECONDS = 60.0
MAX_NOTED = 10_000

REMEMBERED_SECONDS = 60.0

_noted: dict[UUID, float] = {}
_proven: dict[bytes, tuple[float, Credential]] = {}


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer lk_…`."""

    def authenticate(self, request: Request) -> Proven | None:
        """Return the key's credential; None without a Bearer header; raises NotAuthenticated for a wrong one."""
        kind, _, text = request.headers.get("Authorization", "").strip().partition(" ")
        if kind.lower() != "bearer":
            return None
        credential = _remembered(devices.api_key_credential, text.strip())
        if credential is None:
            raise NotAuthenticated
        _note_use(credential, api_keys.note_used, "api_key_id")
        return None, credential

    def authenticate_header(self, request: Request) -> str:
        """Say in a 401 how to prove oneself."""
        return "Bearer"


class TerminalAuthentication(authentication.SessionAuthentication):
    """The cookie of a paired terminal; writes need the CSRF token.

    A browser may hold a person's session, too. The person acts where they name a store or manage something; what a
    till does is the terminal's.
    """

    def authenticate(self, request: Request) -> Proven | None:
        """Return the terminal's credential, None without a cookie that works."""
        cookie = request.COOKIES.get(devices.TERMINAL_COOKIE, "")
        if not cookie or _person_acts(request):
            return None
        # Where somebody is signed in as well, a till that was revoked makes way for them at once.
        look_up, signed_in = devices.terminal_credential, settings.SESSION_COOKIE_NAME in request.COOKIES
        credential = look_up(cookie) if signed_in else _remembered(look_up, cookie)
        if credential is None:
            return None
        self.enforce_csrf(request)
        _note_use(credential, terminals.note_seen, "terminal_id")
        return None, credential


class SessionAuthentication(authentication.SessionAuthentication):
    """A signed-in person; writes need the CSRF token.

    The merchant is that of the store in X-Store-Code, else the person's only one. Whether the person belongs to it
    is checked when the access is loaded.
    """

    def authenticate(self, request: Request) -> Proven | None:
        """Return the person's credential, None for nobody; raises NotFound, PermissionDenied and StoreRequired."""
        user = _person(request)
        if user is None:
            return None
        self.enforce_csrf(request)
        return user, Credential("user", _merchant_of(user.pk, request.headers.get(STORE_HEADER, "").strip()), user.pk)


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the API document describes an API key."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Describe the header."""
        return {"type": "http", "scheme": "bearer", "description": "An API key, `lk_…`."}


class TerminalScheme(OpenApiAuthenticationExtension):
    """How the API document describes a paired terminal."""

    target_class = TerminalAuthentication
    name = "terminal"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Describe the cookie."""
        return {
            "type": "apiKey", "in": "cookie", "name": devices.TERMINAL_COOKIE,
            "description": "The cookie of a paired terminal; writes also need `X-CSRFToken`.",
        }  # fmt: skip


class SessionScheme(OpenApiAuthenticationExtension):
    """How the API document describes a signed-in person."""

    target_class = SessionAuthentication
    name = "session"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Describe the cookie."""
        return {
            "type": "apiKey", "in": "cookie", "name": "sessionid",
            "description": "A signed-in person's session; writes also need `X-CSRFToken`.",
        }  # fmt: skip


def _person(request: Request) -> Any | None:
    user = getattr(request._request, "user", None)
    return user if user is not None and user.is_authenticated and user.is_active else None


def _person_acts(request: Request) -> bool:
    """Tell whether this is a person's doing and not the till's, in a browser that is both."""
    view = (request.parser_context or {}).get("view")
    manages = getattr(view, "needed_scope", None) == MANAGE
    return (manages or STORE_HEADER in request.headers) and _person(request) is not None


def _merchant_of(user_id: UUID, store_code: str) -> UUID:
    if store_code:
        rows = tenancy.lookup("store", store_code[:100].replace("\x00", ""))
        if not rows:
            raise NotFound
        return UUID(str(rows[0][0]))
    rows = tenancy.lookup("merchants_of_user", user_id)
    if not rows:
        raise PermissionDenied
    if len(rows) > 1:
        raise StoreRequired
    return UUID(str(rows[0][0]))


def _remembered(look_up: Callable[[str], Credential | None], text: str) -> Credential | None:
    """Return whose secret this is; each process remembers that for a minute.

    It remembers only whose: whether a key or a terminal was revoked is looked at anew with the rights of each request
    (stores.queries.access), and the secret of either never changes.
    """
    now = time.monotonic()
    name = hashlib.sha256(f"{look_up.__name__} {text}".encode(errors="replace")).digest()
    known = _proven.get(name)
    if known is not None and now - known[0] < REMEMBERED_SECONDS:
        return known[1]
    credential = look_up(text)
    if credential is not None:
        if len(_proven) >= MAX_NOTED:
            _proven.clear()
        _proven[name] = (now, credential)
    return credential


def _note_use(credential: Credential, note: Callable[..., None], name: str) -> None:
    """Note the last use once a minute per process, so that it costs the other requests nothing."""
    now = time.monotonic()
    if now - _noted.get(credential.id, -NOTE_EVERY_SECONDS) < NOTE_EVERY_SECONDS:
        return
    if len(_noted) >= MAX_NOTED:
        _noted.clear()
    _noted[credential.id] = now
    note(merchant_id=credential.merchant_id, at=timezone.now(), **{name: credential.id})
