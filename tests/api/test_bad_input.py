"""Promise 16: whatever a client sends, the answer says what is wrong with it, and nothing is half done."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client

from core import tenancy
from core.api.parsers import MAX_BYTES
from loyalty.queries import access
from stores.models import Store
from tests.architecture import sweep
from tests.architecture.routes import STORE_API, Use
from tests.support.desk import Desk
from tests.support.house import House, send, undone
from tests.support.own_api import BODIES, PAGES

NUL, RTL = "a\x00b", "\u202egnp.exe\u202c"
VALUES: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**59, 1.5, "", " ", "x", "x" * 5000, NUL, RTL,
    "\U0001f600" * 40, "%00", "%s%n", "{card_id}", "<script>alert(1)</script>", "'; DROP TABLE loyalty_card; --",
    "٣", "1e9", "NaN", "-0", [], {}, [[]], ["x"], [None], {"a": 1}, {"$gt": ""}, "00000000-0000-0000-0000-000000000000",
]  # fmt: skip
# What JSON cannot hold, or not like this.
TEXTS: list[bytes] = [
    b"{", b"null", b"[]", b"1", b'"x"', b"true", b"NaN", b'{"quantity": NaN}', b'{"quantity": Infinity}',
    b'{"quantity": -Infinity}', b'{"quantity": 1e400}', b'{"quantity": 1' + b"0" * 5000 + b"}",
    b'{"quantity": 1, "quantity": 2}', b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"\xff\xfe{}",
    b"\xef\xbb\xbf{}", b'{"name": "\xff"}', b'{"name": "\\ud800"}', b'{"name": "\\u0000"}', b"a=b&c=d", b"<a/>",
]  # fmt: skip
USES = [(pattern, method, use) for pattern, route in sweep.routes(STORE_API) for method, use in route.uses.items()]
USES += [(key.split(" ", 1)[1], key.split(" ")[0], Use((), body)) for key, body in BODIES.items()]
WRITES = [(pattern, method, use) for pattern, method, use in USES if method in ("POST", "PATCH")]
QUERIES = {
    "v1/store/loyalty/reviews": "page_size cursor",
    "v1/merchant/customers": "page_size cursor search store",
    "v1/merchant/stores": "page_size cursor",
    "v1/merchant/team": "page_size cursor",
    "v1/merchant/team/invitations": "page_size cursor",
    "v1/merchant/terminals": "page_size cursor store",
    "v1/merchant/api-keys": "page_size cursor",
    "v1/merchant/analytics": "from to store",
    "v1/merchant/exports/cards.csv": "from to store",
    "v1/merchant/exports/transactions.csv": "from to store",
    "v1/merchant/exports/customers.csv": "from to store",
    "v1/storefront/loyalty/profile": "store_code",
    "v1/storefront/loyalty/consents": "store_code",
    "v1/storefront/loyalty/transactions": "store_code page_size cursor",
    "v1/storefront/loyalty/export": "store_code",
    "v1/admin/loyalty/programs": "search status merchant page_size cursor",
    "v1/store/loyalty/cards": "page_size cursor search status ordering store no_such_name",
    "v1/store/loyalty/cards/{card_id}/transactions": "page_size cursor",
    "v1/store/loyalty/rewards": "page_size cursor is_active",
    "v1/store/loyalty/pins": "page_size cursor is_active",
    "v1/store/loyalty/staff": "page_size cursor",
    "v1/storefront/loyalty/card": "store_code",
    "schema/": "format lang",
}
# A lock on guesses is what a wrong PIN is meant to leave behind.
LEFT = (*sweep.NOTED, "stores_pinguard", "stores_staffpin")


@pytest.fixture
def house(db: None, settings: Any) -> House:
    settings.LOYALTY_THROTTLE_SCALE = 1_000_000
    house = House.make("ours")
    with tenancy.scope(house.world.merchant_id):
        Store.objects.update(own_device_enabled=True)
    return house


def proof(house: House, pattern: str) -> str:
    """Return who calls: the holder of the card on the customer's side, a key that may do everything elsewhere."""
    own = "storefront" in pattern or pattern.startswith(PAGES)
    return f"Card {access.secret_of(house.card)}" if own else f"Bearer {house.world.key_text}"


def ask(house: House, method: str, pattern: str, body: Any, **headers: str) -> Any:
    client = Client(raise_request_exception=False)
    sent = {"Authorization": proof(house, pattern), **headers}
    return send(client, method, sweep.address(pattern, house.ids), body, **sent)


def allowed(pattern: str) -> tuple[int, ...]:
    """Return how an unreadable body is refused; a store with a program says so before it reads another one."""
    return (400, 409) if pattern.endswith("/program") else (400,)


def fault(answer: Any) -> str:
    """Return what is wrong with an answer to bad input: "" for a success or a problem document that can be read."""
    if answer.status_code < 400:
        return ""
    if answer.status_code >= 500 or answer.get("Content-Type") != "application/problem+json":
        return f"{answer.status_code} {answer.content[:200]!r}"
    body = answer.json()
    nameless = answer.status_code == 400 and body["code"] == "validation_error" and not body["errors"]
    return "no field is named" if nameless or not body["detail"] else ""


