"""Signing in with Google, where it is configured: which pages may lead there."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

GOOGLE = "https://accounts.google.com"
POLICY = {"form-action": [GOOGLE]}
View = Callable[..., HttpResponseBase]


def is_configured() -> bool:
    """Tell whether people can sign in with Google here."""
    return bool(settings.SOCIALACCOUNT_PROVIDERS.get("google", {}).get("APPS"))


def may_lead_to_google(view: View) -> View:
    """Let a page's forms lead to Google: browsers hold redirects of a form against form-action, too."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(*args, **kwargs)
        if is_configured():
            response._csp_update = POLICY  # type: ignore[attr-defined]
        return response

    return wrapped


def no_login_by_token(request: HttpRequest) -> HttpResponse:
    """Answer as if there were nothing: Google's one-tap script is not ours, so its way in stays shut."""
    raise Http404
