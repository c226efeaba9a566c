"""Promise 8 on the API: every address and method, by everybody who may not, and nothing changes."""

from typing import Any

import pytest
from django.test import Client

from core.ids import uuid7
from loyalty.queries import access
from merchants.enums import Role
from merchants.permissions import EARN, MANAGE, READ, REDEEM, SCOPES
from stores.rules import tokens
from tests.architecture import sweep
from tests.architecture.routes import CARD_API, PUBLIC_API, STORE_API, Use
from tests.support.house import House, send, undone

USES = [(pattern, method, use) for pattern, route in sweep.routes(STORE_API) for method, use in route.uses.items()]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NONSENSE = [
    "Bearer", "Bearer ", "Bearer lk_", "Bearer lk_abcdefgh_" + "x" * 43, "bearer " + "x" * 5000, "Basic YTpi",
    "Bearer lk_ä", "Card nothing", "Bearer a b c",
]  # fmt: skip


@pytest.fixture
def house(db: None) -> House:
    return House.make("ours")


@pytest.fixture
def other(db: None) -> House:
    return House.make("theirs")


def ask(pattern: str, method: str, use: Use, house: House, key: str, *, ids: dict[str, Any] | None = None,
        body: Any = None, **headers: str) -> Any:  # fmt: skip
    """Send a request that works but for who sends it."""
    path = sweep.address(pattern, ids or house.ids)
    body = use.body_for(house) if body is None else body
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return send(Client(), method, path, body, **headers)


def is_problem(answer: Any, status: int) -> bool:
    """Tell whether an answer is this refusal, as a problem document."""
    if answer.status_code != status or answer["Content-Type"] != "application/problem+json":
        return False
    return bool(answer.json()["status"] == status and answer.json()["code"])


def test_it_works(house: House) -> None:
    """With the right key each of them is accepted: so what follows is refused for the reason that is tested."""
    faults = {}
    for pattern, method, use in USES:
        with undone():
            if use.first is not None:
                use.first(house)
            answer = ask(pattern, method, use, house, house.world.key_text)
        if answer.status_code >= 400 and (pattern, method) != ("api/v1/store/loyalty/program", "POST"):
            faults[f"{method} {pattern}"] = (answer.status_code, answer.content)
    assert faults == {}


def test_without_a_credential_401(house: House) -> None:
    before, faults = house.picture(), {}
    for pattern in dict.fromkeys(pattern for pattern, _, _ in USES):
        for method in METHODS:
            answer = send(Client(), method, sweep.address(pattern, house.ids), {})
            if not is_problem(answer, 401) or "WWW-Authenticate" not in answer.headers:
                faults[f"{method} {pattern}"] = answer.content
    assert faults == {}
    assert house.picture() == before


@pytest.mark.parametrize("header", NONSENSE)
def test_with_a_credential_that_is_none_401(house: House, header: str) -> None:
    for pattern, method, use in USES[:4]:
        path = sweep.address(pattern, house.ids)
        answer = send(Client(), method, path, use.body_for(house), Authorization=header)
        assert is_problem(answer, 401), (pattern, answer.content)


def test_ids_of_another_merchant_in_the_path_404(house: House, other: House) -> None:
    before, faults = (house.picture(), other.picture(without=sweep.NOTED)), {}
    for pattern, method, use in USES:
        if sweep.names_in(pattern):
            answer = ask(pattern, method, use, house, other.world.key_text)
            if not is_problem(answer, 404):
                faults[f"{method} {pattern}"] = (answer.status_code, answer.content)
    assert faults == {}
    assert (house.picture(), other.picture(without=sweep.NOTED)) == before


def test_ids_of_another_merchant_in_the_path_with_a_bad_body_404(house: House, other: House) -> None:
    """The path comes before the body in the order of refusals: a foreign id never answers 400."""
    before, faults = house.picture(), {}
    for pattern, method, use in USES:
        if sweep.names_in(pattern) and use.body is not None:
            answer = ask(pattern, method, use, house, other.world.key_text, body={"no_such_field": 1})
            if not is_problem(answer, 404):
                faults[f"{method} {pattern}"] = (answer.status_code, answer.content)
    assert faults == {}
    assert house.picture() == before


