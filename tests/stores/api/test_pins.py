"""Staff and PINs over the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import tenancy
from core.ids import uuid7
from core.models import IdempotencyRecord
from merchants.enums import Role
from stores.models import StaffPin
from stores.services import pins
from tests.factories.merchants import MembershipFactory
from tests.factories.stores import ApiKeyFactory, StaffPinFactory, StoreFactory
from tests.stores.api.conftest import Shop, call

pytestmark = pytest.mark.django_db


def errors(response: Any) -> list[tuple[str, str]]:
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def rows(shop: Shop) -> list[StaffPin]:
    with tenancy.scope(shop.merchant):
        return list(StaffPin.objects.all())


def test_it_works_and_shows_a_made_pin_this_once(shop: Shop) -> None:
    response = shop.by_key("post", "pins", {"name": "Anna"})

    body = response.json()
    assert response.status_code == 201
    assert len(body["pin"]) == 6
    assert (body["name"], body["failed_attempts"], body["locked_until"]) == ("Anna", 0, None)
    assert (body["is_active"], body["stores"], body["warning"]) == (True, None, None)
    assert set(body) == {
        "id", "name", "external_id", "stores", "digits", "warning", "failed_attempts", "locked_until", "is_active",
        "created_at", "rotated_at", "last_used_at", "pin",
    }  # fmt: skip
    listed = shop.by_key("get", "pins").json()["results"]
    assert [row["id"] for row in listed] == [body["id"]]
    assert "pin" not in listed[0]


def test_a_chosen_pin_is_not_shown_and_a_short_one_warns_rule_22(shop: Shop) -> None:
    body = shop.by_key("post", "pins", {"name": "Anna", "pin": "4821", "external_id": "E7"}).json()

    assert (body["pin"], body["digits"], body["warning"], body["external_id"]) == (None, 4, "short_pin", "E7")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("name", "required")]),
        ({"name": ""}, [("name", "blank")]),
        ({"name": 7}, [("name", "invalid")]),
        ({"name": "A" * 61}, [("name", "max_length")]),
        ({"name": "Anna", "pin": "1234"}, [("pin", "pin_trivial")]),
        ({"name": "Anna", "pin": "12"}, [("pin", "pin_form")]),
        ({"name": "Anna", "pin": 482193}, [("pin", "invalid")]),
        ({"name": "Anna", "pin": "123456789"}, [("pin", "max_length")]),
        ({"name": "Anna", "stores": "x"}, [("stores", "not_a_list")]),
        ({"name": "Anna", "stores": []}, [("stores", "empty")]),
        ({"name": "Anna", "is_admin": True}, [("is_admin", "unknown_field")]),
    ],
)
def test_refuses_bad_input_by_field(shop: Shop, body: Any, expected: list[tuple[str, str]]) -> None:
    response = shop.by_key("post", "pins", body)

    assert (response.status_code, response.json()["code"]) == (400, "validation_error")
    assert errors(response) == expected
    assert rows(shop) == []


@pytest.mark.parametrize("body", [[], "x", 1, None])
def test_refuses_a_body_that_is_no_object(shop: Shop, body: Any) -> None:
    response = shop.by_key("post", "pins", body if body is not None else {})

    assert response.status_code == 400


def test_limits_to_stores_by_code_or_id_and_refuses_foreign_ones(shop: Shop, make_shop: Callable[[], Shop]) -> None:
    foreign = make_shop()

    body = shop.by_key("post", "pins", {"name": "Anna", "stores": [shop.store.code]}).json()
    assert [store["code"] for store in body["stores"]] == [shop.store.code]

    for reference in (foreign.store.code, str(foreign.store.pk), "no-such-store", str(uuid7())):
        assert shop.by_key("post", "pins", {"name": "Ben", "stores": [reference]}).status_code == 404
    assert len(rows(shop)) == 1


def test_the_same_key_makes_one_person_and_replays_without_the_pin_rule_18(shop: Shop) -> None:
    first = shop.by_key("post", "pins", {"name": "Anna"}, **{"Idempotency-Key": "k1"})
    again = shop.by_key("post", "pins", {"name": "Anna"}, **{"Idempotency-Key": "k1"})
    other = shop.by_key("post", "pins", {"name": "Ben"}, **{"Idempotency-Key": "k1"})

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again["Idempotent-Replay"] == "true"
    assert again.json() == {**first.json(), "pin": None}
    assert len(rows(shop)) == 1
    with tenancy.scope(shop.merchant):
        assert first.json()["pin"] not in str(IdempotencyRecord.objects.get(key="k1").body)


def test_changes_name_and_pin_and_rotates(shop: Shop) -> None:
    anna = StaffPinFactory(merchant=shop.merchant)

    named = shop.by_key("patch", f"pins/{anna.pk}", {"name": "Anne"})
    chosen = shop.by_key("patch", f"pins/{anna.pk}", {"pin": "604817"})
    made = shop.by_key("patch", f"pins/{anna.pk}", {"rotate": True})

    assert (named.status_code, named.json()["name"], named.json()["pin"]) == (200, "Anne", None)
    assert (chosen.status_code, chosen.json()["pin"]) == (200, None)
    assert len(made.json()["pin"]) == 6
    assert errors(shop.by_key("patch", f"pins/{anna.pk}", {"rotate": True, "pin": "604817"})) == [("rotate", "invalid")]


def test_revokes_and_keeps_the_row(shop: Shop) -> None:
    anna = StaffPinFactory(merchant=shop.merchant)

    assert shop.by_key("delete", f"pins/{anna.pk}").status_code == 204

    assert [row["is_active"] for row in shop.by_key("get", "pins").json()["results"]] == [False]
    assert shop.by_key("get", "pins", {"is_active": "true"}).json()["results"] == []
    assert shop.by_key("get", "staff").json()["results"] == []
    assert shop.by_key("get", "pins", {"is_active": "maybe"}).status_code == 400


def test_unlocks_before_the_time_rule_21(shop: Shop) -> None:
    anna = StaffPinFactory(merchant=shop.merchant)
    for _ in range(5):
        shop.by_terminal("post", "pins/verify", {"staff_id": str(anna.pk), "staff_pin": "111222"})
    assert shop.by_key("get", "pins").json()["results"][0]["locked_until"] is not None

    response = shop.by_owner("post", f"pins/{anna.pk}/unlock")

    assert response.status_code == 200
    assert (response.json()["failed_attempts"], response.json()["locked_until"]) == (0, None)
    right = shop.by_terminal("post", "pins/verify", {"staff_id": str(anna.pk), "staff_pin": "482193"})
    assert right.status_code == 200


@pytest.mark.parametrize(("method", "suffix"), [("patch", ""), ("delete", ""), ("post", "/unlock")])
def test_another_merchants_person_is_not_found_and_stays(
    shop: Shop, make_shop: Callable[[], Shop], method: str, suffix: str
) -> None:
    foreign = StaffPinFactory(merchant=make_shop().merchant, name="Anna")

    for staff_id in (foreign.pk, uuid7()):
        response = shop.by_key(method, f"pins/{staff_id}{suffix}", {"name": "X"} if method == "patch" else None)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")

    with tenancy.scope(foreign.merchant_id):
        row = StaffPin.objects.get(pk=foreign.pk)
    assert (row.name, row.version, row.is_active) == ("Anna", 1, True)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("path", "queries"), [("pins", 2), ("staff", 1)])
def test_lists_take_the_same_queries_for_one_and_three(shop: Shop, path: str, queries: int, count: int) -> None:
    for number in range(count):
        StaffPinFactory(merchant=shop.merchant, pin=f"48219{number}", stores=[shop.store])
    shop.by_key("get", path)

    with CaptureQueriesContext(connection) as seen:
        response = shop.by_key("get", path)

    assert len(response.json()["results"]) == count
    reads = [query for query in seen.captured_queries if "stores_staffpin" in query["sql"]]
    assert len(reads) == queries


def test_lists_page_by_cursor_with_complete_addresses(shop: Shop) -> None:
    for number in range(3):
        StaffPinFactory(merchant=shop.merchant, name=f"Anna {number}", pin=f"48219{number}")

    first = shop.by_key("get", "pins", {"page_size": 2}).json()
    second = shop.by_key("get", first["next"]).json()

    assert first["next"].startswith("http://testserver/api/v1/store/loyalty/pins?")
    names = [row["name"] for row in first["results"] + second["results"]]
    assert names == ["Anna 0", "Anna 1", "Anna 2"]
    assert second["next"] is None


def test_the_list_is_for_managers_and_for_keys_that_read(shop: Shop) -> None:
    StaffPinFactory(merchant=shop.merchant)
    reader = ApiKeyFactory(merchant=shop.merchant, scopes=["read"])
    clerk = MembershipFactory(merchant=shop.merchant, role=Role.STAFF).user

    assert shop.by_key("get", "pins", key=reader).status_code == 200
    assert shop.by_owner("get", "pins").status_code == 200
    for refused in (shop.by_terminal("get", "pins"), shop.by_owner("get", "pins", user=clerk)):
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_staff_are_those_who_work_in_the_store(shop: Shop) -> None:
    other = StoreFactory(merchant=shop.merchant)
    StaffPinFactory(merchant=shop.merchant, name="Everywhere")
    StaffPinFactory(merchant=shop.merchant, name="Here", pin="604817", stores=[shop.store])
    StaffPinFactory(merchant=shop.merchant, name="There", pin="735960", stores=[other])

    body = shop.by_terminal("get", "staff").json()["results"]

    assert [row["name"] for row in body] == ["Everywhere", "Here"]
    assert set(body[0]) == {"id", "name"}


def test_verify_opens_a_session_for_this_sender_rule_22(shop: Shop) -> None:
    anna = StaffPinFactory(merchant=shop.merchant, name="Anna")

    response = shop.by_terminal("post", "pins/verify", {"staff_id": str(anna.pk), "staff_pin": "482193"})

    body = response.json()
    assert response.status_code == 200
    assert body["staff"] == {"id": str(anna.pk), "name": "Anna"}
    claims = pins.read_session(
        body["staff_session"], merchant_id=shop.merchant.pk, subject=pins.Subject("terminal", shop.terminal.pk),
        at=anna.created_at,
    )  # fmt: skip
    assert claims == pins.SessionClaims(anna.pk, 1)


def test_verify_counts_down_then_locks_rule_21(shop: Shop) -> None:
    anna = StaffPinFactory(merchant=shop.merchant)
    wrong = {"staff_id": str(anna.pk), "staff_pin": "111222"}

    answers = [shop.by_terminal("post", "pins/verify", wrong) for _ in range(6)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        *[(403, "staff_pin_invalid")] * 5, (423, "staff_pin_locked")
    ]  # fmt: skip
    assert [answer.json().get("attempts_remaining") for answer in answers] == [4, 3, 2, 1, 0, None]
    assert answers[-1].json()["locked_until"].endswith("Z")
    assert 1790 < int(answers[-1]["Retry-After"]) <= 1801


def test_verify_says_the_same_of_an_unknown_person_rule_21(shop: Shop) -> None:
    anna = StaffPinFactory(merchant=shop.merchant)

    wrong = shop.by_terminal("post", "pins/verify", {"staff_id": str(anna.pk), "staff_pin": "111222"})
    unknown = shop.by_terminal("post", "pins/verify", {"staff_id": str(uuid7()), "staff_pin": "111222"})

    assert wrong.status_code == unknown.status_code
    assert wrong.json() == unknown.json()


def test_verify_needs_a_key_that_works_at_the_till(shop: Shop) -> None:
    reader = ApiKeyFactory(merchant=shop.merchant, scopes=["read"])
    StaffPinFactory(merchant=shop.merchant)

    refused = shop.by_key("post", "pins/verify", {"staff_pin": "482193"}, key=reader)

    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert shop.by_key("post", "pins/verify", {"staff_pin": "482193"}).status_code == 200


def test_verify_counts_per_till_of_a_key_rule_21(shop: Shop) -> None:
    StaffPinFactory(merchant=shop.merchant)
    for _ in range(5):
        shop.by_key("post", "pins/verify", {"staff_pin": "909192"}, **{"X-Terminal": "1"})

    assert shop.by_key("post", "pins/verify", {"staff_pin": "482193"}, **{"X-Terminal": "1"}).status_code == 423
    assert shop.by_key("post", "pins/verify", {"staff_pin": "482193"}, **{"X-Terminal": "2"}).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"staff_pin": 482193}, {"staff_pin": "482193", "staff_id": "x"}, {"staff_pin": "482193", "pin": "1"}]
)
def test_verify_refuses_bad_input(shop: Shop, body: Any) -> None:
    assert shop.by_terminal("post", "pins/verify", body).status_code == 400


def test_nobody_without_a_terminal_or_key_may_try_promise_13(shop: Shop) -> None:
    StaffPinFactory(merchant=shop.merchant)

    assert call(Client(), "post", "pins/verify", {"staff_pin": "482193"}).status_code == 401


def test_lifting_a_lock_takes_no_body_and_happens_once_per_key(shop: Shop) -> None:
    anna = StaffPinFactory(merchant=shop.merchant, failed_attempts=3)
    path, key = f"pins/{anna.pk}/unlock", {"Idempotency-Key": "u1"}

    refused = shop.by_key("post", path, {"zz": 1})
    assert (refused.status_code, errors(refused)) == (400, [("zz", "unknown_field")])
    assert rows(shop)[0].failed_attempts == 3
    assert shop.by_key("post", f"pins/{uuid7()}/unlock", {"zz": 1}).status_code == 404

    first = shop.by_key("post", path, **key)
    assert (first.status_code, first.json()["failed_attempts"]) == (200, 0)
    with tenancy.scope(shop.merchant):
        StaffPin.objects.update(failed_attempts=2)
    again = shop.by_key("post", path, **key)
    assert (again.status_code, again.json(), again["Idempotent-Replay"]) == (200, first.json(), "true")
    assert rows(shop)[0].failed_attempts == 2
    sent = {"Authorization": f"Bearer {shop.key.text}"}  # type: ignore[attr-defined]
    for kind in ("", "application/json", "application/x-www-form-urlencoded"):
        bare = Client().generic("POST", f"/api/v1/store/loyalty/{path}", b"", content_type=kind, headers=sent)
        assert (bare.status_code, bare.json()["failed_attempts"]) == (200, 0)
