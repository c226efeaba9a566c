"""Joining over the API: what comes back, what it never tells, and what it refuses (rules 1, 2, 3, 5, 18, 23)."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import tenancy
from customers.models import Consent, Customer
from customers.services import customers
from loyalty import card_cookie
from loyalty.models import Card, Transaction
from merchants.models import Merchant, MerchantSettings
from stores.models import Store
from tests.support.api import told
from tests.support.world import World

pytestmark = pytest.mark.django_db
URL = "/api/v1/storefront/loyalty/enroll"
CARD_FIELDS = {
    "id", "card_number", "qr_code_data", "status", "program", "customer", "stamp_count", "stamps_target",
    "stamps_until_reward", "points_balance", "points_debt", "points_expire_on", "to_next_point_cents",
    "rewards_available", "rewards", "enrolled_at", "enrolled_store", "last_activity_at", "wallet",
}  # fmt: skip


def post(client: Client, body: Any, **headers: str) -> Any:
    return client.post(URL, body, content_type="application/json", headers=headers)


def enroll(client: Client, world: World, key: str = "", **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return post(client, {"store_code": world.store.code, **body}, **headers)


def cards_of(world: World) -> list[Card]:
    with tenancy.scope(world.merchant_id):
        return list(Card.objects.order_by("id"))


def test_it_works(client: Client) -> None:
    world = World.make()

    response = enroll(client, world, name="Marie Klein", email="marie@example.com", phone="621 123 456")

    assert response.status_code == 201
    body = response.json()
    assert set(body) == {"card", "access_secret", "wallet"}
    assert body["wallet"] == {"google_url": None, "apple_url": None}
    card = body["card"]
    assert set(card) == CARD_FIELDS
    assert card["customer"] == {
        "id": card["customer"]["id"], "name": "Marie Klein", "email": "marie@example.com", "phone": "+352621123456",
        "language": "fr",
    }  # fmt: skip
    assert (card["stamp_count"], card["stamps_target"], card["stamps_until_reward"]) == (0, 10, 10)
    assert (card["rewards_available"], card["rewards"]) == (0, [])
    assert card["enrolled_store"] == {"code": world.store.code, "name": "Gare"}
    assert card["wallet"] == {"apple_devices": 0, "google_saved": False, "out_of_date_since": None}
    assert response.cookies == {}


def test_rule_2_takes_no_more_than_the_store(client: Client) -> None:
    world = World.make()

    card = enroll(client, world).json()["card"]

    assert {name: card["customer"][name] for name in ("name", "email", "phone")} == {
        "name": None, "email": None, "phone": None,
    }  # fmt: skip


def shape(value: Any) -> Any:
    """Reduce an answer to its fields, types and lengths of text."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return len(value) if isinstance(value, str) else type(value)


def test_rule_3_a_known_address_looks_exactly_like_a_new_one(client: Client) -> None:
    world = World.make()
    known = enroll(client, world, name="Marie", email="marie@example.com", phone="621 123 456").json()
    customers.confirm(
        merchant_id=world.merchant_id, customer_id=known["card"]["customer"]["id"], at=timezone.now()
    )  # fmt: skip

    answers = [
        enroll(client, world, name="Marie", email=email, phone=phone)
        for email, phone in (("marie@example.com", "621 123 456"), ("eiram@example.com", "621 654 321"))
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({json.dumps(shape(answer.json()), default=str) for answer in answers}) == 1
    assert len({len(answer.content) for answer in answers}) == 1
    assert len({json.dumps(sorted(told(answer).items())) for answer in answers}) == 1


def test_rule_23_boxes_are_not_ticked_unless_sent(client: Client) -> None:
    world = World.make()

    enroll(client, world, email="a@example.com")
    enroll(client, world, email="b@example.com", marketing_email_consent=True, service_email_consent=True)

    with tenancy.scope(world.merchant_id):
        rows = Consent.objects.order_by("purpose").values_list("customer__email", "purpose", "channel", "confirmed_at")
        assert list(rows) == [
            ("b@example.com", "marketing", "email", None),
            ("b@example.com", "service", "email", None),
        ]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"email": "nonsense"}, "email", "invalid"),
        ({"email": 5}, "email", "invalid"),
        ({"name": ["x"]}, "name", "invalid"),
        ({"name": "x" * 201}, "name", "max_length"),
        ({"name": "x" * 81}, "name", "max_length"),
        ({"name": "a\x00b"}, "name", "null_characters_not_allowed"),
        ({"name": "\ud800"}, "name", "null_characters_not_allowed"),
        ({"phone": "12"}, "phone", "invalid"),
        ({"birthday": "31-12"}, "birthday", "invalid"),
        ({"birthday": "2999-01-01"}, "birthday", "invalid"),
        ({"language": "tlh"}, "language", "invalid_choice"),
        ({"marketing_email_consent": "yes"}, "marketing_email_consent", "invalid"),
        ({"marketing_email_consent": None}, "marketing_email_consent", "null"),
        ({"marketing_email_consent": True}, "email", "required"),
        ({"marketing_sms_consent": True}, "phone", "required"),
        ({"stamps": 10}, "stamps", "unknown_field"),
        ({"store_code": None}, "store_code", "null"),
        ({"store_code": ""}, "store_code", "blank"),
        ({"store_code": {}}, "store_code", "invalid"),
    ],
)
def test_names_the_field_that_is_wrong(client: Client, body: dict[str, Any], field: str, code: str) -> None:
    world = World.make()

    response = enroll(client, world, **body)

    assert response.status_code == 400
    problem = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert problem["code"] == "validation_error"
    assert (field, code) in [(error["field"], error["code"]) for error in problem["errors"]]
    assert cards_of(world) == []