def test_ids_that_nobody_has_are_answered_alike(house: House, other: House) -> None:
    """To the letter: whether a row exists at somebody else's place does not show."""
    nobody = {name: uuid7() for name in house.ids}
    for pattern, method, use in USES:
        if sweep.names_in(pattern):
            foreign = ask(pattern, method, use, house, other.world.key_text)
            unknown = ask(pattern, method, use, house, other.world.key_text, ids=nobody)
            assert foreign.content == unknown.content, pattern


def test_ids_of_another_merchant_in_the_body_are_refused(house: House, other: House) -> None:
    before, faults = (house.picture(), other.picture(without=(*sweep.NOTED, "stores_pinguard"))), {}
    for pattern, method, use in USES:
        if not use.names_things:
            continue
        answer = ask(pattern, method, use, house, other.world.key_text, ids=other.ids)
        allowed = (404,) if "card_id" in (use.body or {}) else (400, 403, 404)
        if answer.status_code not in allowed or sweep.leaked(answer, house, public_too=True):
            faults[f"{method} {pattern}"] = (answer.status_code, answer.content)
    assert faults == {}
    assert (house.picture(), other.picture(without=(*sweep.NOTED, "stores_pinguard"))) == before


@pytest.mark.parametrize("reference", ["card_number", "qr_code"])
def test_cards_of_another_merchant_by_number_and_code_404(house: House, other: House, reference: str) -> None:
    before = house.picture()
    value = {"card_number": house.card.card_number, "qr_code": house.card.qr_code_data}[reference]
    for pattern, method, use in USES:
        if "card_id" in (use.body or {}):
            body = {**(use.body_for(other) or {}), reference: value}
            del body["card_id"]
            answer = ask(pattern, method, use, other, other.world.key_text, body=body)
            assert is_problem(answer, 404), (pattern, answer.content)
    assert house.picture() == before


def test_store_of_another_merchant_in_the_header_404(house: House, other: House) -> None:
    before, faults = house.picture(), {}
    for pattern, method, use in USES:
        answer = ask(pattern, method, use, other, other.world.key_text, X_Store_Code=house.world.store.code)
        if not is_problem(answer, 404):
            faults[f"{method} {pattern}"] = (answer.status_code, answer.content)
    assert faults == {}
    assert house.picture() == before


def test_without_the_scope_403(house: House) -> None:
    """A key that has every scope but those that would do."""
    faults = {}
    others = {use.any_of: [scope for scope in SCOPES if scope not in use.any_of] for _, _, use in USES}
    keys = {any_of: house.key(scopes) for any_of, scopes in others.items()}
    before = house.picture(without=sweep.NOTED)
    for pattern, method, use in USES:
        for body in (None, {"no_such_field": 1}):
            answer = ask(pattern, method, use, house, keys[use.any_of], body=body)
            if not is_problem(answer, 403):
                faults[f"{method} {pattern} {body}"] = (answer.status_code, answer.content)
    assert faults == {}
    assert house.picture(without=sweep.NOTED) == before


@pytest.mark.parametrize("who", ["staff", "terminal"])
def test_what_a_manager_does_is_closed_to_staff_and_tills(house: House, who: str) -> None:
    browser = house.terminal() if who == "terminal" else house.person(Role.STAFF)
    before, faults = house.picture(without=sweep.NOTED), {}
    for pattern, method, use in USES:
        if use.any_of == (MANAGE,) and "/refund" not in pattern:
            answer = send(browser, method, sweep.address(pattern, house.ids), use.body_for(house))
            if not is_problem(answer, 403):
                faults[f"{method} {pattern}"] = (answer.status_code, answer.content)
    assert faults == {}
    assert house.picture(without=sweep.NOTED) == before


@pytest.mark.parametrize("who", ["owner", "terminal"])
def test_people_and_tills_of_another_merchant_404(house: House, other: House, who: str) -> None:
    browser = other.terminal() if who == "terminal" else other.person(Role.OWNER)
    before, faults = house.picture(), {}
    for pattern, method, use in USES:
        if sweep.names_in(pattern) or use.names_things:
            body = use.body_for(house)
            answer = send(browser, method, sweep.address(pattern, house.ids), body)
            refused = answer.status_code in (400, 403, 404)
            if not refused or sweep.leaked(answer, house, public_too=True):
                faults[f"{method} {pattern}"] = (answer.status_code, answer.content)
    assert faults == {}
    assert house.picture() == before


