"""Stores over the merchant API: listed, opened, changed, closed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import tenancy
from core.ids import uuid7
from core.models import AuditEntry
from merchants.models import MerchantSettings
from stores.models import Store
from tests.factories.stores import StoreFactory
from tests.stores.api.conftest import Shop
from tests.support.merchant_api import at, named

SHAPE = {
    "id", "name", "code", "street", "postal_code", "city", "country", "latitude", "longitude", "time_zone", "day_start",
    "opening_hours", "own_device_enabled", "qr_code_url", "enroll_url", "terminal_url", "created_at",
}  # fmt: skip
HOURS = {"mon": [["08:00", "12:00"], ["13:00", "24:00"]], "fri": [["18:00", "02:00"]], "sun": []}


def rows(shop: Shop) -> list[Store]:
    with tenancy.scope(shop.merchant):
        return list(Store.objects.order_by("created_at", "id"))


def test_it_works(shop: Shop, settings: Any) -> None:
    settings.SITE_URL = "https://cards.example"
    sent = {
        "name": "Gare", "code": "my-gare", "street": "1, rue de la Gare", "postal_code": "L-1611", "city": "Luxembourg",
        "country": "BE", "latitude": 49.6003, "longitude": 6.1312, "time_zone": "Europe/Brussels", "day_start": "05:00",
        "opening_hours": HOURS, "own_device_enabled": True,
    }  # fmt: skip

    made = shop.by_owner("post", at("stores"), sent)

    assert made.status_code == 201
    body = made.json()
    assert set(body) == SHAPE
    assert {name: body[name] for name in sent} == sent
    assert body["enroll_url"] == "https://cards.example/loyalty/my-gare/enroll"
    assert body["terminal_url"] == "https://cards.example/store/my-gare/loyalty/terminal"
    assert body["qr_code_url"] == "https://cards.example/qr/my-gare.png"
    assert shop.by_key("get", at(f"stores/{body['id']}")).json() == body
    with tenancy.scope(shop.merchant):
        entry = AuditEntry.objects.get(action="store_opened")
    assert (entry.actor_id, entry.target) == (shop.owner.pk, "store my-gare")


def test_makes_a_code_and_takes_the_merchants_place(shop: Shop) -> None:
    for code in ({}, {"code": ""}):
        body = shop.by_key("post", at("stores"), {"name": "Kirchberg", **code}).json()
        assert body["code"].startswith(f"{shop.merchant.slug}-kirchberg")
    assert (body["country"], body["time_zone"], body["day_start"]) == ("LU", "Europe/Luxembourg", "00:00")
    assert (body["latitude"], body["opening_hours"], body["own_device_enabled"]) == (None, {}, False)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"name": None}, ("name", "null")), ({"name": ""}, ("name", "blank")), ({"name": 7}, ("name", "invalid")),
        ({"name": "x" * 81}, ("name", "max_length")), ({"name": "a\x00"}, ("name", "null_characters_not_allowed")),
        ({"code": "merchant"}, ("code", "invalid")), ({"code": "enroll"}, ("code", "invalid")),
        ({"code": "a b"}, ("code", "invalid")), ({"code": "../x"}, ("code", "invalid")),
        ({"code": "x" * 61}, ("code", "max_length")), ({"code": 5}, ("code", "invalid")),
        ({"code": None}, ("code", "null")), ({"country": "XK9"}, ("country", "max_length")),
        ({"country": "QQ"}, ("country", "unknown_country")),
        ({"time_zone": "Moon/Sea"}, ("time_zone", "unknown_time_zone")),
        ({"latitude": 91, "longitude": 0}, ("latitude", "range")),
        ({"latitude": "49", "longitude": 6}, ("latitude", "invalid")),
        ({"latitude": True, "longitude": 6}, ("latitude", "invalid")), ({"latitude": 49}, ("longitude", "required")),
        ({"longitude": -180.000001, "latitude": 1}, ("longitude", "range")),
        ({"longitude": 6, "latitude": None}, ("latitude", "required")),
        ({"day_start": "25:00"}, ("day_start", "invalid")), ({"day_start": 5}, ("day_start", "invalid")),
        ({"day_start": "05:00:30"}, ("day_start", "invalid")), ({"day_start": "5:00"}, ("day_start", "invalid")),
        ({"opening_hours": []}, ("opening_hours", "invalid")), ({"opening_hours": None}, ("opening_hours", "null")),
        ({"opening_hours": {"monday": []}}, ("opening_hours", "invalid")),
        ({"opening_hours": {"mon": [["8", "18"]]}}, ("opening_hours", "invalid")),
        ({"opening_hours": {"mon": [["08:00"]]}}, ("opening_hours", "invalid")),
        ({"opening_hours": {"mon": [["08:00", "08:00"]]}}, ("opening_hours", "invalid")),
        ({"opening_hours": {"mon": [["24:00", "08:00"]]}}, ("opening_hours", "invalid")),
        ({"opening_hours": {"mon": [["08:00", "09:00"]] * 5}}, ("opening_hours", "invalid")),
        ({"opening_hours": {"mon": [[8.5, 9]]}}, ("opening_hours", "invalid")),
        ({"opening_hours": "x"}, ("opening_hours", "invalid")),
        ({"own_device_enabled": "true"}, ("own_device_enabled", "invalid")),
        ({"own_device_enabled": 1}, ("own_device_enabled", "invalid")),
        ({"closed_at": None}, ("closed_at", "unknown_field")),
        ({"merchant": "x"}, ("merchant", "unknown_field")), ({"qr_code_url": "x"}, ("qr_code_url", "unknown_field")),
    ],
)  # fmt: skip
def test_refuses_bad_values_by_field_and_opens_nothing(shop: Shop, body: Any, problem: tuple[str, str]) -> None:
    before = rows(shop)

    assert named(shop.by_key("post", at("stores"), {"name": "Gare", **body})) == [problem]
    if problem[0] != "code" and body.get("name", 1) is not None:
        assert named(shop.by_key("patch", at(f"stores/{shop.store.pk}"), body)) == [problem]

    assert rows(shop) == before
    with tenancy.scope(shop.merchant):
        assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("body", [[], "x", 3, None])
def test_refuses_a_body_that_is_no_object(shop: Shop, body: Any) -> None:
    assert shop.by_key("post", at("stores"), json.dumps(body)).status_code == 400


def test_a_taken_code_is_refused_also_when_another_merchant_has_it(shop: Shop, make_shop: Callable[[], Shop]) -> None:
    for code in (shop.store.code, make_shop().store.code):
        assert named(shop.by_key("post", at("stores"), {"name": "Gare", "code": code})) == [("code", "code_taken")]
    assert len(rows(shop)) == 1


def test_the_code_stays_and_says_why(shop: Shop) -> None:
    path = at(f"stores/{shop.store.pk}")

    assert named(shop.by_key("patch", path, {"code": "other", "city": "X"})) == [("code", "immutable")]
    same = shop.by_key("patch", path, {"code": shop.store.code, "city": "Esch"})

    assert (same.status_code, same.json()["city"]) == (200, "Esch")
    assert rows(shop)[0].code == shop.store.code


def test_changes_what_is_sent(shop: Shop) -> None:
    path = at(f"stores/{shop.store.pk}")
    before = shop.by_key("get", path).json()

    changed = shop.by_owner("patch", path, {"name": "Bahnhof", "latitude": -33.8567844, "longitude": 151})
    gone = shop.by_owner("patch", path, {"latitude": None, "longitude": None})

    assert changed.json() == {**before, "name": "Bahnhof", "latitude": -33.856784, "longitude": 151.0}
    assert gone.json() == {**before, "name": "Bahnhof"}
    assert shop.by_key("patch", path, {}).json() == gone.json()


def test_holds_the_limit_of_the_platform(shop: Shop) -> None:
    with tenancy.scope(shop.merchant):
        MerchantSettings.objects.update(max_stores=2)
    second = shop.by_key("post", at("stores"), {"name": "Two"}).json()

    refused = shop.by_key("post", at("stores"), {"name": "Three"})

    assert (refused.status_code, refused.json()["code"]) == (409, "store_limit_reached")
    assert refused.json()["max_stores"] == 2
    assert shop.by_key("delete", at(f"stores/{second['id']}")).status_code == 204
    assert shop.by_key("post", at("stores"), {"name": "Three"}).status_code == 201


def test_closing_ends_everything_of_the_store(shop: Shop) -> None:
    made = shop.by_key("post", at("stores"), {"name": "Pop-up"}).json()
    path = at(f"stores/{made['id']}")
    public = f"/api/v1/loyalty/programs/{made['code']}"
    image = made["qr_code_url"].split("/", 3)[3]
    assert Client().get(f"/{image}").status_code == 200

    answer = shop.by_owner("delete", path)

    assert (answer.status_code, answer.content, answer.get("Content-Type")) == (204, b"", None)
    for gone in (path, f"http://testserver{public}", f"http://testserver/{image}"):
        assert shop.by_key("get", gone).status_code == 404
    assert Client().post(
        "/api/v1/storefront/loyalty/enroll", {"store_code": made["code"]}, content_type="application/json"
    ).status_code == 404  # fmt: skip
    assert Client().get(f"/loyalty/{made['code']}/enroll").status_code == 404
    assert [row["id"] for row in shop.by_key("get", at("stores")).json()["results"]] == [str(shop.store.pk)]
    assert shop.by_key("patch", path, {"name": "X"}).status_code == 404
    assert shop.by_key("delete", path).status_code == 404
    assert named(shop.by_key("post", at("stores"), {"name": "X", "code": made["code"]})) == [("code", "code_taken")]


def test_the_last_store_may_close_and_the_api_goes_on(shop: Shop) -> None:
    assert shop.by_owner("delete", at(f"stores/{shop.store.pk}")).status_code == 204

    assert shop.by_owner("get", at("stores")).json()["results"] == []
    assert shop.by_owner("get", at()).status_code == 200
    assert shop.by_owner("post", at("stores"), {"name": "Anew"}).status_code == 201


def test_the_same_key_opens_once_and_closes_once(shop: Shop) -> None:
    key = {"Idempotency-Key": "s1"}
    first = shop.by_key("post", at("stores"), {"name": "Gare"}, **key)
    again = shop.by_key("post", at("stores"), {"name": "Gare"}, **key)
    other = shop.by_key("post", at("stores"), {"name": "Kirchberg"}, **key)

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again.json() == first.json()
    assert len(rows(shop)) == 2

    path = at(f"stores/{first.json()['id']}")
    closed = [shop.by_key("delete", path, **{"Idempotency-Key": "s2"}).status_code for _ in range(2)]
    assert closed == [204, 204]


@pytest.mark.parametrize("count", [1, 3])
def test_lists_take_the_same_queries_for_one_and_three(shop: Shop, count: int) -> None:
    for _ in range(count - 1):
        StoreFactory(merchant=shop.merchant)
    shop.by_key("get", at("stores"))

    with CaptureQueriesContext(connection) as seen:
        answer = shop.by_key("get", at("stores"))

    assert len(answer.json()["results"]) == count
    assert len([query for query in seen.captured_queries if 'FROM "stores_store"' in query["sql"]]) == 1


def test_lists_page_by_cursor(shop: Shop) -> None:
    for _ in range(2):
        StoreFactory(merchant=shop.merchant)

    first = shop.by_key("get", at("stores"), {"page_size": 2}).json()
    second = shop.by_key("get", first["next"]).json()

    assert first["next"].startswith("http://testserver/api/v1/merchant/stores?")
    assert [row["id"] for row in first["results"] + second["results"]] == [str(row.pk) for row in rows(shop)]
    for wrong in ({"page_size": 0}, {"page_size": 101}, {"page_size": "x"}, {"cursor": "x"}, {"cursor": "a\x00"}):
        assert shop.by_key("get", at("stores"), wrong).status_code == 400


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_another_merchants_store_is_not_found_and_stays(
    shop: Shop, make_shop: Callable[[], Shop], method: str
) -> None:  # fmt: skip
    foreign = make_shop()
    before = (rows(foreign)[0].name, rows(foreign)[0].closed_at)

    for store_id in (foreign.store.pk, uuid7()):
        body = {"name": "Mine", "bad": 1} if method == "patch" else None
        answer = shop.by_key(method, at(f"stores/{store_id}"), body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    assert (rows(foreign)[0].name, rows(foreign)[0].closed_at) == before
