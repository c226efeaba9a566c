"""Terminals over the merchant API: paired by a code that is shown once, renamed, signed out."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import tenancy
from core.ids import uuid7
from stores.models import ApiKey, Terminal, TerminalPairing
from stores.services import terminals
from tests.factories.stores import ApiKeyFactory, StoreFactory, TerminalFactory
from tests.stores.api.conftest import Shop
from tests.support.merchant_api import at, kept, named


def rows(shop: Shop) -> list[Terminal]:
    with tenancy.scope(shop.merchant):
        return list(Terminal.objects.order_by("paired_at"))


def pairings(shop: Shop) -> list[TerminalPairing]:
    with tenancy.scope(shop.merchant):
        return list(TerminalPairing.objects.all())


@pytest.mark.parametrize("by", ["owner", "key"])
def test_it_works_from_the_code_to_the_device(shop: Shop, by: str, settings: Any) -> None:
    settings.SITE_URL = "https://cards.example"
    ask = shop.by_owner if by == "owner" else shop.by_key

    made = ask("post", at("terminals"), {"name": " Bar  left ", "store": shop.store.code})

    body = made.json()
    assert made.status_code == 201
    assert set(body) == {"name", "store", "code", "expires_at", "pair_url"}
    assert (body["name"], body["pair_url"]) == ("Bar left", "https://cards.example/pair")
    assert body["store"] == {"id": str(shop.store.pk), "code": shop.store.code, "name": shop.store.name}
    left = datetime.fromisoformat(body["expires_at"]) - timezone.now()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)

    paired = terminals.pair(code=body["code"], at=timezone.now()).terminal
    listed = shop.by_key("get", at("terminals")).json()["results"]
    assert [row["id"] for row in listed] == [str(paired.pk), str(shop.terminal.pk)]
    assert (listed[0]["name"], listed[0]["store"]["code"]) == ("Bar left", shop.store.code)
    assert paired.paired_by_id == (shop.owner.pk if by == "owner" else None)


def test_the_store_is_the_only_one_or_is_named(shop: Shop) -> None:
    assert shop.by_key("post", at("terminals"), {"name": "Till"}).status_code == 201
    assert shop.by_key("post", at("terminals"), {"name": "Till", "store": str(shop.store.pk)}).status_code == 201
    second = StoreFactory(merchant=shop.merchant)

    refused = shop.by_key("post", at("terminals"), {"name": "Till"})
    assert (refused.status_code, refused.json()["code"]) == (400, "store_required")
    by_header = shop.by_key("post", at("terminals"), {"name": "Till"}, **{"X-Store-Code": second.code})
    assert by_header.json()["store"]["code"] == second.code


def test_the_same_key_makes_one_code_and_replays_without_it(shop: Shop) -> None:
    sent = {"name": "Till", "store": shop.store.code}
    first, again = (shop.by_key("post", at("terminals"), sent, **{"Idempotency-Key": "d1"}) for _ in range(2))
    other = shop.by_key("post", at("terminals"), {**sent, "name": "Bar"}, **{"Idempotency-Key": "d1"})

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again.json() == {**first.json(), "code": None}
    assert len(pairings(shop)) == 1
    assert first.json()["code"] not in kept(shop.merchant, "d1")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, ("name", "required")), ({"name": ""}, ("name", "blank")), ({"name": 5}, ("name", "invalid")),
        ({"name": None}, ("name", "null")), ({"name": "x" * 61}, ("name", "max_length")),
        ({"name": "a\x00"}, ("name", "null_characters_not_allowed")), ({"name": "T", "store": 5}, ("store", "invalid")),
        ({"name": "T", "store": "x" * 61}, ("store", "max_length")), ({"name": "T", "store": None}, ("store", "null")),
        ({"name": "T", "code": "ABCDEFGH"}, ("code", "unknown_field")),
    ],
)  # fmt: skip
def test_refuses_bad_values_and_makes_no_code(shop: Shop, body: Any, problem: tuple[str, str]) -> None:
    assert named(shop.by_key("post", at("terminals"), body)) == [problem]

    assert pairings(shop) == []


def test_a_store_that_is_not_ours_is_not_found(shop: Shop, make_shop: Callable[[], Shop]) -> None:
    foreign = make_shop()

    for reference in (foreign.store.code, str(foreign.store.pk), "nowhere", str(uuid7())):
        answer = shop.by_key("post", at("terminals"), {"name": "Till", "store": reference})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert pairings(shop) == pairings(foreign) == []


def test_renames_and_signs_out(shop: Shop) -> None:
    path = at(f"terminals/{shop.terminal.pk}")

    assert shop.by_owner("patch", path, {"name": "Bar"}).json()["name"] == "Bar"
    assert shop.by_owner("patch", path, {}).json()["name"] == "Bar"
    assert shop.by_terminal("get", "staff").status_code == 200
    assert [shop.by_owner("delete", path).status_code for _ in range(2)] == [204, 204]

    assert shop.by_terminal("get", "staff").status_code == 401
    assert shop.by_owner("get", at("terminals")).json()["results"] == []
    assert shop.by_owner("patch", path, {"name": "X"}).status_code == 404
    for body in ({"name": ""}, {"name": None}, {"name": 5}, {"name": "x" * 61}, {"store": "x"}, {"token": "x"}):
        other = TerminalFactory(merchant=shop.merchant, store=shop.store)
        assert shop.by_owner("patch", at(f"terminals/{other.pk}"), body).status_code == 400


@pytest.mark.parametrize("count", [1, 3])
def test_lists_take_the_same_queries_for_one_and_three(shop: Shop, count: int) -> None:
    for _ in range(count - 1):
        TerminalFactory(merchant=shop.merchant, store=StoreFactory(merchant=shop.merchant))
        ApiKeyFactory(merchant=shop.merchant, store=shop.store)
    for path, table in (("terminals", '"stores_terminal"'), ("api-keys", '"stores_apikey"')):
        shop.by_key("get", at(path))

        with CaptureQueriesContext(connection) as seen:
            answer = shop.by_key("get", at(path))

        assert len(answer.json()["results"]) == count
        assert len([query for query in seen.captured_queries if f"FROM {table}" in query["sql"]]) == 1


@pytest.mark.parametrize("kind", ["terminals", "api-keys"])
@pytest.mark.parametrize("method", ["patch", "delete"])
def test_another_merchants_device_is_not_found_and_stays(
    shop: Shop, make_shop: Callable[[], Shop], kind: str, method: str
) -> None:
    foreign = make_shop()
    theirs = foreign.terminal if kind == "terminals" else foreign.key

    for row_id in (theirs.pk, uuid7()):
        answer = shop.by_owner(method, at(f"{kind}/{row_id}"), {"bad": 1} if method == "patch" else None)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    with tenancy.scope(foreign.merchant):
        assert Terminal.objects.get().revoked_at is None
        assert ApiKey.objects.get().revoked_at is None
        assert type(theirs).objects.get().name == theirs.name