@pytest.mark.parametrize("who", ["person", "terminal"])
def test_writes_by_cookie_need_the_csrf_token(house: House, who: str) -> None:
    browser = house.person(enforce_csrf_checks=True) if who == "person" else house.terminal(enforce_csrf_checks=True)
    before, faults = house.picture(without=sweep.NOTED), {}
    for pattern, method, use in USES:
        if method != "GET":
            answer = send(browser, method, sweep.address(pattern, house.ids), use.body_for(house))
            if not is_problem(answer, 403):
                faults[f"{method} {pattern}"] = (answer.status_code, answer.content)
    assert faults == {}
    assert house.picture(without=sweep.NOTED) == before


def test_a_method_that_is_not_there_405(house: House) -> None:
    for pattern, route in sweep.routes(STORE_API):
        for method in set(METHODS) - set(route.methods):
            path = sweep.address(pattern, house.ids)
            answer = send(Client(), method, path, {}, Authorization=f"Bearer {house.world.key_text}")
            assert is_problem(answer, 405), (method, pattern, answer.content)


@pytest.mark.parametrize("end", ["revoked_at", "expires_at"])
def test_a_key_that_has_ended_401(house: House, end: str) -> None:
    from core import tenancy
    from stores.models import ApiKey

    with tenancy.scope(house.world.merchant_id):
        ApiKey.objects.update(**{end: house.world.at})
    for pattern, method, use in USES:
        answer = ask(pattern, method, use, house, house.world.key_text)
        assert is_problem(answer, 401), (pattern, answer.content)


def test_lists_and_searches_show_nothing_of_another_merchant(house: House, other: House) -> None:
    for word in (*house.private_words, *house.public_words, "M", "", "%", "_"):
        for path in ("cards?search=", "cards?status=active&search=", "cards?store="):
            answer = send(Client(), "GET", f"/api/v1/store/loyalty/{path}{word}", Authorization=f"Bearer {other.key()}")
            assert not sweep.leaked(answer, house, public_too=True), (path, word)
            assert answer.status_code in (200, 404)
        body = {"query": word or "M"}
        found = send(
            Client(), "POST", "/api/v1/store/loyalty/cards/lookup", body, Authorization=f"Bearer {other.key()}"
        )
        assert not sweep.leaked(found, house, public_too=True)


def test_customers_see_their_own_card_only(house: House, other: House) -> None:
    before = house.picture()
    for pattern, route in sweep.routes(CARD_API):
        path = sweep.address(pattern, house.ids)
        # What can only be written is asked for without a body: it is known by then who asks.
        method, fine = ("GET", (200, 404)) if "GET" in route.methods else ("POST", (400, 404))
        assert is_problem(send(Client(), method, path), 401)
        for header in ("Card", "Card x", f"Card {access.secret_of(house.card)[:-1]}", f"Bearer {house.key()}"):
            assert is_problem(send(Client(), method, path, Authorization=header), 401), header
        for answer in (
            send(Client(), method, path, Authorization=f"Card {access.secret_of(other.card)}"),
            send(other.customer(), method, f"{path}?store_code={house.world.store.code}"),
        ):
            assert answer.status_code in fine
            assert not sweep.leaked(answer, house, public_too=True)
    assert house.picture() == before


def test_what_is_public_names_no_person(house: House) -> None:
    for pattern, route in sweep.routes(PUBLIC_API):
        for method in route.methods:
            body = {"store_code": house.world.store.code, "email": "nobody@example.com"}
            answer = send(Client(), method, sweep.address(pattern, house.ids), body)
            assert answer.status_code < 400, (pattern, answer.content)
            assert not sweep.leaked(answer, house), pattern


def test_addresses_that_are_none_of_ours_are_problems_too() -> None:
    for path in ("/api/", "/api/v1/", "/api/v1/store/loyalty/nothing", "/api/v1/store/loyalty/stamp/", "/api/v2/x"):
        assert is_problem(send(Client(), "GET", path), 404), path


def test_the_picture_sees_one_stamp(house: House) -> None:
    before = house.picture()
    house.world.stamp(house.card)

    assert house.picture() != before


def test_keys_have_the_form_that_the_nonsense_imitates() -> None:
    assert tokens.read_api_key(tokens.new_api_key().text)
    assert {READ, EARN, REDEEM, MANAGE} == set(SCOPES)
