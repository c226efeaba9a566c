"""Who gets in: keys, terminals, people; and for which merchant and store."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import tenancy
from merchants.enums import Role
from stores.models import ApiKey, PinGuard, Terminal
from stores.services import api_keys, stores, terminals
from tests.factories.merchants import MembershipFactory, UserFactory
from tests.factories.stores import ApiKeyFactory, StaffPinFactory, StoreFactory
from tests.stores.api.conftest import Shop, call, csrf

pytestmark = pytest.mark.django_db


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


def test_it_works_for_a_key_a_terminal_and_a_person(shop: Shop) -> None:
    StaffPinFactory(merchant=shop.merchant, name="Anna")

    answers = [who("get", "staff") for who in (shop.by_key, shop.by_terminal, shop.by_owner)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.json()["results"][0]["name"] for answer in answers] == ["Anna"] * 3


@pytest.mark.parametrize(
    "header", ["Bearer x", "Bearer", "Bearer lk_abcdefgh_" + "a" * 43, "bearer lk_", "Bearer \x7f"]
)
def test_refuses_a_key_that_is_none(shop: Shop, header: str) -> None:
    response = call(Client(), "get", "staff", headers={"Authorization": header})

    assert code(response) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"
    assert response["Content-Type"] == "application/problem+json"


def test_refuses_nobody(shop: Shop) -> None:
    assert code(call(Client(), "get", "staff")) == (401, "not_authenticated")


def test_a_right_prefix_with_another_secret_is_refused(shop: Shop) -> None:
    text = shop.key.text  # type: ignore[attr-defined]
    wrong = text[:-1] + ("a" if text[-1] != "a" else "b")

    assert code(call(Client(), "get", "staff", headers={"Authorization": f"Bearer {wrong}"}))[0] == 401


def test_a_revoked_key_ends_at_once(shop: Shop) -> None:
    assert shop.by_key("get", "staff").status_code == 200
    api_keys.revoke(merchant_id=shop.merchant.pk, api_key_id=shop.key.pk, at=timezone.now())

    assert code(shop.by_key("get", "staff")) == (401, "not_authenticated")


def test_an_expired_key_is_refused(shop: Shop) -> None:
    key = ApiKeyFactory(merchant=shop.merchant)
    assert shop.by_key("get", "staff", key=key).status_code == 200
    with tenancy.scope(shop.merchant):
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert code(shop.by_key("get", "staff", key=key)) == (401, "not_authenticated")


def test_a_key_without_the_scope_is_refused(shop: Shop) -> None:
    key = ApiKeyFactory(merchant=shop.merchant, scopes=["read", "earn"])

    assert shop.by_key("get", "pins", key=key).status_code == 200
    assert code(shop.by_key("post", "pins", {"name": "Anna"}, key=key)) == (403, "permission_denied")


def test_a_bound_key_uses_its_store_only(shop: Shop, make_shop: Callable[[], Shop]) -> None:
    other, foreign = StoreFactory(merchant=shop.merchant), make_shop()
    key = ApiKeyFactory(merchant=shop.merchant, store=shop.store)

    assert shop.by_key("get", "staff", key=key).status_code == 200
    assert code(shop.by_key("get", "staff", key=key, **{"X-Store-Code": other.code})) == (403, "permission_denied")
    assert code(shop.by_key("get", "staff", key=key, **{"X-Store-Code": foreign.store.code})) == (404, "not_found")
    assert code(shop.by_key("get", "staff", key=key, **{"X-Store-Code": "no-such-store"})) == (404, "not_found")


def test_a_merchant_with_several_stores_names_one(shop: Shop) -> None:
    other = StoreFactory(merchant=shop.merchant)

    assert code(shop.by_key("get", "staff")) == (400, "store_required")
    assert shop.by_key("get", "staff", **{"X-Store-Code": other.code}).status_code == 200


def test_a_terminal_reads_and_works_but_does_not_manage(shop: Shop) -> None:
    assert shop.by_terminal("get", "staff").status_code == 200
    assert code(shop.by_terminal("post", "pins", {"name": "Anna"})) == (403, "permission_denied")


def test_a_terminal_needs_the_csrf_token_to_write(shop: Shop) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["terminal"] = shop.terminal.token  # type: ignore[attr-defined]

    response = call(client, "post", "pins/verify", {"staff_pin": "482193"})

    assert code(response) == (403, "permission_denied")


def test_a_revoked_terminal_ends_at_once(shop: Shop) -> None:
    assert shop.by_terminal("get", "staff").status_code == 200
    terminals.revoke(merchant_id=shop.merchant.pk, terminal_id=shop.terminal.pk, at=timezone.now())

    assert code(shop.by_terminal("get", "staff")) == (401, "not_authenticated")


def test_a_secret_opens_only_the_door_that_it_is_for(shop: Shop) -> None:
    assert (shop.by_key("get", "staff").status_code, shop.by_terminal("get", "staff").status_code) == (200, 200)
    token, text = shop.terminal.token, shop.key.text  # type: ignore[attr-defined]
    client = Client()
    client.cookies["terminal"] = text

    assert code(call(Client(), "get", "staff", headers={"Authorization": f"Bearer {token}"}))[0] == 401
    assert code(call(client, "get", "staff"))[0] == 401


def test_a_revoked_terminal_makes_way_for_the_person_at_once(shop: Shop) -> None:
    client = Client()
    client.force_login(shop.owner, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["terminal"] = shop.terminal.token  # type: ignore[attr-defined]
    assert call(client, "get", "staff").status_code == 200
    assert shop.by_terminal("get", "staff").status_code == 200

    terminals.revoke(merchant_id=shop.merchant.pk, terminal_id=shop.terminal.pk, at=timezone.now())

    assert call(client, "get", "staff").status_code == 200


def test_a_terminal_of_a_closed_store_finds_nothing(shop: Shop) -> None:
    stores.close(merchant_id=shop.merchant.pk, store_id=shop.store.pk, at=timezone.now())

    assert code(shop.by_terminal("get", "staff")) == (404, "not_found")


def test_in_a_browser_that_is_both_the_till_works_and_the_person_manages(shop: Shop) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(shop.owner, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["terminal"] = shop.terminal.token  # type: ignore[attr-defined]
    headers = csrf(client)

    assert call(client, "post", "pins", {"name": "Anna"}, headers).status_code == 201
    call(client, "post", "pins/verify", {"staff_pin": "909192"}, headers)

    with tenancy.scope(shop.merchant):
        assert PinGuard.objects.get(subject_kind="terminal").subject_id == shop.terminal.pk


def test_a_person_needs_the_csrf_token_to_write(shop: Shop) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(shop.owner, backend="django.contrib.auth.backends.ModelBackend")

    assert code(call(client, "post", "pins", {"name": "Anna"})) == (403, "permission_denied")


def test_a_person_of_several_merchants_names_the_store(shop: Shop, make_shop: Callable[[], Shop]) -> None:
    other = make_shop()
    MembershipFactory(merchant=other.merchant, user=shop.owner, role=Role.STAFF)

    assert code(shop.by_owner("get", "staff")) == (400, "store_required")
    assert shop.by_owner("get", "staff", **{"X-Store-Code": other.store.code}).status_code == 200
    refused = shop.by_owner("post", "pins", {"name": "Anna"}, **{"X-Store-Code": other.store.code})
    assert code(refused) == (403, "permission_denied")


def test_another_merchants_store_is_not_found_for_a_person(shop: Shop, make_shop: Callable[[], Shop]) -> None:
    other = make_shop()

    assert code(shop.by_owner("get", "staff", **{"X-Store-Code": other.store.code})) == (404, "not_found")
    assert code(shop.by_owner("get", "staff", **{"X-Store-Code": "no-such-store"})) == (404, "not_found")


def test_a_person_without_a_merchant_may_nothing(shop: Shop) -> None:
    assert code(shop.by_owner("get", "staff", user=UserFactory())) == (403, "permission_denied")


def test_a_former_member_is_out(shop: Shop) -> None:
    gone = MembershipFactory(merchant=shop.merchant, is_active=False).user

    assert shop.by_owner("get", "staff", user=gone).status_code == 403
    assert code(shop.by_owner("get", "staff", user=gone, **{"X-Store-Code": shop.store.code})) == (404, "not_found")


def test_notes_when_a_key_and_a_terminal_were_used(shop: Shop) -> None:
    shop.by_key("get", "staff")
    shop.by_terminal("get", "staff")

    with tenancy.scope(shop.merchant):
        assert ApiKey.objects.get(pk=shop.key.pk).last_used_at is not None
        assert Terminal.objects.get(pk=shop.terminal.pk).last_seen_at is not None