@pytest.mark.parametrize("text", ["", "[]", '"x"', "5", "{", '{"a": NaN}', "null", "[" * 3000])
def test_refuses_what_is_no_object(client: Client, text: str) -> None:
    assert post(client, text).status_code == 400


def test_says_it_in_the_callers_language(client: Client) -> None:
    world = World.make()

    response = post(client, {"store_code": world.store.code, "email": "x"}, **{"Accept-Language": "en"})

    assert response.json()["errors"][0]["detail"] == "Write an e-mail address such as marie@example.com."


@pytest.mark.parametrize("code", ["nowhere", "x" * 100, "gare'; --", "a\u202eb"])
def test_an_unknown_store_is_not_there(client: Client, code: str) -> None:
    response = post(client, {"store_code": code})

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_closed_store_is_not_there(client: Client) -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        Store.objects.update(closed_at=timezone.now())

    assert enroll(client, world).status_code == 404


def close_by_merchant(world: World) -> None:
    Merchant.objects.update(status="late")


def close_by_setting(world: World) -> None:
    MerchantSettings.objects.update(allow_self_enrollment=False)


def close_by_program(world: World) -> None:
    world.program.__class__.objects.update(status="paused")


@pytest.mark.parametrize(
    ("close", "reason"),
    [
        (close_by_merchant, "merchant_suspended"),
        (close_by_setting, "self_enrollment_off"),
        (close_by_program, "program_not_active"),
    ],
)
def test_rule_5_says_why_it_is_closed(client: Client, close: Any, reason: str) -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        close(world)

    response = enroll(client, world)

    assert (response.status_code, response.json()["code"]) == (409, "enrollment_closed")
    assert response.json()["reason"] == reason
    assert cards_of(world) == []


def test_rule_18_one_key_makes_one_card(client: Client) -> None:
    world = World.make()

    first = enroll(client, world, key="k-1", email="marie@example.com")
    again = enroll(client, world, key="k-1", email="marie@example.com")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first
    assert again.json() == first.json()
    assert len(cards_of(world)) == 1


def test_rule_18_a_key_with_another_body_is_refused(client: Client) -> None:
    world = World.make()
    enroll(client, world, key="k-1", email="marie@example.com")

    response = enroll(client, world, key="k-1", email="lea@example.com")

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert len(cards_of(world)) == 1


def test_rule_18_a_refused_request_may_be_sent_again_with_its_key(client: Client) -> None:
    world = World.make()
    world.change(status="paused")
    assert enroll(client, world, key="k-1").status_code == 409
    world.change(status="active")

    assert enroll(client, world, key="k-1").status_code == 201


