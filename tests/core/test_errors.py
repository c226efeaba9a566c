"""Problem documents: their form, the caller's language, and what is said while the database is away."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import DataError, OperationalError, connections
from django.http import Http404
from django.test import Client, RequestFactory
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions as drf

from core import error_pages
from core.api.errors import MEDIA_TYPE, exception_handler, problem, problem_response
from core.errors import DomainError, NotFound, PermissionDenied, Throttled, ValidationFailed
from tests.support.world import World

API_PATHS = ["/api/v1/loyalty/programs/gare", "/api/v1/store/loyalty/cards", "/api/v1/storefront/loyalty/card"]
PAGES = ["/loyalty/gare/enroll", "/c/some-code", "/store/gare/loyalty/terminal"]


class TooSoon(DomainError):
    """An error with facts in its sentence."""

    code = "too_soon"
    message = _("Wait %(minutes)s minutes.")


def answered(exc: Exception) -> tuple[int, Any, dict[str, str]]:
    response = exception_handler(exc, {})
    assert response is not None
    assert response.content_type == MEDIA_TYPE
    return response.status_code, response.data, dict(response.items())


def test_it_works() -> None:
    status, body, _headers = answered(TooSoon(minutes=5, next_at="12:05"))

    assert status == 409
    assert body == {
        "type": "/problems/too_soon", "title": "Conflict", "status": 409, "code": "too_soon",
        "detail": "Wait 5 minutes.", "errors": [], "minutes": 5, "next_at": "12:05",
    }  # fmt: skip


def test_facts_never_overwrite_the_document() -> None:
    body = problem(DomainError(status=200, code="fine", detail="x", title="y", type="z", errors=["w"]))

    assert (body["status"], body["code"], body["errors"]) == (409, "error", [])
    assert body["detail"] == "This is not possible."


def test_a_percent_sign_in_a_sentence_is_no_placeholder() -> None:
    assert DomainError(message="100% sure").detail == "100% sure"


def test_errors_name_their_fields() -> None:
    error = ValidationFailed({"name": [("required", "Missing."), ("blank", "Empty.")], "pin": [("short", "Short.")]})

    assert problem(error)["errors"] == [
        {"field": "name", "code": "required", "detail": "Missing."},
        {"field": "name", "code": "blank", "detail": "Empty."},
        {"field": "pin", "code": "short", "detail": "Short."},
    ]


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (NotFound(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (Http404("a secret"), 404, "not_found"),
        (DataError("a secret"), 400, "validation_error"),
        (OperationalError("a secret"), 503, "service_unavailable"),
        (drf.NotAuthenticated(), 401, "not_authenticated"),
        (drf.AuthenticationFailed(), 401, "not_authenticated"),
        (drf.PermissionDenied(), 403, "permission_denied"),
        (drf.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (drf.NotAcceptable(), 406, "not_acceptable"),
        (drf.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
        (drf.Throttled(wait=3), 429, "throttled"),
        (drf.ParseError("bad"), 400, "validation_error"),
        (drf.ValidationError({"name": ["Missing."]}), 400, "validation_error"),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, Exception) else None,
)
def test_every_expected_exception_becomes_a_problem(raised: Exception, status: int, code: str) -> None:
    shown, body, _headers = answered(raised)

    assert (shown, body["status"], body["code"]) == (status, status, code)
    assert {"type", "title", "detail", "errors"} <= set(body)
    assert "a secret" not in str(body)


def test_nested_errors_of_lists_have_their_place_in_the_path() -> None:
    _status, body, _headers = answered(
        drf.ValidationError({"operations": [{}, {"key": [drf.ErrorDetail("Missing.", "required")]}], "x": ["Bad."]})
    )

    assert body["errors"] == [
        {"field": "operations.1.key", "code": "required", "detail": "Missing."},
        {"field": "x", "code": "invalid", "detail": "Bad."},
    ]


def test_unexpected_exceptions_stay_what_they_are() -> None:
    assert exception_handler(RuntimeError("a bug"), {}) is None
    assert exception_handler(DjangoPermissionDenied(), {}) is None


@pytest.mark.parametrize(("error", "header", "value"), [
    (Throttled(retry_after=7), "Retry-After", "7"),
    (Throttled(retry_after=0), "Retry-After", "1"),
    (drf.Throttled(wait=3), "Retry-After", "4"),
    (drf.NotAuthenticated(), "X-None", ""),
])  # fmt: skip
def test_headers_say_when_to_come_back(error: Exception, header: str, value: str) -> None:
    assert answered(error)[2].get(header, "") == value


def test_a_plain_response_has_the_same_document() -> None:
    error = Throttled(retry_after=7)
    response = problem_response(error)

    assert (response["Content-Type"], response["Retry-After"], response.status_code) == (MEDIA_TYPE, "7", 429)
    assert response.content == exception_content(error)


def exception_content(error: DomainError) -> bytes:
    import json

    return json.dumps(problem(error)).encode()


def test_sentences_are_in_the_language_that_is_active_when_they_are_shown() -> None:
    error = ValidationFailed.of("name", "required", _("This field is required."))
    with translation.override("de"):
        german = problem(error)["errors"][0]["detail"]
    with translation.override("fr"):
        french = problem(error)["errors"][0]["detail"]

    english = problem(error)["errors"][0]["detail"]

    assert len({german, french, english}) == 3


def test_what_breaks_is_a_problem_too_and_tells_nothing() -> None:
    request = RequestFactory().get("/api/v1/x")
    try:
        raise RuntimeError("a secret")
    except RuntimeError:
        answer = error_pages.server_error(request)

    assert (answer.status_code, answer["Content-Type"]) == (500, MEDIA_TYPE)
    assert b"server_error" in answer.content
    assert b"a secret" not in answer.content


@pytest.mark.parametrize("handler", [error_pages.bad_request, error_pages.permission_denied, error_pages.not_found])
def test_other_refusals_are_problems_below_the_api_and_pages_elsewhere(handler: Any) -> None:
    below = handler(RequestFactory().get("/api/v1/x"), Http404())
    page = handler(RequestFactory().get("/x"), Http404())

    assert below["Content-Type"] == MEDIA_TYPE
    assert page["Content-Type"].startswith("text/html")
    assert below.status_code == page.status_code


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_addresses_that_are_nobodys_tell_nothing_in_debug_neither(
    db: None, settings: Any, debug: bool, method: str
) -> None:
    settings.DEBUG = debug
    strict = Client(enforce_csrf_checks=True)
    below, page = (strict.generic(method, path) for path in ("/api/v1/nothing", "/nothing"))
    unknown_card = Client().get("/c/no-such-code")

    assert (below.status_code, below["Content-Type"]) == (404, MEDIA_TYPE)
    for answer in (page, unknown_card):
        assert answer.status_code == 404
        assert "Nothing here" in answer.content.decode()
        assert "URLconf" not in answer.content.decode()


@pytest.fixture
def dead_database(real_db: Any) -> Iterator[World]:
    """A house with a world in it, whose database no longer answers: nobody listens where the settings point."""
    world = World.make()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        wrapper = connections["default"]
        usual = dict(wrapper.settings_dict)
        wrapper.close()
        wrapper.settings_dict |= {"HOST": "127.0.0.1", "PORT": str(nobody.getsockname()[1]), "USUAL": usual}
        yield world
        wrapper.close()
        wrapper.settings_dict.clear()
        wrapper.settings_dict.update(usual)


@pytest.mark.parametrize("path", API_PATHS)
def test_promise_10_the_api_says_503_and_when_to_come_back(dead_database: World, path: str) -> None:
    for secret in (f"Bearer {dead_database.key_text}", "Card some-secret"):
        answer = Client().get(path, headers={"Authorization": secret})
        if answer.status_code == 401:
            continue
        assert (answer.status_code, answer["Content-Type"], answer["Retry-After"]) == (503, MEDIA_TYPE, "5")
        assert answer.json()["code"] == "service_unavailable"
        assert "127.0.0.1" not in answer.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_promise_10_pages_say_503_in_kind_words(dead_database: World, path: str) -> None:
    """With a session, too: it is read in a middleware, where no view's exception handler looks."""
    for cookies in ({}, {"sessionid": "some-session"}, {"terminal": f"abcdefgh.{'x' * 43}"}):
        browser = Client(raise_request_exception=False)
        browser.cookies.load(cookies)
        answer = browser.get(path)
        if answer.status_code == 302:
            assert answer["Location"] == "/pair"
            continue
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "Back in a moment" in answer.content.decode()
        assert "default-src 'self'" in answer["Content-Security-Policy"]


def test_promise_10_recovery_needs_no_help(dead_database: World) -> None:
    path = "/api/v1/store/loyalty/cards"
    headers = {"Authorization": f"Bearer {dead_database.key_text}"}
    assert Client().get(path, headers=headers).status_code == 503
    settings_of_now = connections["default"].settings_dict
    settings_of_now |= settings_of_now["USUAL"]

    assert Client().get(path, headers=headers).status_code == 200
