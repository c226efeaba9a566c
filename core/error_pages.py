"""What a request gets where no view answered: below /api/ a problem document, elsewhere a page."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from core.api.errors import problem_response
from core.errors import DomainError, NotFound, PermissionDenied, ServiceUnavailable, ValidationFailed

API = "/api/"
RETRY_SECONDS = 5
AWAY = (OperationalError, InterfaceError)


class ServerError(DomainError):
    """Our own fault; what the caller sent is not told apart."""

    code, status, keep = "server_error", 500, False
    message = _("Something broke on our side. Nothing was changed.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refused before any view saw it."""
    if request.path.startswith(API):
        return problem_response(ValidationFailed({}))
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a refusal that no view put into words."""
    if request.path.startswith(API):
        return problem_response(PermissionDenied())
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that is none of ours."""
    if request.path.startswith(API):
        return problem_response(NotFound())
    return defaults.page_not_found(request, exception)


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    """Answer every address that no other pattern takes, with our own page in DEBUG, too (Django's lists them all)."""
    return not_found(request, Http404())


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an exception that nobody expected; a database that is away is no fault of the code."""
    if isinstance(sys.exc_info()[1], AWAY):
        return database_away(request)
    if request.path.startswith(API):
        return problem_response(ServerError())
    return defaults.server_error(request)


def database_away(request: HttpRequest) -> HttpResponse:
    """Say that nothing was changed and when to come back. Reads no session: that is where it would fail again."""
    error = ServiceUnavailable(retry_after=RETRY_SECONDS)
    if request.path.startswith(API):
        return problem_response(error)
    page = render_to_string("503.html")
    return HttpResponse(page, status=error.status, headers={"Retry-After": str(RETRY_SECONDS)})
