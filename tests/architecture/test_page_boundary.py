"""Promise 8 on the pages: every address, by everybody who may not, and nothing changes."""

from typing import Any

import pytest
from django.test import Client

from core.ids import uuid7
from merchants.enums import Role
from merchants.permissions import MANAGE, READ
from tests.architecture import sweep
from tests.architecture.routes import (
    ANYONE,
    CUSTOMER,
    MERCHANT_PAGE,
    OWN_CARD,
    PERSON,
    ROUTES,
    SIGNED,
    STORE_PAGE,
    SWITCH,
    TERMINAL,
    TERMINAL_PAGE,
)  # fmt: skip
from tests.support.house import House

OF_MERCHANTS = [(pattern, route) for pattern, route in sweep.routes(MERCHANT_PAGE, STORE_PAGE)]
WITH_IDS = [
    (pattern, route) for pattern, route in OF_MERCHANTS if {name for name in sweep.names_in(pattern) if "_id" in name}
]
LOGIN, PAIR = "/accounts/login/", "/pair"


@pytest.fixture
def house(db: None) -> House:
    return House.make("ours")


@pytest.fixture
def other(db: None) -> House:
    return House.make("theirs")


def ask(browser: Client, method: str, path: str) -> Any:
    return browser.get(path) if method == "GET" else browser.post(path, {"name": "Changed", "role": "owner"})


def test_it_works(house: House) -> None:
    """The owner and a manager read every page: so what follows is refused for the reason that is tested."""
    faults = {}
    for role in (Role.OWNER, Role.MANAGER):
        browser = house.person(role)
        for pattern, route in [*OF_MERCHANTS, *sweep.routes(PERSON, TERMINAL_PAGE)]:
            if "GET" in route.methods and pattern != "store/<path:rest>":
                answer = browser.get(sweep.address(pattern, house.ids))
                if answer.status_code not in (200, 302) or answer.get("Location", "").startswith(LOGIN):
                    faults[f"{role} {pattern}"] = answer.status_code
    assert faults == {}


def test_anonymous_visitors_sign_in_first(house: House) -> None:
    before, faults = house.picture(), {}
    for pattern, route in [*OF_MERCHANTS, *sweep.routes(PERSON)]:
        for method in route.methods:
            path = sweep.address(pattern, house.ids)
            answer = ask(Client(), method, path)
            if answer.status_code != 302 or not answer["Location"].startswith(f"{LOGIN}?next=/store/"):
                faults[f"{method} {pattern}"] = (answer.status_code, answer.get("Location"))
    assert faults == {}
    assert house.picture() == before


def test_an_address_tells_anonymous_visitors_nothing(house: House) -> None:
    """Unknown stores and ids are answered as existing ones are."""
    nobody = {**{name: uuid7() for name in house.ids}, "store_code": "nowhere", "number": 1, "rest": "x", "status": "y"}
    for pattern, route in OF_MERCHANTS:
        for method in route.methods:
            assert ask(Client(), method, sweep.address(pattern, nobody)).status_code == 302, pattern


def test_other_merchants_owners_and_managers_get_404(house: House, other: House) -> None:
    before, faults = house.picture(), {}
    for role in (Role.OWNER, Role.MANAGER, Role.STAFF):
        browser = other.person(role)
        for pattern, route in [*sweep.routes(STORE_PAGE), *sweep.routes(TERMINAL_PAGE)]:
            for method in route.methods:
                answer = ask(browser, method, sweep.address(pattern, house.ids))
                if answer.status_code != 404 or sweep.leaked(answer, house, public_too=True):
                    faults[f"{role} {method} {pattern}"] = answer.status_code
    assert faults == {}
    assert house.picture() == before


def test_ids_of_another_merchant_at_ones_own_store_get_404(house: House, other: House) -> None:
    browser, faults = other.person(), {}
    before = house.picture(), other.picture()
    mixed = {**house.ids, "store_code": other.ids["store_code"]}
    for pattern, route in WITH_IDS:
        for method in route.methods:
            answer = ask(browser, method, sweep.address(pattern, mixed))
            if answer.status_code != 404 or sweep.leaked(answer, house, public_too=True):
                faults[f"{method} {pattern}"] = answer.status_code
    assert faults == {}
    assert (house.picture(), other.picture()) == before


def test_own_card_with_a_transaction_of_another_merchant_404(house: House, other: House) -> None:
    browser = other.person()
    before = house.picture(), other.picture()
    mixed = {**other.ids, "transaction_id": house.ids["transaction_id"]}
    for pattern, route in WITH_IDS:
        if "transaction_id" in pattern:
            for method in route.methods:
                answer = browser.generic(method, sweep.address(pattern, mixed))
                assert answer.status_code == 404 or (method == "POST" and answer.status_code == 400), pattern
    assert (house.picture(), other.picture()) == before


def test_staff_see_what_their_role_may(house: House) -> None:
    browser, faults = house.person(Role.STAFF), {}
    before = house.picture()
    for pattern, route in OF_MERCHANTS:
        for method in route.methods:
            status = ask(browser, method, sweep.address(pattern, house.ids)).status_code
            if (status == 403) is not (route.role == MANAGE):
                faults[f"{method} {pattern}"] = status
    assert faults == {}
    assert house.picture() == before
    assert {route.role for _, route in OF_MERCHANTS} == {MANAGE, READ}


def test_people_without_a_merchant_get_404(house: House) -> None:
    from merchants.models import User

    browser, faults = Client(), {}
    browser.force_login(
        User.objects.create_user("nobody@example.com"), backend="django.contrib.auth.backends.ModelBackend"
    )
    for pattern, route in OF_MERCHANTS:
        for method in route.methods:
            status = ask(browser, method, sweep.address(pattern, house.ids)).status_code
            if status != 404:
                faults[f"{method} {pattern}"] = status
    assert faults == {}