@pytest.mark.parametrize(("pattern", "method", "use"), WRITES, ids=lambda part: part if isinstance(part, str) else "")
def test_every_field_takes_any_value_without_falling(house: House, pattern: str, method: str, use: Use) -> None:
    """Each field of the body in turn becomes each value; what is accepted is undone, the rest changes nothing."""
    faults, good = {}, use.body_for(house) or {}
    before = house.picture(without=LEFT)
    for name in [*good, "staff_pin", "no_such_field"]:
        for value in VALUES:
            with transaction.atomic():
                answer = ask(house, method, pattern, {**good, name: value})
                transaction.set_rollback(answer.status_code < 400)
            if fault(answer):
                faults[f"{name}={value!r}"[:150]] = fault(answer)
    assert faults == {}
    assert house.picture(without=LEFT) == before


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:30]))
def test_bodies_that_are_no_object_are_validation_errors(house: House, text: bytes) -> None:
    before, faults = house.picture(without=LEFT), {}
    for pattern, method, use in WRITES:
        if use.body:
            answer = ask(house, method, pattern, text)
            if answer.status_code not in allowed(pattern) or fault(answer):
                faults[f"{method} {pattern}"] = (answer.status_code, answer.content[:200])
    assert faults == {}
    assert house.picture(without=LEFT) == before


def test_no_body_is_an_empty_one(house: House) -> None:
    before = house.picture(without=LEFT)
    for pattern, method, use in WRITES:
        if use.body and not pattern.startswith(PAGES):
            with undone():
                nothing = ask(house, method, pattern, b"")
            with undone():
                empty = ask(house, method, pattern, {})
            assert nothing.status_code == empty.status_code, pattern
            assert not fault(nothing)
    assert house.picture(without=LEFT) == before


def test_ten_megabytes_are_too_much(house: House) -> None:
    text = json.dumps({"card_id": str(house.card.pk), "order_reference": "x" * 10_000_000})
    for pattern, method, use in WRITES:
        answer = ask(house, method, pattern, text)
        if use.body:
            assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large"), pattern


def test_the_largest_body_is_still_read(house: House) -> None:
    answer = ask(house, "POST", "api/v1/store/loyalty/stamp", b'{"card_id": "x"}' + b" " * (MAX_BYTES - 16))

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "card_id")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded", "", "x" * 300]
)
def test_other_kinds_of_bodies_are_told_apart(house: House, kind: str) -> None:
    client = Client(raise_request_exception=False)
    for pattern, method, use in WRITES:
        headers = {"Authorization": proof(house, pattern)}
        if use.body and not pattern.startswith(PAGES):
            answer = client.generic(
                method, sweep.address(pattern, house.ids), b"a=b", content_type=kind, headers=headers
            )
            assert answer.status_code in (400, 415), (pattern, answer.content)
            assert not fault(answer)


@pytest.mark.parametrize("value", ["", " ", "x" * 129, "ä", "a\x00b", "a\tb", "x" * 100_000])
def test_keys_of_a_wrong_form_are_refused(house: House, value: str) -> None:
    before = house.picture(without=LEFT)
    client = Client(raise_request_exception=False, headers={"Idempotency-Key": value})
    body = {"card_id": str(house.card.pk)}
    answer = send(client, "POST", "/api/v1/store/loyalty/stamp", body, Authorization=f"Bearer {house.key()}")

    assert answer.status_code == (201 if value == " " else 400), answer.content
    assert not fault(answer)
    if value != " ":
        assert house.picture(without=LEFT) == before


@pytest.mark.parametrize(
    "name", ["X-Store-Code", "X-Terminal", "Accept-Language", "User-Agent", "Accept", "X-Forwarded-For"]
)
@pytest.mark.parametrize("value", [NUL, "x" * 60_000, "ä", "\u202e", "*/*;q=x", ",,,,;;;", "'\"--"])
def test_headers_take_any_value(house: House, name: str, value: str) -> None:
    for method, path, body in (
        ("GET", "cards", None),
        ("POST", "stamp", {"card_id": str(house.card.pk)}),
        ("POST", "pins/verify", {"staff_pin": "1234"}),
        ("GET", "pins", None),
    ):
        answer = ask(house, method, f"api/v1/store/loyalty/{path}", body, **{name: value})
        assert not fault(answer), (path, answer.status_code, answer.content)


@pytest.mark.parametrize(
    "value", [NUL, "x" * 20_000, RTL, "-1", "0", "9" * 30, "1.5", "٣", "e30", "W10=", "null", "[", "%"]
)
def test_queries_take_any_value(house: House, value: str) -> None:
    for path, names in QUERIES.items():
        for name in names.split():
            client = Desk.open(raise_request_exception=False) if "/admin/" in path else Client()
            client.raise_request_exception = False
            if "/admin/" not in path:
                client.defaults["HTTP_AUTHORIZATION"] = proof(house, path)
            answer = client.get(f"/api/{path.format(**house.ids)}?{name}={quote(value)}")
            assert not fault(answer), (path, name, answer.status_code, answer.content[:300])


@pytest.mark.parametrize(
    "code", ["%00", "a%00b", "%ff", "%20", "x" * 5000, "..", "%2e%2e%2f", "%E2%80%AE", "%25", "'", "-"]
)
def test_addresses_take_any_code(house: House, code: str) -> None:
    """Wherever an address has text: pages and API, for strangers and for those who are signed in."""
    quiet = {"raise_request_exception": False}
    person, terminal, customer = house.person(**quiet), house.terminal(**quiet), house.customer(**quiet)
    callers = {"store": [person, terminal], "loyalty": [customer], "c": [customer, terminal]}
    ids = {**house.ids, **dict.fromkeys(("store_code", "code", "token", "rest", "key", "uidb36", "status"), code)}
    faults = {}
    for pattern, _ in sweep.patterns():
        if {"store_code", "code", "token", "rest", "key", "status"} & set(sweep.names_in(pattern)):
            for browser in callers.get(pattern.split("/")[0], [Client(**quiet)]):
                for method in ("GET", "POST"):
                    with undone():
                        answer = browser.generic(method, sweep.address(pattern, ids))
                    if answer.status_code >= 500:
                        faults[f"{method} {pattern}"] = answer.status_code
    assert faults == {}
