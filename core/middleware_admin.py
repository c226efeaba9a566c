"""The platform's administrators: second factor outside DEBUG, and a scope that sees every merchant."""

from collections.abc import Callable
from functools import cache

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import tenancy
from core.api.errors import problem_response
from core.errors import NotAuthenticated, PermissionDenied

Handler = Callable[[HttpRequest], HttpResponse]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Pages of the admin that show nothing of any merchant.
WITHOUT_SCOPE = ("login/", "logout/", "jsi18n/")
API_ROOT = "/api/v1/admin/"


class SecondFactorRequired(PermissionDenied):
    """The person may, but has not set up a second factor."""

    code = "second_factor_required"
    message = gettext_lazy("The platform's pages need a second factor. Set it up first.")


class PlatformAdminMiddleware:
    """Runs the Django admin in the platform's scope, for platform staff only; what a person changes is audited.

    The admin API is kept behind the same door; its views open the scope themselves. Everything else passes untouched:
    no other page ever sees more than one merchant.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Open the scope around an administrator's page, or ask for the second factor first."""
        if request.path.startswith(API_ROOT):
            return self._api(request)
        if not is_platform_page(request) or not is_platform_staff(request):
            return self.get_response(request)
        if lacks_second_factor(request):
            messages.warning(request, _("The platform's pages need a second factor. Set it up first."))
            return HttpResponseRedirect(resolve_url("mfa_activate_totp"))
        actor = None if request.method in SAFE else request.user
        reason = f"admin: {request.method} {request.path}"
        # The inner transaction is what an error takes back; the audit row of the try stays.
        with tenancy.platform(reason=reason, actor=actor), transaction.atomic():
            return self.get_response(request)

    def _api(self, request: HttpRequest) -> HttpResponse:
        """Let administrators with a session pass; keys, tills and cards prove nothing here."""
        if not request.user.is_authenticated:
            return problem_response(NotAuthenticated(), request)
        if not is_platform_staff(request):
            return problem_response(PermissionDenied(), request)
        if lacks_second_factor(request):
            return problem_response(SecondFactorRequired(), request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Take back what a page did before it failed."""
        if is_platform_page(request) and tenancy.in_platform():
            transaction.set_rollback(True)


def is_platform_page(request: HttpRequest) -> bool:
    """Tell whether this is a page of the platform's administrators."""
    root = _root()
    return request.path.startswith(root) and not request.path.removeprefix(root).startswith(WITHOUT_SCOPE)


@cache
def _root() -> str:
    return reverse("admin:index")


def is_platform_staff(request: HttpRequest) -> bool:
    """Tell whether an active administrator of the platform is signed in."""
    user = request.user
    return bool(user.is_authenticated and user.is_active and getattr(user, "is_staff", False))


def lacks_second_factor(request: HttpRequest) -> bool:
    """Tell whether an administrator has still to set up a second factor; DEBUG does without."""
    return not settings.DEBUG and not is_mfa_enabled(request.user)
