"""Language, slashes and what stands around every page."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import translation

from core import tenancy
from core.middleware import fall_back, known_language
from merchants.models import Merchant, User
from tests.support.house import House
from tests.support.world import World


def language_of(answer: Any) -> str:
    return str(answer["Content-Language"])


@pytest.fixture
def person(db: None) -> User:
    return User.objects.create_user("anna@example.com", language="fr")


@pytest.fixture
def browser(person: User) -> Client:
    """A browser in which somebody who reads French is signed in."""
    made = Client()
    made.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return made


@pytest.mark.parametrize(
    ("tag", "known"),
    [
        ("de", "de"), ("de-AT", "de"), ("fr_CH", "fr"), ("lu", "lb"), ("LU", "lb"), ("lb-LU", "lb"), ("en-GB", "en"),
        ("es", None), ("", None), ("x" * 500, None), ("d", None),
    ],
)  # fmt: skip
def test_known_language(tag: str, known: str | None) -> None:
    assert known_language(tag) == known


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("de", "de"), ("es,fr;q=0.5", "fr"), ("lu", "lb"), ("lu-LU,fr;q=0.9", "lb"), ("es", "en"), ("*", "en"),
        ("", "en"), ("fr;q=0.2,de;q=0.9", "de"), (";;;,,", "en"), ("x" * 5000, "en"), ("de-DE-1996", "de"),
    ],
)  # fmt: skip
def test_strangers_get_what_their_browser_asks_for(db: None, accept: str, language: str) -> None:
    assert language_of(Client().get("/", headers={"Accept-Language": accept})) == language


def test_the_switch_goes_before_all_else(browser: Client) -> None:
    browser.post("/i18n/setlang/", {"language": "lb", "next": "/"})

    assert browser.cookies["django_language"].value == "lb"
    assert language_of(browser.get("/store/", headers={"Accept-Language": "de"})) == "lb"


def test_a_person_goes_before_the_browser(browser: Client) -> None:
    assert language_of(browser.get("/store/", headers={"Accept-Language": "de"})) == "fr"


def test_a_cookie_that_is_no_language_counts_as_none(browser: Client) -> None:
    browser.cookies["django_language"] = "klingon"

    assert language_of(browser.get("/store/", headers={"Accept-Language": "de"})) == "fr"


def test_nobody_chose_so_the_merchant_does(db: None) -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        Merchant.objects.update(default_language="lb")
    path = f"/loyalty/{world.store.code}/enroll"

    assert language_of(Client().get(path)) == "lb"
    assert language_of(Client().get(path, headers={"Accept-Language": "de"})) == "de"


def test_fall_back_changes_nothing_where_somebody_chose() -> None:
    request: Any = RequestFactory().get("/")
    request.language_is_default = False
    with translation.override("fr"):
        fall_back(request, "de")
        assert translation.get_language() == "fr"
        request.language_is_default = True
        fall_back(request, "no-language")
        assert translation.get_language() == "fr"
        fall_back(request, "lu")
        assert translation.get_language() == "lb"


def test_errors_of_the_api_are_in_the_callers_language(db: None) -> None:
    answers = {
        code: Client().get("/api/v1/store/loyalty/cards", headers={"Accept-Language": code}) for code in ("en", "de")
    }

    assert language_of(answers["de"]) == "de"
    assert "Accept-Language" in answers["de"]["Vary"]


def test_one_request_leaves_its_language_to_nobody(db: None) -> None:
    Client().get("/", headers={"Accept-Language": "de"})

    assert language_of(Client().get("/")) == "en"


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ("/signup", "/signup/"), ("/store", "/store/"), ("/pair/", "/pair"), ("/accounts/login", "/accounts/login/"),
        ("/loyalty/", "/loyalty"), ("/healthz/", "/healthz"), ("/signup?a=1&b=2", "/signup/?a=1&b=2"),
        ("/loyalty/gare/enroll/", "/loyalty/gare/enroll"), ("/admin", "/admin/"),
    ],
)  # fmt: skip
def test_the_other_form_of_an_address_redirects(db: None, asked: str, right: str) -> None:
    answer = Client().get(asked)

    assert (answer.status_code, answer["Location"]) == (301, right)


def test_store_pages_know_both_forms(db: None) -> None:
    house = House.make("ours")
    browser, base = house.person(), f"/store/{house.world.store.code}/loyalty"

    assert browser.get(base)["Location"] == f"{base}/"
    assert browser.get(f"{base}/cards/")["Location"] == f"{base}/cards"
    assert browser.get(f"{base}/nothing/").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/api/v1/store/loyalty/stamp/", "/api/schema", "/api/docs", "/nowhere/", "/nowhere", "//evil.example/", "//pair/"],
)
def test_nothing_else_redirects(db: None, path: str) -> None:
    assert Client().get("/x", PATH_INFO=path).status_code == 404


def test_writes_are_never_redirected(db: None) -> None:
    assert Client().post("/signup", {}).status_code == 404