def test_who_was_removed_from_the_team_gets_404_at_once(house: House) -> None:
    from core import tenancy
    from merchants.models import Membership

    browser = house.person(Role.MANAGER)
    assert browser.get(sweep.address("store/<slug:store_code>/loyalty/", house.ids)).status_code == 200
    with tenancy.scope(house.world.merchant_id):
        Membership.objects.filter(role=Role.MANAGER).update(is_active=False)
    for pattern, route in OF_MERCHANTS:
        for method in route.methods:
            assert ask(browser, method, sweep.address(pattern, house.ids)).status_code == 404, pattern


def test_forms_need_the_csrf_token(house: House) -> None:
    strict, faults = house.person(enforce_csrf_checks=True), {}
    before = house.picture()
    for pattern, route in ROUTES.items():
        if "POST" in route.methods and not pattern.startswith("api/") and route.who != SIGNED:
            answer = ask(strict, "POST", sweep.address(pattern, {**house.ids, "key": "x", "uidb36": "x"}))
            if answer.status_code != 403:
                faults[pattern] = answer.status_code
    assert faults == {}
    assert house.picture() == before


def test_switches_answer_posts_only() -> None:
    for pattern, _ in sweep.routes(SWITCH):
        answer = Client().get(sweep.address(pattern, {}))
        assert answer.status_code in (302, 405), pattern
        assert not answer.cookies, pattern


def test_terminal_leads_strangers_to_the_pairing_page(house: House, other: House) -> None:
    path = sweep.address(TERMINAL, house.ids)

    assert Client().get(path)["Location"] == PAIR
    assert Client().get(path.replace(house.world.store.code, "nowhere"))["Location"] == PAIR
    assert house.terminal().get(path).status_code == 200
    foreign = other.terminal().get(path)
    assert foreign.status_code == 404
    assert not sweep.leaked(foreign, house, public_too=True)


def test_tills_open_no_page_of_the_back_office(house: House) -> None:
    for pattern, route in OF_MERCHANTS:
        for method in route.methods:
            answer = ask(house.terminal(), method, sweep.address(pattern, house.ids))
            assert answer["Location"].startswith(LOGIN), pattern


def test_customers_see_their_own_card_only(house: House, other: House) -> None:
    for pattern, _ in sweep.routes(CUSTOMER):
        path = sweep.address(pattern, house.ids)
        assert house.customer().get(path).status_code == 200, pattern
        for browser in (Client(), other.customer(), other.person(), house.person()):
            answer = browser.get(path)
            assert (answer.status_code, answer["Location"]) == (302, f"/loyalty/{house.world.store.code}/enroll")
            assert not sweep.leaked(answer, house), pattern


def test_cards_cookie_under_another_programs_name_opens_nothing(house: House, other: House) -> None:
    """The cookie is signed for its name: a holder cannot rename it to see another merchant's card."""
    browser = Client()
    [(name, morsel)] = other.customer().cookies.items()
    [target] = house.customer().cookies
    browser.cookies[target] = morsel.value
    browser.cookies[name] = morsel.value[:-1] + ("A" if morsel.value[-1] != "A" else "B")

    for pattern, _ in sweep.routes(CUSTOMER):
        for shop in (house, other):
            assert browser.get(sweep.address(pattern, shop.ids)).status_code == 302


def test_doors_without_a_code_lead_to_the_own_card(house: House, other: House) -> None:
    for pattern, _ in sweep.routes(OWN_CARD):
        assert house.world.store.code in house.customer().get(sweep.address(pattern, {}))["Location"]
        assert Client().get(sweep.address(pattern, {}))["Location"] == "/"


def test_pages_for_anyone_name_no_person(house: House, other: House) -> None:
    for pattern, route in sweep.routes(ANYONE):
        for browser in (Client(), other.customer(), other.person(), other.terminal()):
            if "GET" in route.methods:
                answer = browser.get(sweep.address(pattern, house.ids))
                assert answer.status_code in (200, 302, 410), (pattern, answer.status_code)
                assert not sweep.leaked(answer, house), pattern


def test_admin_lets_nobody_in_but_the_platforms_people(house: House) -> None:
    """Owners are led to the sign-in; even the platform's staff first set up a second factor."""
    from merchants.models import User

    root = User.objects.create_user("root@example.com", is_staff=True, is_superuser=True)
    admin = Client()
    admin.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    ids = {"object_id": house.card.pk, "content_type_id": 1, "id": root.pk, "app_label": "loyalty", "url": "x"}
    ids["merchant_id"] = house.world.merchant_id
    open_to_all = ("admin/login/", "admin/logout/", "admin/jsi18n/")
    faults = {}
    for pattern, _ in sweep.patterns():
        if not pattern.startswith("admin/") or pattern in open_to_all:
            continue
        path = sweep.address(pattern, ids)
        for who, browser, target in (
            ("anonymous", Client(), "/admin/login/"),
            ("owner", house.person(), "/admin/login/"),
            ("administrator without a second factor", admin, "/accounts/2fa/totp/activate/"),
        ):
            answer = browser.get(path)
            if answer.status_code != 302 or not answer["Location"].startswith(target):
                faults[f"{who} {pattern}"] = (answer.status_code, answer.get("Location"))
            elif sweep.leaked(answer, house, public_too=True):
                faults[f"{who} {pattern}"] = "leaks"
    assert faults == {}
