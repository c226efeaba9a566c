"""Middleware of all pages: language, slashes, and a kind word while the database is away."""

import logging
from collections.abc import Callable
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.db import close_old_connections
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import cached_property
from django.utils.translation.trans_real import parse_accept_lang_header

from core.error_pages import AWAY, database_away, not_found

logger = logging.getLogger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]
ALIASES = {"lu": "lb"}


class LanguageMiddleware:
    """Choose the language: the switch's cookie, the person's own, Accept-Language, else the merchant's default.

    The merchant is not known here: `request.language_is_default` tells a view that nobody chose, see `fall_back`.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Activate the language for the request and name it in the answer."""
        chosen = known_language(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))
        request.language_from_cookie = chosen is not None  # type: ignore[attr-defined]
        chosen = chosen or _accepted(request)
        request.language_is_default = chosen is None  # type: ignore[attr-defined]
        self._activate(request, chosen or settings.LANGUAGE_CODE)
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", translation.get_language() or "en")
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Prefer the signed-in person's saved language to what the browser asks for."""
        if request.language_from_cookie or settings.SESSION_COOKIE_NAME not in request.COOKIES:  # type: ignore[attr-defined]
            return
        user = getattr(request, "user", None)
        saved = known_language(getattr(user, "language", "") or "")
        if saved:
            request.language_is_default = False  # type: ignore[attr-defined]
            self._activate(request, saved)

    @staticmethod
    def _activate(request: HttpRequest, code: str) -> None:
        translation.activate(code)
        request.LANGUAGE_CODE = code


def known_language(code: str) -> str | None:
    """Return our code of a language tag ("de-AT" → "de", "lu" → "lb"), None when we do not speak it."""
    base = code.lower().replace("_", "-").split("-")[0]
    base = ALIASES.get(base, base)
    return base if base in dict(settings.LANGUAGES) else None


def fall_back(request: HttpRequest, code: str) -> None:
    """Use the merchant's language where nobody chose one."""
    known = known_language(code)
    if known and getattr(request, "language_is_default", False):
        LanguageMiddleware._activate(request, known)


def _accepted(request: HttpRequest) -> str | None:
    for code, _quality in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")):
        known = known_language(code) if code != "*" else None
        if known:
            return known
    return None


class SlashMiddleware:
    """A page asked for with the other slash form redirects to the one that exists; the API is exact."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Redirect a read of a page whose other form exists."""
        response = self.get_response(request)
        if response.status_code != 404 or request.method not in ("GET", "HEAD") or request.path.startswith("/api/"):
            return response
        other = request.path.rstrip("/") if request.path.endswith("/") else f"{request.path}/"
        if not other or other.startswith("//") or _resolves(request.path_info) or not _resolves(other):
            return response
        query = request.META.get("QUERY_STRING", "")
        return HttpResponsePermanentRedirect(f"{other}?{query}" if query else other)


def _resolves(path: str) -> bool:
    try:
        match = resolve(path)
    except Resolver404:
        return False
    # The admin's own 404 has no name of an address, only that of its view.
    return "catch-all" not in (match.url_name or "") and getattr(match.func, "__name__", "") != "catch_all_view"


class NotFoundMiddleware:
    """What a view did not find is answered by our own page in DEBUG, too; Django's would list all addresses."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer Http404."""
        return not_found(request, exception) if isinstance(exception, Http404) else None


class PolicyMiddleware(CSPMiddleware):
    """The Content-Security-Policy: the library's, that makes the usual one once instead of anew for every answer."""

    OWN = ("_csp_config", "_csp_update", "_csp_replace", "_csp_exempt")

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Name the policy of the answer."""
        uses_nonce = getattr(request, "_csp_nonce", None) is not None
        if settings.DEBUG or uses_nonce or any(hasattr(response, name) for name in self.OWN):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, self._usual)
        return response

    @cached_property
    def _usual(self) -> str:
        return str(build_policy())


class DatabaseAwayMiddleware:
    """While the database is away: 503 with Retry-After, as a problem document or a page, and a fresh connection.

    It sees what views raise; what fails in another middleware (a session, say) comes to core.error_pages.server_error.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer an exception that says the database cannot be reached."""
        if not isinstance(exception, AWAY):
            return None
        logger.warning("database away: %s", exception)
        close_old_connections()
        return database_away(request)
