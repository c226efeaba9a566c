"""The till's page: who may open it, what it carries, and that its scripts know every sentence they say."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone, translation

from core import tenancy
from dashboard.views.terminal_words import words
from merchants.enums import Role
from merchants.models import MerchantSettings
from stores.models import Store
from stores.queries.devices import TERMINAL_COOKIE
from stores.services import terminals
from tests.dashboard.conftest import Shop

SCRIPTS = settings.BASE_DIR / "static" / "dashboard" / "terminal"
HOOKS = {"scan-input", "staff-tile", "pin-key", "card-sheet", "give", "amount-key", "redeem", "undo", "queue-count"}
# Sentences whose names the scripts put together, by their beginning.
PUT_TOGETHER = ("row_", "state_")


def till(shop: Shop, store: Store | None = None) -> Client:
    """Return the browser of a paired device."""
    place = store or shop.world.store
    made = terminals.make_pairing_code(
        merchant_id=shop.merchant_id, store_id=place.pk, name="Till 7", user_id=shop.world.owner.pk, at=timezone.now()
    )
    browser = Client()
    browser.cookies[TERMINAL_COOKIE] = terminals.pair(code=made.code, at=timezone.now()).token
    return browser


class Page(HTMLParser):
    """The attributes of every element of a page."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def data(self) -> dict[str, Any]:
        """Return what the scripts read."""
        return next(attrs for _tag, attrs in self.elements if attrs.get("id") == "till")


def test_it_works(shop: Shop) -> None:
    response = till(shop).get(shop.page("terminal"))

    assert response.status_code == 200
    page = Page(response)
    assert {attrs.get("data-test") for _tag, attrs in page.elements} >= HOOKS
    assert page.data()["data-store"] == shop.code
    assert page.data()["data-needs-pin"] == "no"
    assert b"Till 7" in response.content
    assert response["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize("code", ["", "nobody-has-this-code"])
def test_stranger_is_led_to_the_pairing_page(shop: Shop, code: str) -> None:
    response = Client().get(f"/store/{code or shop.code}/loyalty/terminal")

    assert (response.status_code, response.headers["Location"]) == (302, "/pair")


def test_revoked_device_is_led_to_the_pairing_page(shop: Shop) -> None:
    browser = till(shop)
    with tenancy.scope(shop.merchant_id):
        ids = [row.pk for row in terminals.Terminal.objects.all()]
    for terminal_id in ids:
        terminals.revoke(merchant_id=shop.merchant_id, terminal_id=terminal_id, at=timezone.now())

    response = browser.get(shop.page("terminal"))

    assert (response.status_code, response.headers["Location"]) == (302, "/pair")


def test_foreign_store_is_not_found(shop: Shop, other: Shop) -> None:
    assert till(other).get(shop.page("terminal")).status_code == 404
    assert other.client().get(shop.page("terminal")).status_code == 404


def test_device_of_another_store_gets_its_own_till(shop: Shop) -> None:
    with tenancy.scope(shop.merchant_id):
        second = Store.objects.create(code=f"{shop.code}-2", name="Kirchberg")

    response = till(shop, second).get(shop.page("terminal"))

    assert (response.status_code, response.headers["Location"]) == (302, f"/store/{second.code}/loyalty/terminal")


@pytest.mark.parametrize("role", Role.values)
def test_people_of_every_role_may_open_it(shop: Shop, role: str) -> None:
    assert shop.client(role).get(shop.page("terminal")).status_code == 200


@pytest.mark.parametrize(
    ("policy", "program_asks", "asks"),
    [("required", False, "yes"), ("disabled", True, "no"), ("optional", True, "yes"), ("optional", False, "no")],
)
def test_policy_decides_whether_a_pin_is_asked(shop: Shop, policy: str, program_asks: bool, asks: str) -> None:
    shop.world.change(require_staff_pin=program_asks)
    with tenancy.scope(shop.merchant_id):
        MerchantSettings.objects.update(staff_pin_policy=policy)

    assert Page(till(shop).get(shop.page("terminal"))).data()["data-needs-pin"] == asks


def test_voids_that_the_platform_forbids_are_not_offered(shop: Shop) -> None:
    with tenancy.scope(shop.merchant_id):
        MerchantSettings.objects.update(allow_void_transactions=False)

    assert Page(till(shop).get(shop.page("terminal"))).data()["data-void-minutes"] == "0"


def test_policy_allows_the_camera_and_nothing_inline(shop: Shop) -> None:
    response = till(shop).get(shop.page("terminal"))

    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    assert "media-src 'self' blob:" in policy
    assert "unsafe-inline" not in policy
    elements = Page(response).elements
    assert [attrs for tag, attrs in elements if tag == "script" and not attrs.get("src")] == []
    assert [name for _tag, attrs in elements for name in attrs if name == "style" or name.startswith("on")] == []


def test_page_of_another_route_keeps_the_strict_policy(shop: Shop) -> None:
    till(shop).get(shop.page("terminal"))

    assert "wasm" not in shop.client().get(shop.page("terminals")).headers["Content-Security-Policy"]


def test_page_reads_in_few_queries(shop: Shop, django_assert_num_queries: Any) -> None:
    browser = till(shop)

    # The device; into the scope (2); access, trade and program; out of the scope (2).
    with django_assert_num_queries(8):
        browser.get(shop.page("terminal"))


def said() -> set[str]:
    """Return the names of the sentences that the scripts say."""
    text = "\n".join(script.read_text(encoding="utf-8") for script in SCRIPTS.glob("*.js"))
    return (
        set(re.findall(r'\bt\("(\w+)"', text))
        | set(re.findall(r'\bt\(\w+ \? "(\w+)"', text))
        | set(re.findall(r'\bt\(\w+ \? "\w+" : "(\w+)"', text))
    )


def test_scripts_say_only_sentences_that_the_page_carries() -> None:
    assert said() - set(words()) == set()


def test_every_sentence_is_said() -> None:
    text = "\n".join(script.read_text(encoding="utf-8") for script in SCRIPTS.glob("*.js"))
    unsaid = {name for name in words() if f'"{name}"' not in text and not name.startswith(PUT_TOGETHER)}
    # Codes of the server that are names of sentences at once: refusal.js says them by their code.
    assert unsaid == {
        "program_not_active", "card_not_active", "merchant_suspended", "reward_not_available", "store_not_in_program",
    }  # fmt: skip


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_sentences_keep_their_places_in_every_language(language: str) -> None:
    with translation.override("en"):
        english = words()
    with translation.override(language):
        translated = words()

    for name, text in english.items():
        assert places(translated[name]) == places(text), name


def places(text: str | dict[str, str]) -> set[str]:
    """Return the values that a sentence needs; a singular may leave out its count."""
    forms = [text] if isinstance(text, str) else list(text.values())
    return set().union(*(set(re.findall(r"%\((\w+)\)s", form)) for form in forms))


def test_words_reach_the_page_as_data(shop: Shop) -> None:
    data = Page(till(shop).get(shop.page("terminal"), headers={"accept-language": "en"})).data()

    assert json.loads(str(data["data-words"]))["give_stamps"] == {
        "one": "Give %(count)s stamp",
        "other": "Give %(count)s stamps",
    }
