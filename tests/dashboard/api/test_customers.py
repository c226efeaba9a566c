"""Customers over the merchant API: the list with its search, one with cards and consents, small corrections."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import tenancy
from core.ids import uuid7
from core.models import AuditEntry, IdempotencyRecord, OutboxEvent
from customers.enums import Channel, Purpose
from customers.models import Consent, Customer
from loyalty.models import Card
from merchants.enums import Role
from stores.models import Store
from stores.services import staff
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db
BASE = "/api/v1/merchant/customers"
MARIE: dict[str, Any] = {
    "name": "Marie Klein", "email": "marie@example.com", "phone": "+352621123456", "birthday": "1956-03-21",
    "language": "de",
}  # fmt: skip


@pytest.fixture
def world() -> World:
    return World.make()


@pytest.fixture
def caller(world: World) -> Caller:
    return Caller.of(world)


def path(card: Card) -> str:
    return f"{BASE}/{card.customer_id}"


def names(answer: Any) -> list[str | None]:
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


def fresh(world: World, card: Card) -> Customer:
    with tenancy.scope(world.merchant_id):
        return Customer.objects.get(pk=card.customer_id)


def anna(world: World) -> str:
    return str(staff.create(merchant_id=world.merchant_id, name="Anna", pin="482193", at=world.at).staff.pk)


def test_it_works(world: World, caller: Caller) -> None:
    card = world.card(**MARIE)
    world.stamp(card, 3)

    body = caller.get(path(card)).json()

    assert {name: body[name] for name in MARIE} == MARIE
    assert (body["id"], body["confirmed_at"], body["staff"], body["merged_into"]) == (
        str(card.customer_id), None, None, None
    )  # fmt: skip
    (shown,) = body["cards"]
    assert (shown["id"], shown["card_number"], shown["stamp_count"]) == (str(card.id), card.card_number, 3)
    assert shown["program"] == {"id": str(world.program.id), "name": "CoffeeLux", "loyalty_type": "stamps"}
    assert shown["enrolled_store"] == {"code": world.store.code, "name": "Gare"}
    assert body["consents"] == []
    listed = caller.get(BASE).json()["results"]
    assert listed == [{name: body[name] for name in body if name not in ("consents", "staff", "merged_into")}]


def test_shows_the_newest_decision_with_its_evidence(world: World, caller: Caller) -> None:
    card = world.card(**MARIE)
    with tenancy.scope(world.merchant_id):
        for granted in (True, False):
            Consent.objects.create(
                customer_id=card.customer_id, purpose=Purpose.MARKETING, channel=Channel.EMAIL, granted=granted,
                text_version="1", language="de", source="enrollment", recorded_at=world.tick(minutes=1),
            )  # fmt: skip

    (shown,) = caller.get(path(card)).json()["consents"]

    assert shown == {
        "purpose": "marketing", "channel": "email", "granted": False, "recorded_at": "2026-03-10T12:02:00Z",
        "confirmed_at": None, "text_version": "1", "language": "de", "source": "enrollment",
    }  # fmt: skip


def test_somebody_unknown_has_nulls(world: World, caller: Caller) -> None:
    body = caller.get(path(world.card())).json()

    assert (body["name"], body["email"], body["phone"], body["birthday"]) == (None, None, None, None)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("mar", ["Marie Klein"]), ("MARIE K", ["Marie Klein"]), ("klein", []), ("marie@example.com", ["Marie Klein"]),
        ("MARIE@EXAMPLE.COM", ["Marie Klein"]), ("marie@example", []), ("+352 621 123 456", ["Marie Klein"]),
        ("621123456", ["Marie Klein"]), ("62112345", []), ("1", []), ("%", []), ("_", []),
        ("", ["Paul", "Marie Klein"]),
        ("  ", ["Paul", "Marie Klein"]), ("'; DROP TABLE", []),
    ],
)  # fmt: skip
def test_searches_by_the_start_of_a_name_by_address_and_by_phone(
    world: World, caller: Caller, search: str, found: list[str]
) -> None:
    world.card(**MARIE)
    world.card(name="Paul")

    assert names(caller.get(f"{BASE}?search={search.replace('+', '%2B').replace('%', '%25', search == '%')}")) == found


def test_narrows_to_the_store_of_the_card(world: World, caller: Caller) -> None:
    world.card(name="Paul")
    with tenancy.scope(world.merchant_id):
        second = Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")
    there = world.card(name="Marie")
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=there.pk).update(enrolled_store=second)

    assert names(caller.get(f"{BASE}?store={second.code}")) == ["Marie"]
    assert names(caller.get(f"{BASE}?store={world.store.code}&search=p")) == ["Paul"]
    assert_problem(caller.get(f"{BASE}?store=nowhere"), 404, "not_found")
    assert_problem(caller.get(f"{BASE}?store={World.make().store.code}"), 404, "not_found")
    assert_problem(caller.get(f"{BASE}?search={'x' * 300}"), 400, "validation_error", "search")
    assert_problem(caller.get(f"{BASE}?search=a%00"), 400, "validation_error", "search")


@pytest.mark.parametrize("count", [1, 3])
def test_lists_take_the_same_queries_for_one_and_three(world: World, caller: Caller, count: int) -> None:
    for number in range(count):
        world.card(name=f"Marie {number}")
    caller.get(BASE)

    with CaptureQueriesContext(connection) as seen:
        assert len(names(caller.get(BASE))) == count

    reads = [
        row["sql"] for row in seen.captured_queries if "customers_customer" in row["sql"] or "loyalty_" in row["sql"]
    ]
    assert len(reads) == 2


def test_pages_by_cursor_newest_first(world: World, caller: Caller) -> None:
    for number in range(3):
        world.card(name=f"Marie {number}")

    first = caller.get(f"{BASE}?page_size=2").json()
    second = caller.get(first["next"]).json()

    assert [row["name"] for row in first["results"] + second["results"]] == ["Marie 2", "Marie 1", "Marie 0"]
    assert second["next"] is None


def test_an_erased_person_is_gone_and_a_merged_record_leads_on(world: World, caller: Caller) -> None:
    erased, merged, into = (world.card(name=name) for name in ("Erased", "Merged", "Into"))
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=erased.customer_id).update(erased_at=world.at)
        Customer.objects.filter(pk=merged.customer_id).update(merged_into=into.customer_id)

    assert names(caller.get(BASE)) == ["Into"]
    assert_problem(caller.get(path(erased)), 404, "not_found")
    assert_problem(caller.patch(path(erased), {"name": "X"}), 404, "not_found")
    assert caller.get(path(merged)).json()["merged_into"] == str(into.customer_id)


def test_corrects_name_language_and_whose_card_it_is(world: World, caller: Caller) -> None:
    card, staff_id = world.card(**MARIE), anna(world)
    with tenancy.scope(world.merchant_id):
        OutboxEvent.objects.all().delete()

    answer = caller.patch(path(card), {"name": "  Marie   Gross ", "language": "lu", "staff_id": staff_id})

    body = answer.json()
    assert answer.status_code == 200
    assert (body["name"], body["language"], body["email"]) == ("Marie Gross", "lb", "marie@example.com")
    assert body["staff"] == {"id": staff_id, "name": "Anna"}
    assert names(caller.get(f"{BASE}?search=marie g")) == ["Marie Gross"]
    with tenancy.scope(world.merchant_id):
        entry = AuditEntry.objects.get(action="customer_corrected")
        told = list(OutboxEvent.objects.filter(topic="card.changed").values_list("payload__card_id", flat=True))
    assert entry.facts["fields"] == ["language", "name", "staff_id"]
    assert "Marie" not in str(entry.facts)
    assert told == [str(card.pk)]

    gone = caller.patch(path(card), {"name": "", "staff_id": None}).json()
    assert (gone["name"], gone["staff"]) == (None, None)


def test_nothing_new_writes_nothing(world: World, caller: Caller) -> None:
    card = world.card(**MARIE)

    for body in ({}, {"name": "Marie Klein"}, {"language": "de"}, {"staff_id": None}):
        assert caller.patch(path(card), body).status_code == 200
    with tenancy.scope(world.merchant_id):
        assert not AuditEntry.objects.filter(action="customer_corrected").exists()


@pytest.mark.parametrize(
    "field", ["email", "phone", "birthday", "confirmed_at", "consents", "marketing_email_consent", "erased_at", "cards"]
)
def test_addresses_and_consents_are_the_customers_own(world: World, caller: Caller, field: str) -> None:
    card = world.card(**MARIE)
    before = fresh(world, card)

    problem = assert_problem(caller.patch(path(card), {"name": "X", field: "x"}), 400, "validation_error", field)

    assert problem["errors"][0]["code"] == "unknown_field"
    assert fresh(world, card).__dict__ | {"_state": 0} == before.__dict__ | {"_state": 0}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": None}, "name"), ({"name": 5}, "name"), ({"name": ["x"]}, "name"), ({"name": "x" * 81}, "name"),
        ({"name": "a\x00"}, "name"), ({"language": "es"}, "language"), ({"language": ""}, "language"),
        ({"language": None}, "language"), ({"language": 5}, "language"), ({"language": "x" * 99}, "language"),
        ({"staff_id": "x"}, "staff_id"), ({"staff_id": 5}, "staff_id"), ({"staff_id": ["x"]}, "staff_id"),
    ],
)  # fmt: skip
def test_refuses_bad_values_and_changes_nothing(world: World, caller: Caller, body: Any, field: str) -> None:
    card = world.card(**MARIE)
    before = fresh(world, card)

    assert_problem(caller.patch(path(card), body), 400, "validation_error", field)

    assert fresh(world, card).__dict__ | {"_state": 0} == before.__dict__ | {"_state": 0}


def test_an_unknown_staff_member_takes_the_whole_change_back(world: World, caller: Caller) -> None:
    card, foreign = world.card(**MARIE), anna(World.make())

    for staff_id in (foreign, str(uuid7())):
        assert_problem(caller.patch(path(card), {"name": "X", "staff_id": staff_id}), 404, "not_found")

    assert (fresh(world, card).name, fresh(world, card).staff_pin_id) == ("Marie Klein", None)


def test_the_same_key_changes_once_and_keeps_no_name(world: World, caller: Caller) -> None:
    card = world.card(**MARIE)

    first = caller.patch(path(card), {"name": "One"}, Idempotency_Key="c1")
    caller.patch(path(card), {"name": "Two"})
    again = caller.patch(path(card), {"name": "One"}, Idempotency_Key="c1")
    other = caller.patch(path(card), {"name": "Three"}, Idempotency_Key="c1")

    assert (first.status_code, again.status_code, again["Idempotent-Replay"]) == (200, 200, "true")
    assert (first.json()["name"], again.json()["name"]) == ("One", "Two")
    assert_problem(other, 422, "idempotency_key_reused")
    with tenancy.scope(world.merchant_id):
        assert "marie" not in str(list(IdempotencyRecord.objects.values())).lower()


def test_another_merchants_customer_is_not_found_and_stays(world: World) -> None:
    card, other = world.card(**MARIE), Caller.of(World.make())

    for address in (path(card), f"{BASE}/{uuid7()}"):
        assert_problem(other.get(address), 404, "not_found")
        assert_problem(other.patch(address, {"name": "X", "bad": 1}), 404, "not_found")
    assert names(other.get(f"{BASE}?search=marie@example.com")) == []
    assert fresh(world, card).name == "Marie Klein"


def test_managers_see_customers_and_staff_do_not(world: World) -> None:
    card = world.card(**MARIE)

    assert Caller.person(world, Role.MANAGER).get(path(card)).json()["email"] == "marie@example.com"
    for refused in (
        Caller.person(world, Role.STAFF),
        Caller.terminal(world),
        Caller.with_scopes(world, ["read", "earn"]),
    ):
        assert_problem(refused.get(path(card)), 403, "permission_denied")
        assert_problem(refused.get(BASE), 403, "permission_denied")
