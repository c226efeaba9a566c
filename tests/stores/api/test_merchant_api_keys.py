"""API keys over the merchant API: shown once, and never more than their maker has."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core import tenancy
from core.ids import uuid7
from merchants.enums import Role
from stores.models import ApiKey
from stores.queries import devices
from tests.factories.merchants import MembershipFactory
from tests.factories.stores import ApiKeyFactory, StoreFactory
from tests.stores.api.conftest import Shop
from tests.support.merchant_api import at, kept, named

POS = {"name": "POS", "scopes": ["earn", "read"]}


def rows(shop: Shop) -> list[ApiKey]:
    with tenancy.scope(shop.merchant):
        return list(ApiKey.objects.order_by("created_at", "id"))


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_it_works_and_the_key_is_shown_once(shop: Shop) -> None:
    made = shop.by_owner("post", at("api-keys"), POS)

    body = made.json()
    assert made.status_code == 201
    assert set(body) == {
        "id", "name", "prefix", "scopes", "store", "created_at", "expires_at", "last_used_at", "key"
    }  # fmt: skip
    assert (body["scopes"], body["store"], body["expires_at"]) == (["read", "earn"], None, None)
    assert body["key"].startswith(f"lk_{body['prefix']}_")
    credential = devices.api_key_credential(body["key"])
    assert credential is not None
    assert str(credential.id) == body["id"]
    listed = shop.by_owner("get", at("api-keys"))
    assert [row["id"] for row in listed.json()["results"]] == [body["id"], str(shop.key.pk)]
    assert body["key"] not in listed.content.decode()
    assert "key" not in listed.json()["results"][0]
    assert rows(shop)[-1].created_by_id == shop.owner.pk


def test_is_bound_to_a_store_and_a_time(shop: Shop) -> None:
    until = (timezone.now() + timedelta(days=30)).replace(microsecond=0)

    for reference in (shop.store.code, str(shop.store.pk)):
        body = shop.by_owner(
            "post", at("api-keys"), {**POS, "store": reference, "expires_at": until.isoformat()}
        ).json()
        assert (body["store"]["code"], body["expires_at"]) == (shop.store.code, f"{until:%Y-%m-%dT%H:%M:%SZ}")


def test_the_same_idempotency_key_makes_one_and_replays_without_it(shop: Shop) -> None:
    first, again = (shop.by_owner("post", at("api-keys"), POS, **{"Idempotency-Key": "k1"}) for _ in range(2))
    other = shop.by_owner("post", at("api-keys"), {**POS, "name": "Other"}, **{"Idempotency-Key": "k1"})

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again.json() == {**first.json(), "key": None}
    assert len(rows(shop)) == 2
    assert first.json()["key"].split("_", 2)[2] not in kept(shop.merchant, "k1")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"scopes": ["read"]}, ("name", "required")), ({**POS, "name": ""}, ("name", "blank")),
        ({**POS, "name": 5}, ("name", "invalid")), ({**POS, "name": "x" * 61}, ("name", "max_length")),
        ({**POS, "name": "a\x00"}, ("name", "null_characters_not_allowed")),
        ({"name": "POS"}, ("scopes", "required")), ({"name": "POS", "scopes": []}, ("scopes", "empty")),
        ({"name": "POS", "scopes": "read"}, ("scopes", "not_a_list")),
        ({"name": "POS", "scopes": ["admin"]}, ("scopes.0", "invalid_choice")),
        ({"name": "POS", "scopes": ["read", "*"]}, ("scopes.1", "invalid_choice")),
        ({"name": "POS", "scopes": ["read"] * 5}, ("scopes", "max_length")),
        ({"name": "POS", "scopes": None}, ("scopes", "null")),
        ({**POS, "store": 5}, ("store", "invalid")), ({**POS, "expires_at": "tomorrow"}, ("expires_at", "invalid")),
        ({**POS, "expires_at": "2020-01-01T00:00:00Z"}, ("expires_at", "in_the_past")),
        ({**POS, "expires_at": "2999-01-01T00:00:00"}, ("expires_at", "zone")),
        ({**POS, "expires_at": 99999999999}, ("expires_at", "zone")),
        ({**POS, "expires_at": True}, ("expires_at", "zone")),
        ({**POS, "key": "lk_x"}, ("key", "unknown_field")), ({**POS, "role": "owner"}, ("role", "unknown_field")),
    ],
)  # fmt: skip
def test_refuses_bad_values_and_makes_no_key(shop: Shop, body: Any, problem: tuple[str, str]) -> None:
    assert named(shop.by_owner("post", at("api-keys"), body)) == [problem]

    assert len(rows(shop)) == 1


@pytest.mark.parametrize("scopes", [["manage", "read"], ["manage"], ["manage", "earn", "redeem"]])
def test_a_key_gives_no_scope_that_it_has_not(shop: Shop, scopes: list[str]) -> None:
    maker = ApiKeyFactory(merchant=shop.merchant, scopes=scopes)

    for scope in ("read", "earn", "redeem", "manage"):
        answer = shop.by_key("post", at("api-keys"), {"name": "New", "scopes": [scope]}, key=maker)
        if scope in scopes:
            assert answer.status_code == 201
        else:
            assert refused(answer) == (403, "permission_denied")
            assert answer.json()["required_scope"] == scope
    assert len(rows(shop)) == 2 + len(scopes)


def test_a_key_of_one_store_makes_keys_and_terminals_of_that_store_only(shop: Shop) -> None:
    second = StoreFactory(merchant=shop.merchant)
    maker = ApiKeyFactory(merchant=shop.merchant, store=shop.store)

    inherited = shop.by_key("post", at("api-keys"), POS, key=maker).json()
    assert inherited["store"]["code"] == shop.store.code
    unbound = shop.by_key("post", at("api-keys"), {**POS, "store": None}, key=maker).json()
    assert unbound["store"]["code"] == shop.store.code
    for path, sent in (("api-keys", POS), ("terminals", {"name": "Till"})):
        answer = shop.by_key("post", at(path), {**sent, "store": second.code}, key=maker)
        assert refused(answer) == (403, "permission_denied")


def test_a_key_that_ends_makes_none_that_outlives_it(shop: Shop) -> None:
    end = timezone.now() + timedelta(days=3)
    maker = ApiKeyFactory(merchant=shop.merchant, expires_at=end)

    made = shop.by_key("post", at("api-keys"), POS, key=maker).json()
    later = shop.by_key(
        "post", at("api-keys"), {**POS, "expires_at": (end + timedelta(seconds=1)).isoformat()}, key=maker
    )  # fmt: skip

    assert next(row for row in rows(shop) if str(row.pk) == made["id"]).expires_at == end
    assert refused(later) == (403, "permission_denied")


def test_a_key_goes_back_to_the_person_who_made_the_first_one(shop: Shop) -> None:
    manager = MembershipFactory(merchant=shop.merchant, role=Role.MANAGER).user
    first = shop.by_owner("post", at("api-keys"), {"name": "A", "scopes": ["manage"]}, user=manager).json()["key"]
    headers = {"Authorization": f"Bearer {first}"}

    second = shop.by_key("post", at("api-keys"), {"name": "B", "scopes": ["manage"]}, **headers).json()
    with tenancy.scope(shop.merchant):
        assert devices.maker_of_key(second["id"]) == manager.pk
        assert devices.role_behind_key(second["id"]) == Role.MANAGER
        assert devices.role_behind_key(shop.key.pk) == Role.OWNER


def test_renames_and_revokes(shop: Shop) -> None:
    key = ApiKeyFactory(merchant=shop.merchant)
    path = at(f"api-keys/{key.pk}")

    assert shop.by_owner("patch", path, {"name": "Bar"}).json()["name"] == "Bar"
    for body in ({"name": ""}, {"name": 5}, {"scopes": ["manage"]}, {"store": None}, {"expires_at": None}):
        assert shop.by_owner("patch", path, body).status_code == 400
    assert [shop.by_owner("delete", path).status_code for _ in range(2)] == [204, 204]

    assert shop.by_key("get", at(), key=key).status_code == 401
    assert shop.by_owner("patch", path, {"name": "X"}).status_code == 404
    assert [row["id"] for row in shop.by_owner("get", at("api-keys")).json()["results"]] == [str(shop.key.pk)]


def test_another_merchants_store_is_not_found(shop: Shop, make_shop: Callable[[], Shop]) -> None:
    foreign = make_shop().store

    for reference in (foreign.code, str(foreign.pk), "nowhere", str(uuid7())):
        assert refused(shop.by_owner("post", at("api-keys"), {**POS, "store": reference})) == (404, "not_found")
    assert len(rows(shop)) == 1
