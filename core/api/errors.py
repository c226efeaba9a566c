"""Errors over HTTP: RFC 9457 problem documents in the caller's language, one handler for everything."""

import logging
from http import HTTPStatus
from typing import Any

from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework.response import Response

from core.errors import DomainError, NotFound, ServiceUnavailable, ValidationFailed

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
# What DRF calls an error, in our words.
CODES = {
    "parse_error": "validation_error",
    "authentication_failed": "not_authenticated",
    "invalid": "invalid",
}


def problem(error: DomainError) -> dict[str, Any]:
    """Return the problem document of a domain error."""
    body = _document(error.status, error.code, error.detail)
    body["errors"] = _field_errors(error)
    for name, value in error.facts.items():
        body.setdefault(name, value)
    return body


def problem_response(error: DomainError, request: HttpRequest | None = None) -> JsonResponse:
    """Return the problem as a plain Django response, for code that is not a DRF view."""
    response = JsonResponse(problem(error), status=error.status, content_type=MEDIA_TYPE)
    for name, value in _headers(error).items():
        response[name] = value
    return response


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Turn any expected exception of an API view into a problem document; unexpected ones stay a 500."""
    error = _as_domain_error(exc)
    if error is not None:
        return Response(problem(error), status=error.status, headers=_headers(error), content_type=MEDIA_TYPE)
    if isinstance(exc, drf.APIException):
        return _from_drf(exc)
    return None


def _as_domain_error(exc: Exception) -> DomainError | None:
    if isinstance(exc, DomainError):
        return exc
    if isinstance(exc, Http404):
        return NotFound()
    if isinstance(exc, (OperationalError, InterfaceError)):
        logger.warning("database away: %s", exc)
        return ServiceUnavailable(retry_after=5)
    if isinstance(exc, DataError):
        return ValidationFailed.of("non_field_errors", "invalid", _("A value cannot be stored."))
    return None


def _from_drf(exc: drf.APIException) -> Response:
    headers: dict[str, str] = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header  # type: ignore[attr-defined]
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(exc.wait) + 1)  # type: ignore[attr-defined]
    if isinstance(exc, drf.ValidationError):
        body = _document(400, "validation_error", _("Some values need a look."))
        body["errors"] = list(_flatten(exc.detail))
        return Response(body, status=400, headers=headers, content_type=MEDIA_TYPE)
    raw = exc.get_codes()
    code = CODES.get(raw, raw) if isinstance(raw, str) else "error"
    body = _document(exc.status_code, code, str(exc.detail))
    body["errors"] = []
    return Response(body, status=exc.status_code, headers=headers, content_type=MEDIA_TYPE)


def _document(status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"/problems/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }


def _field_errors(error: DomainError) -> list[dict[str, str]]:
    if not isinstance(error, ValidationFailed):
        return []
    return [
        {"field": field, "code": code, "detail": str(text)}
        for field, found in error.errors.items()
        for code, text in found
    ]


def _flatten(detail: Any, path: str = "") -> Any:
    """Yield {field, code, detail} for each leaf of DRF's nested errors; list positions are part of the path."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _flatten(value, f"{path}.{key}" if path else str(key))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, (dict, list))
            yield from _flatten(value, f"{path}.{index}" if nested and path else path)
    else:
        yield {"field": path or "non_field_errors", "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def _headers(error: DomainError) -> dict[str, str]:
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, error.retry_after))
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return headers
