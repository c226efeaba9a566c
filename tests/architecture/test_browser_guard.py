"""Promise 18: every page is guarded in the browser, whoever looks at it and whatever went wrong."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db import models
from django.test import Client

from core import tenancy
from merchants.enums import Role
from merchants.models import User
from stores.models import Store
from tests.architecture import sweep
from tests.architecture.routes import ROUTES, TERMINAL
from tests.support.house import House, undone

POLICY = {
    "default-src": {"'self'"}, "script-src": {"'self'"}, "style-src": {"'self'"}, "object-src": {"'none'"},
    "img-src": {"'self'", "data:", "blob:"}, "base-uri": {"'none'"}, "frame-ancestors": {"'none'"},
    "form-action": {"'self'"},
}  # fmt: skip
# What one page needs besides.
ALSO = {
    TERMINAL: {
        "script-src": {"'self'", "'wasm-unsafe-eval'"},
        "media-src": {"'self'", "blob:"},
    }
}
INLINE = re.compile(
    r"<style|<[^>]*\sstyle=|<script(?![^>]*\ssrc=)(?![^>]*application/json)|<[^>]*\son[a-z]+=|javascript:"
)
OUTSIDE = re.compile(r"""(?:src|action)=["']?(?:https?:)?//""")
# Scripts read these; everything else is out of their reach.
READABLE = {"csrftoken", "django_language", "theme"}


@pytest.fixture
def house(db: None) -> House:
    return House.make("ours")


_seen: dict[bool, list[tuple[str, Any]]] = {}


def everything(*, secure: bool = False) -> list[tuple[str, Any]]:
    """Return the answers of a crawl, which is made once per process."""
    if secure not in _seen:
        _seen[secure] = list(crawl(House.make("ours"), secure=secure))
    return _seen[secure]


def crawl(house: House, **options: Any) -> Iterator[tuple[str, Any]]:
    """Yield the answer of every address outside the admin, as everybody sees it."""
    ids = {**house.ids, "key": "a-key", "uidb36": "1"}
    quiet = {"raise_request_exception": False}
    browsers = [
        Client(**quiet), house.person(**quiet), house.person(Role.STAFF, **quiet), house.terminal(**quiet),
        house.customer(**quiet),
    ]  # fmt: skip
    for pattern, route in ROUTES.items():
        for browser in browsers:
            for method in route.methods:
                with undone():
                    answer = browser.generic(method, sweep.address(pattern, ids), **options)
                yield pattern, answer
    for path in ("/nowhere", "/store/nowhere/loyalty/", "/api/nowhere"):
        yield path, Client().get(path, **options)
    yield "forged", Client(enforce_csrf_checks=True).post("/signup/", **options)
    yield "bad host", Client().get("/", headers={"Host": "evil.example"}, **options)


def directives(answer: Any) -> dict[str, set[str]]:
    parts = [part.split() for part in answer.get("Content-Security-Policy", "").split(";") if part.strip()]
    return {name: set(values) for name, *values in parts}


def is_page(answer: Any) -> bool:
    return bool(answer.get("Content-Type", "").startswith("text/html"))


def unguarded(pattern: str, answer: Any) -> list[str]:
    """Return what an answer lacks."""
    expected = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if pattern == "bad host":
        # Refused before the middleware that adds it; the policy's frame-ancestors says the same.
        del expected["X-Frame-Options"]
    faults = [name for name, value in expected.items() if answer.get(name) != value]
    if directives(answer) not in (POLICY, {**POLICY, **ALSO.get(pattern, {})}):
        faults.append(f"policy {directives(answer)}")
    return faults


def test_every_answer_carries_the_policy_and_its_kin(db: None) -> None:
    faults, pages = {}, 0
    for pattern, answer in everything():
        pages += is_page(answer) and answer.status_code == 200
        if unguarded(pattern, answer):
            faults[f"{pattern} {answer.status_code}"] = unguarded(pattern, answer)
    assert faults == {}
    assert pages > 80


def test_no_page_has_anything_inline_or_from_outside(db: None) -> None:
    faults = {}
    for pattern, answer in everything():
        if is_page(answer):
            text = answer.getvalue().decode()
            found = INLINE.findall(text) + OUTSIDE.findall(text)
            if found:
                faults[pattern] = found
    assert faults == {}


def test_nothing_a_visitor_does_is_our_fault(db: None) -> None:
    """No address and method answers 5xx to anybody."""
    assert {pattern: answer.status_code for pattern, answer in everything() if answer.status_code >= 500} == {}


def test_a_merchant_that_closed_its_only_store_finds_its_pages(house: House) -> None:
    with tenancy.scope(house.world.merchant_id):
        Store.objects.update(closed_at=house.world.at)
    faults = {pattern: answer.status_code for pattern, answer in crawl(house) if answer.status_code >= 500}

    assert faults == {}
    assert house.person().get("/store/merchant/team").status_code == 200


def test_transport_is_strict_over_https(db: None) -> None:
    wanted = "max-age=31536000; includeSubDomains; preload"
    lacking = {
        pattern for pattern, answer in everything(secure=True) if answer.get("Strict-Transport-Security") != wanted
    }

    assert lacking == set()


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(db: None) -> None:
    faults, names = {}, set()
    for pattern, answer in everything():
        for name, cookie in answer.cookies.items():
            if cookie["max-age"] == 0:
                continue
            names.add(name)
            if cookie["samesite"] not in ("Lax", "Strict") or (not cookie["httponly"] and name not in READABLE):
                faults[f"{pattern} {name}"] = str(cookie)
    assert faults == {}
    assert "csrftoken" in names


def test_back_office_and_card_pages_stay_in_no_cache(db: None) -> None:
    faults = {
        pattern: answer.get("Cache-Control")
        for pattern, answer in everything()
        if is_page(answer) and answer.status_code == 200 and pattern.startswith(("store/", "loyalty/<"))
        and "no-store" not in answer.get("Cache-Control", "")
    }  # fmt: skip
    assert faults == {}


def test_files_are_not_guessed_at(db: None) -> None:
    answer = Client().get("/static/core/tokens.css")

    assert b"--ink" in answer.getvalue()
    assert answer["X-Content-Type-Options"] == "nosniff"
    answer.close()


@pytest.fixture
def administrator(db: None) -> Client:
    user = User.objects.create_user("root@example.com", is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    browser = Client(raise_request_exception=False)
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_every_page_of_the_admin_answers_and_is_guarded(house: House, administrator: Client) -> None:
    answers = {path: administrator.get(path) for path in ["/admin/", "/admin/loyalty/", *_admin_paths(house)]}

    assert {
        path: answer.status_code for path, answer in answers.items() if answer.status_code not in (200, 302, 403)
    } == {}
    assert {path: unguarded(path, answer) for path, answer in answers.items() if unguarded(path, answer)} == {}
    assert sum(answer.status_code == 200 for answer in answers.values()) > 60


def _admin_paths(house: House) -> Iterator[str]:
    with tenancy.scope(house.world.merchant_id):
        rows = {model: _any_row(model) for model in admin.site._registry}
    for model, row in rows.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        yield base
        yield f"{base}?q=Marie"
        yield f"{base}add/"
        if row is not None:
            yield from (f"{base}{row.pk}/{rest}/" for rest in ("change", "history", "delete"))


def _any_row(model: type[models.Model]) -> models.Model | None:
    return model._default_manager.first()
