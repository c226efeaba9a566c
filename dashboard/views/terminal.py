"""The staff terminal: one page whose scripts talk to the store API."""

import json
from typing import Any

from csp.constants import SELF, WASM_UNSAFE_EVAL
from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View

from core.errors import NotAuthenticated, NotFound, PermissionDenied
from core.middleware import fall_back
from dashboard.forms import presets
from dashboard.queries import addresses, desks, till
from dashboard.queries.till import Till
from dashboard.views import terminal_files
from dashboard.views.terminal_words import words
from stores.queries import devices
from stores.queries.access import Credential

API = "/api/v1/store/loyalty/"
PAIR = "/pair"
IDLE_SECONDS = 120
DIGITS = range(1, 10)
# What the camera needs: its picture, and the reader compiled to WebAssembly.
POLICY = {"script-src": [WASM_UNSAFE_EVAL], "media-src": [SELF, "blob:"]}


@method_decorator(csp_update(POLICY), name="dispatch")
class Terminal(View):
    """The till of a store, for its paired terminals and for the merchant's people."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, store_code: str) -> HttpResponse:
        """Show the till; a stranger's device goes to the pairing page, whatever the code."""
        shown = find(request, store_code)
        if shown is None:
            return HttpResponseRedirect(PAIR)
        if shown.store_code != store_code:
            return HttpResponseRedirect(reverse("dashboard:terminal", args=[shown.store_code]))
        fall_back(request, shown.default_language)
        response = render(request, "dashboard/terminal.html", _context(shown))
        response["Cache-Control"] = "no-store, private"
        # The service worker keeps the page only beside the scripts of its own release.
        response["X-Till-Release"] = terminal_files.release().name
        return response


def find(request: HttpRequest, store_code: str) -> Till | None:
    """Return the till that the caller may open, None for a stranger; raises Http404 for what is not theirs."""
    try:
        credential = _caller(request, store_code)
        return _find(credential, store_code) if credential is not None else None
    except NotAuthenticated:
        return None
    except NotFound:
        raise Http404 from None


def _caller(request: HttpRequest, store_code: str) -> Credential | None:
    """Return who opens the till: a signed-in person, else a paired terminal, None for a stranger.

    In a browser that is both the person acts, as in the store API. Raises NotFound for a person at an unknown store.
    """
    if request.user.is_authenticated:
        return Credential("user", desks.merchant_of_store(store_code), request.user.pk)
    return devices.terminal_credential(request.COOKIES.get(devices.TERMINAL_COOKIE, ""))


def _find(credential: Credential, store_code: str) -> Till:
    """Return the till of the address; a terminal of another store of the merchant gets its own."""
    try:
        return till.load(credential, store_code)
    except PermissionDenied:
        if credential.kind == "user":
            raise NotFound from None
        return till.load(credential, None)


def _context(shown: Till) -> dict[str, Any]:
    enroll_url = addresses.enroll(shown.store_code)
    own = [shown.store_code]
    return {
        "till": shown,
        "store_name": shown.store_name,
        "terminal_name": shown.terminal_name,
        "trade_icon": presets.icon(shown.trade),
        "api": API,
        "pair_url": PAIR,
        "idle_seconds": IDLE_SECONDS,
        "digits": DIGITS,
        "hours": [f"{hour:02}:00" for hour in range(24)],
        "wasm": terminal_files.WASM,
        "sounds": json.dumps({name: static(path) for name, path in terminal_files.SOUNDS.items()}),
        "discard_url": reverse("dashboard:terminals_discard", args=own) if shown.may_manage else "",
        "words": json.dumps(words(), ensure_ascii=False),
        "enroll_url": enroll_url,
        "enroll_address": enroll_url.split("://", 1)[1],
        "back_url": reverse("dashboard:home", args=own) if shown.is_person else "",
        "staff_url": reverse("dashboard:staff", args=own) if shown.may_manage else "",
        "settings_url": reverse("dashboard:settings", args=own) if shown.may_manage else "",
    }