def test_rule_18_merchants_do_not_share_keys(client: Client) -> None:
    one, other = World.make(), World.make()

    answers = [enroll(client, world, key="k-1") for world in (one, other)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["card"]["id"] != answers[1].json()["card"]["id"]


@pytest.mark.parametrize("key", ["x" * 129, "ключ", "a\tb"])
def test_rule_18_refuses_a_key_that_is_none(client: Client, key: str) -> None:
    world = World.make()

    assert enroll(client, world, key=key).status_code == 400
    assert cards_of(world) == []


def test_the_stored_answer_holds_no_secret(client: Client) -> None:
    from core.models import IdempotencyRecord

    world = World.make()
    secret = enroll(client, world, key="k-1").json()["access_secret"]

    with tenancy.scope(world.merchant_id):
        assert secret not in json.dumps(IdempotencyRecord.objects.get().body)
        assert Transaction.objects.get().idempotency_key == "k-1"


def test_rule_1_a_holder_gets_the_same_card(client: Client) -> None:
    world = World.make()
    first = enroll(client, world).json()

    again = post(
        client, {"store_code": world.store.code, "name": "Other"}, Authorization=f"Card {first['access_secret']}"
    )

    assert again.status_code == 200
    assert again.json() == first
    assert len(cards_of(world)) == 1


def test_rule_1_a_holder_gets_the_same_card_in_another_store(client: Client) -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        second = Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")
    first = enroll(client, world).json()

    again = post(client, {"store_code": second.code}, Authorization=f"Card {first['access_secret']}")

    assert (again.status_code, again.json()["card"]["id"]) == (200, first["card"]["id"])


def with_cookie(world: World, secret: str, *, enforce: bool = False) -> Client:
    from django.http import HttpResponse
    from django.test import RequestFactory

    client, response = Client(enforce_csrf_checks=enforce), HttpResponse()
    card_cookie.write(RequestFactory().get("/"), response, world.program.id, secret)
    client.cookies.update(response.cookies)
    return client


def test_rule_1_a_browser_with_the_cookie_gets_the_same_card(client: Client) -> None:
    world = World.make()
    first = enroll(client, world).json()

    again = enroll(with_cookie(world, first["access_secret"]), world)

    assert (again.status_code, again.json()["card"]["id"]) == (200, first["card"]["id"])


def test_the_cookie_needs_csrf_and_the_header_does_not(client: Client) -> None:
    world = World.make()
    secret = enroll(client, world).json()["access_secret"]
    browser = with_cookie(world, secret, enforce=True)

    refused = enroll(browser, world)
    browser.get(f"/loyalty/{world.store.code}/recover")
    token = browser.cookies["csrftoken"].value
    taken = post(browser, {"store_code": world.store.code}, **{"X-CSRFToken": token})
    by_header = post(Client(enforce_csrf_checks=True), {"store_code": world.store.code}, Authorization=f"Card {secret}")

    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert taken.status_code == 200
    assert by_header.status_code == 200


def test_a_card_of_another_merchant_makes_a_new_one(client: Client) -> None:
    world, other = World.make(), World.make()
    secret = enroll(client, other).json()["access_secret"]

    response = post(client, {"store_code": world.store.code}, Authorization=f"Card {secret}")

    assert response.status_code == 201
    assert len(cards_of(world)) == len(cards_of(other)) == 1


def test_a_secret_that_opens_nothing_is_refused(client: Client) -> None:
    world = World.make()

    response = post(client, {"store_code": world.store.code}, Authorization="Card nonsense")

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert cards_of(world) == []


def test_a_forged_or_stale_cookie_is_ignored(client: Client) -> None:
    world = World.make()
    client.cookies[card_cookie.name(world.program.id)] = "forged:x:y"

    assert enroll(client, world).status_code == 201


def test_counts_enrolments_per_address(client: Client) -> None:
    from loyalty.services.limits import PER_ADDRESS

    world = World.make()
    for number in range(PER_ADDRESS):
        assert enroll(client, world).status_code == 201, number

    refused = enroll(client, world)

    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert 1 <= int(refused["Retry-After"]) <= 3600
    assert len(cards_of(world)) == PER_ADDRESS


def test_takes_the_language_the_caller_reads(client: Client) -> None:
    world = World.make()

    post(client, {"store_code": world.store.code}, **{"Accept-Language": "de-AT,de;q=0.9"})
    enroll(client, world, language="lu")
    enroll(client, world)

    with tenancy.scope(world.merchant_id):
        assert list(Customer.objects.order_by("id").values_list("language", flat=True)) == ["de", "lb", "fr"]


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_knows_post_only(client: Client, method: str) -> None:
    assert getattr(client, method)(URL).status_code == 405
