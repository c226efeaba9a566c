"""The merchant's profile over the merchant API."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from core import tenancy
from core.models import AuditEntry
from merchants.enums import Role
from merchants.models import Merchant, MerchantSettings
from merchants.rules import colours
from stores.api.profile_serializers import MerchantSettingsSerializer
from tests.factories.merchants import MembershipFactory
from tests.stores.api.conftest import Shop
from tests.support.merchant_api import at, kept, named

LONG = "x" * 5000


def stored(shop: Shop) -> Merchant:
    with tenancy.scope(shop.merchant):
        return Merchant.objects.get()


def test_it_works_for_a_key_and_an_owner(shop: Shop) -> None:
    for answer in (shop.by_key("get", at()), shop.by_owner("get", at())):
        assert answer.status_code == 200
        body = answer.json()
        assert body["id"] == str(shop.merchant.pk)
        assert (body["country"], body["currency"], body["time_zone"]) == ("LU", "EUR", "Europe/Luxembourg")
        assert (body["status"], body["logo_url"], body["slug"]) == ("trial", None, shop.merchant.slug)


def test_changes_what_is_sent_and_notes_who(shop: Shop) -> None:
    changes = {
        "name": "  Café  Lux ", "legal_name": "Lux SARL", "trade": "bakery", "country": "FR",
        "time_zone": "Europe/Paris", "default_language": "de", "card_color": "#aabbcc", "currency": "CHF",
    }  # fmt: skip

    answer = shop.by_owner("patch", at(), changes)

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in changes} == {**changes, "name": "Café Lux"}
    with tenancy.scope(shop.merchant):
        entry = AuditEntry.objects.get(action="merchant_updated")
    assert (entry.actor_id, entry.facts["fields"]) == (shop.owner.pk, sorted([*changes, "branding_version"]))


@pytest.mark.parametrize(("colour", "text"), [("#5A2D1A", "#FFFFFF"), ("#FFFFFF", "#1B1C2E"), ("#FFE000", "#1B1C2E")])
def test_says_what_reads_on_the_colour(shop: Shop, colour: str, text: str) -> None:
    found = shop.by_key("patch", at(), {"card_color": colour}).json()["contrast"]

    assert (found["text_color"], found["readable"]) == (text, True)
    assert 4.5 <= found["ratio"] <= 21


def test_refuses_a_colour_on_which_nothing_reads_and_names_the_next_shade(shop: Shop) -> None:
    before = shop.by_key("get", at()).json()["card_color"]

    answer = shop.by_key("patch", at(), {"card_color": "#7F7F7F"})

    assert answer.status_code == 400
    (problem,) = answer.json()["errors"]
    assert (problem["field"], problem["code"]) == ("card_color", "contrast_too_low")
    assert colours.nearest("#7F7F7F") in problem["detail"]
    assert shop.by_key("get", at()).json()["card_color"] == before
    assert shop.by_key("patch", at(), {"card_color": colours.nearest("#7F7F7F")}).status_code == 200


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"name": ""}, ("name", "blank")), ({"name": "  "}, ("name", "blank")), ({"name": None}, ("name", "null")),
        ({"name": 5}, ("name", "invalid")), ({"name": ["x"]}, ("name", "invalid")),
        ({"name": LONG}, ("name", "max_length")), ({"name": "a\x00b"}, ("name", "null_characters_not_allowed")),
        ({"name": "\ud800"}, ("name", "null_characters_not_allowed")),
        ({"legal_name": "x" * 161}, ("legal_name", "max_length")), ({"trade": "bank"}, ("trade", "invalid_choice")),
        ({"trade": True}, ("trade", "invalid_choice")), ({"country": "XX"}, ("country", "unknown_country")),
        ({"country": "lu"}, ("country", "unknown_country")), ({"country": "LUX"}, ("country", "max_length")),
        ({"country": "EU"}, ("country", "unknown_country")), ({"currency": "EURO"}, ("currency", "max_length")),
        ({"currency": "eur"}, ("currency", "unknown_currency")),
        ({"currency": "XXX"}, ("currency", "unknown_currency")),
        ({"currency": "DEM"}, ("currency", "unknown_currency")),
        ({"time_zone": "Mars"}, ("time_zone", "unknown_time_zone")),
        ({"time_zone": "europe/paris"}, ("time_zone", "unknown_time_zone")),
        ({"time_zone": "localtime"}, ("time_zone", "unknown_time_zone")),
        ({"time_zone": "../etc/passwd"}, ("time_zone", "unknown_time_zone")),
        ({"default_language": "es"}, ("default_language", "invalid_choice")),
        ({"card_color": "red"}, ("card_color", "invalid")), ({"card_color": "#12345G"}, ("card_color", "invalid")),
        ({"card_color": "#fff"}, ("card_color", "invalid")),
        ({"status": "active"}, ("status", "unknown_field")), ({"logo_url": "x"}, ("logo_url", "unknown_field")),
        ({"slug": "x"}, ("slug", "unknown_field")), ({"id": "x"}, ("id", "unknown_field")),
    ],
)  # fmt: skip
def test_refuses_bad_values_by_field_and_changes_nothing(shop: Shop, body: Any, problem: tuple[str, str]) -> None:
    before = stored(shop).__dict__ | {"_state": None}

    assert named(shop.by_key("patch", at(), {"legal_name": "New", **body})) == [problem]

    assert stored(shop).__dict__ | {"_state": None} == before


@pytest.mark.parametrize("body", [[], "x", 3, None, [{"name": "x"}]])
def test_refuses_a_body_that_is_no_object(shop: Shop, body: Any) -> None:
    assert shop.by_key("patch", at(), json.dumps(body)).status_code == 400


def test_white_space_around_a_value_is_nobodys_mistake(shop: Shop) -> None:
    assert shop.by_key("patch", at(), {"card_color": " #123456\n"}).json()["card_color"] == "#123456"


def test_an_empty_change_changes_nothing(shop: Shop) -> None:
    assert shop.by_key("patch", at(), {}).json() == shop.by_key("get", at()).json()


def test_the_same_key_changes_once_and_replays(shop: Shop) -> None:
    first = shop.by_key("patch", at(), {"name": "One"}, **{"Idempotency-Key": "p1"})
    shop.by_key("patch", at(), {"name": "Two"})
    again = shop.by_key("patch", at(), {"name": "One"}, **{"Idempotency-Key": "p1"})
    other = shop.by_key("patch", at(), {"name": "Three"}, **{"Idempotency-Key": "p1"})

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert again.json() == first.json()
    assert again["Idempotent-Replay"] == "true"
    assert stored(shop).name == "Two"
    assert "One" in kept(shop.merchant, "p1")


def test_a_manager_may_and_nobody_reads_another_merchants(shop: Shop, make_shop: Callable[[], Shop]) -> None:
    manager = MembershipFactory(merchant=shop.merchant, role=Role.MANAGER).user
    other = make_shop()

    assert shop.by_owner("patch", at(), {"name": "By a manager"}, user=manager).status_code == 200
    assert other.by_key("get", at()).json()["id"] == str(other.merchant.pk)
    assert other.by_key("get", at(), **{"X-Store-Code": shop.store.code}).status_code == 404
    refused = other.by_owner("patch", at(), {"name": "Stolen"}, **{"X-Store-Code": shop.store.code})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert stored(shop).name == "By a manager"


def test_a_person_of_two_merchants_names_a_store(shop: Shop, make_shop: Callable[[], Shop]) -> None:
    other = make_shop()
    MembershipFactory(merchant=other.merchant, user=shop.owner)

    assert shop.by_owner("get", at()).json()["code"] == "store_required"
    for one in (shop, other):
        answer = shop.by_owner("get", at(), **{"X-Store-Code": one.store.code})
        assert answer.json()["id"] == str(one.merchant.pk)


def test_settings_are_shown_and_not_changed(shop: Shop) -> None:
    body = shop.by_key("get", at("settings")).json()

    columns = {field.name for field in MerchantSettings._meta.fields} - {"id", "merchant"}
    assert set(body) == set(MerchantSettingsSerializer.Meta.fields) == columns
    assert (body["max_stores"], body["staff_pin_policy"], body["features"]) == (25, "optional", {})
    for method in ("patch", "put", "post", "delete"):
        assert shop.by_key(method, at("settings"), {"max_stores": 99}).status_code == 405


def test_a_slash_too_many_is_nothing(shop: Shop) -> None:
    assert shop.by_key("get", f"{at()}/").status_code == 404
