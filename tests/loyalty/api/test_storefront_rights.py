"""The customer's rights over the API: take everything away, erase everything (rule 24)."""

import json
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.errors import NotFound
from core.models import AuditEntry, IdempotencyRecord, OutboxEvent
from customers.models import Consent, Customer, MagicLink, Mail
from customers.services import customers, links
from loyalty.models import Card, TransactionDetail
from loyalty.queries import takeaway, verification
from loyalty.services import merges, profiles
from tests.loyalty.api.test_storefront_people import BASE, Holder
from tests.support.world import World

pytestmark = pytest.mark.django_db
MARIE = "marie@example.com"
PERSON = {"name": "Marie Klein", "email": MARIE, "phone": "621 123 456", "birthday": "1956-03-21"}


def document(holder: Holder, **headers: str) -> Any:
    answer = holder.ask("get", "export", **headers)
    assert answer.status_code == 200, answer.content
    return json.loads(b"".join(answer.streaming_content))


def erase(holder: Holder, body: Any = None) -> Any:
    return holder.ask("post", "erase", {"confirm": True} if body is None else body)


def test_it_works() -> None:
    world = World.make()
    holder = Holder(world, **PERSON)
    world.stamp(holder.card, 3)
    holder.confirm()

    answer = erase(holder)

    assert answer.status_code == 200
    assert list(answer.json()) == ["erased_at"]
    who = holder.customer
    assert who.erased_at is not None
    assert (who.name, who.name_key, who.email, who.email_key, who.phone, who.phone_key) == ("",) * 6
    assert (who.birth_day, who.birth_month, who.birth_year, who.confirmed_at) == (None,) * 4
    card = world.assert_adds_up(holder.card)
    assert (card.status, card.stamp_count) == ("closed", 3)
    assert verification.verify(world.merchant_id).differences == ()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, ("confirm", "required")),
        ({"confirm": False}, ("confirm", "required")),
        ({"confirm": "true"}, ("confirm", "invalid")),
        ({"confirm": 1}, ("confirm", "invalid")),
        ({"confirm": None}, ("confirm", "null")),
        ({"confirm": True, "cconfirm": True}, ("cconfirm", "unknown_field")),
        ([], ("non_field_errors", "invalid")),
    ],
)
def test_asks_for_the_confirmation(body: Any, code: tuple[str, str]) -> None:
    holder = Holder(World.make(), **PERSON)

    answer = erase(holder, body)

    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [code]
    assert holder.customer.name == "Marie Klein"


def test_leads_nowhere_afterwards() -> None:
    world = World.make()
    holder = Holder(world, **PERSON)
    till = {"Authorization": f"Bearer {world.key_text}"}

    erase(holder)

    for method, path, body in (
        ("get", "card", None), ("get", "profile", None), ("get", "export", None), ("get", "transactions", None),
        ("patch", "profile", {"name": "x"}), ("post", "erase", {"confirm": True}),
    ):  # fmt: skip
        assert holder.ask(method, path, body).status_code == 401, path
    for ref in ({"qr_code": holder.card.qr_code_data}, {"card_number": holder.card.card_number}):
        answer = Client().post(
            "/api/v1/store/loyalty/stamp", ref, content_type="application/json", headers=till
        )  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = Client().post(
        "/api/v1/store/loyalty/stamp", {"card_id": str(holder.card.pk)}, content_type="application/json", headers=till
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (409, "card_not_active")
    assert Client().get(f"/c/{holder.card.qr_code_data}").status_code == 404


def test_forgets_links_mails_notes_and_answers_but_keeps_the_evidence() -> None:
    world = World.make()
    holder = Holder(world, **PERSON)
    holder.confirm()
    at = timezone.now()
    holder.ask("post", "consents", {"purpose": "marketing", "channel": "email", "granted": True}, Idempotency_Key="c")
    headers = {"Authorization": f"Bearer {world.key_text}", "Idempotency-Key": "freeze-1"}
    Client().post(
        f"/api/v1/store/loyalty/cards/{holder.card.pk}/freeze", {"reason": "Marie lost it"},
        content_type="application/json", headers=headers,
    )  # fmt: skip
    with tenancy.scope(world.merchant_id):
        links.issue(
            merchant_id=world.merchant_id, customer=holder.customer, card_id=holder.card.pk, purpose="recover", at=at
        )
        Mail.objects.create(customer=holder.customer, kind="recover", event="e", facts={"who": "Marie"}, due_at=at)
        assert IdempotencyRecord.objects.filter(body__contains="Marie").exists()

    erase(holder)

    with tenancy.scope(world.merchant_id):
        assert not MagicLink.objects.exists()
        assert not TransactionDetail.objects.exists()
        assert not IdempotencyRecord.objects.filter(key="freeze-1").exists()
        (mail,) = Mail.objects.all()
        assert (mail.state, mail.facts) == ("dropped", {})
        (consent,) = Consent.objects.all()
        assert (consent.purpose, consent.granted, consent.address) == ("marketing", True, "")
        assert Card.objects.get().status_reason == ""
        noted = AuditEntry.objects.get(action="customer_erased")
        assert noted.facts == {"by": "customer", "records": [str(holder.card.customer_id)]}
        told = OutboxEvent.objects.get(topic="customers.erased")
        assert told.payload["customer_ids"] == [str(holder.card.customer_id)]


def test_erases_all_records_of_the_person_and_nobody_else() -> None:
    world = World.make()
    lost, holder, other = Holder(world, **PERSON), Holder(world, name="Maria"), Holder(world, name="Paul")
    merges.merge(
        merchant_id=world.merchant_id, card_id=lost.card.pk, into_id=holder.card.pk, reason="Marie is Maria",
        at=world.at, channel="api",
    )  # fmt: skip

    erase(lost)

    assert lost.customer.erased_at == holder.customer.erased_at is not None
    assert other.customer.erased_at is None
    assert other.ask("get", "card").status_code == 200
    assert holder.ask("get", "card").status_code == 401
    with tenancy.scope(world.merchant_id):
        assert not TransactionDetail.objects.filter(note__contains="Mari").exists()
    assert verification.verify(world.merchant_id).differences == ()


def test_takes_a_proven_address_off_what_others_typed() -> None:
    world = World.make()
    holder, typed = Holder(world, **PERSON).confirm(), Holder(world, name="Paul", email=MARIE.upper())

    erase(holder)

    assert (typed.customer.email, typed.customer.name) == ("", "Paul")


def test_leaves_an_address_that_was_only_typed_with_whoever_has_it() -> None:
    world = World.make()
    owner, typed = Holder(world, **PERSON).confirm(), Holder(world, email=MARIE)

    erase(typed)

    assert owner.customer.email == MARIE


def test_somebody_may_join_again_under_the_same_address() -> None:
    world = World.make()
    holder = Holder(world, **PERSON).confirm()
    erase(holder)

    again = Holder(world, **PERSON).confirm()

    assert again.customer.confirmed_at is not None
    assert again.card.pk != holder.card.pk


def test_nothing_can_be_written_on_somebody_who_was_erased() -> None:
    world = World.make()
    holder = Holder(world, **PERSON)
    erase(holder)

    with pytest.raises(NotFound):
        profiles.change(
            merchant_id=world.merchant_id, card_id=holder.card.pk, changes={"name": "Marie"}, at=timezone.now()
        )
    customers.confirm(merchant_id=world.merchant_id, customer_id=holder.card.customer_id, at=timezone.now())
    assert holder.customer.confirmed_at is None


def test_the_card_of_another_merchant_erases_nobody_here() -> None:
    world, other = World.make(), World.make()
    mine, theirs = Holder(world, **PERSON), Holder(other, **PERSON)

    answer = mine.ask("post", "erase", {"confirm": True}, Authorization=theirs.headers["Authorization"])

    assert answer.status_code == 200
    assert mine.customer.name == "Marie Klein"
    assert theirs.customer.erased_at is not None


def test_nobody_erases_without_a_card() -> None:
    answer = Client().post(f"{BASE}erase", {"confirm": True}, content_type="application/json")

    assert answer.status_code == 401


def test_export_tells_everything() -> None:
    world = World.make(loyalty_type="hybrid", points_per_euro="10")
    holder = Holder(world, **PERSON).confirm()
    holder.ask("post", "consents", {"purpose": "marketing", "channel": "email", "granted": True})
    world.sale(holder.card, 1000, order_reference="R-1")
    at = timezone.now()
    with tenancy.scope(world.merchant_id):
        links.issue(
            merchant_id=world.merchant_id, customer=holder.customer, card_id=holder.card.pk, purpose="recover", at=at
        )
        Mail.objects.create(customer=holder.customer, kind="recover", event="e", due_at=at)

    told = document(holder, Accept_Language="en")

    assert (told["format"], told["controller"]["name"]) == ("loyalty-data/1", "CoffeeLux")
    assert (told["profile"]["name"], told["profile"]["email"], told["profile"]["phone"]) == (
        "Marie Klein", MARIE, "+352621123456",
    )  # fmt: skip
    assert told["profile"]["birthday"] == "1956-03-21"
    (consent,) = told["consents"]
    assert (consent["text"], consent["address"], consent["granted"]) == ("Send me offers by e-mail", MARIE, True)
    assert [mail["kind"] for mail in told["mails"]] == ["recover"]
    assert [link["address"] for link in told["links"]] == [MARIE]
    (card,) = told["cards"]
    assert card["points_balance"] == 100
    assert [row["type"] for row in card["transactions"]][:2] == ["card_enrolled", "points_earned"]
    assert card["transactions"][1]["explanation"] == "10.00\N{NO-BREAK SPACE}€ × 10 = 100 points"
    assert "token_hash" not in json.dumps(told)


def test_export_is_a_file_that_no_cache_keeps() -> None:
    holder = Holder(World.make(), **PERSON)

    answer = holder.ask("get", "export", Accept="text/html")

    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"].startswith('attachment; filename="m-')
    assert "no-store" in answer["Cache-Control"]
    assert answer.streaming


def test_export_tells_nothing_of_anybody_else_and_nothing_of_the_team() -> None:
    world = World.make()
    holder = Holder(world, **PERSON)
    Holder(world, name="Paul Canary", email="paul@canary.example")
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=holder.card.pk).update(status="frozen", status_reason="fraud suspected")

    told = json.dumps(document(holder))

    assert "anary" not in told
    assert "fraud" not in told


def test_export_of_a_long_history_is_whole_and_in_order() -> None:
    world = World.make()
    holder = Holder(world)
    for number in range(7):
        world.stamp(holder.card, 1, key=f"k{number}")
    usual, takeaway.CHUNK = takeaway.CHUNK, 3
    try:
        (card,) = document(holder)["cards"]
    finally:
        takeaway.CHUNK = usual

    assert [row["stamps_after"] for row in card["transactions"]] == list(range(8))


def test_export_speaks_the_language_of_the_caller_to_its_end() -> None:
    world = World.make()
    holder = Holder(world)
    world.stamp(holder.card)

    told = document(holder, Accept_Language="de")

    assert "Stempel" in told["cards"][0]["transactions"][-1]["explanation"]


def test_customer_rows_name_nobody_after_an_erasure() -> None:
    world = World.make()
    holder = Holder(world, **PERSON)
    erase(holder)

    with tenancy.scope(world.merchant_id):
        row = Customer.objects.values().get(pk=holder.card.customer_id)

    assert all("arie" not in str(value) and "621123456" not in str(value) for value in row.values())


@pytest.mark.parametrize("change", ["granted = false", "text_version = ''", "recorded_at = now()", "customer_id = id"])
def test_evidence_changes_in_nothing_but_the_address(change: str) -> None:
    world = World.make()
    holder = Holder(world, **PERSON)
    holder.ask("post", "consents", {"purpose": "marketing", "channel": "email", "granted": True})

    with tenancy.scope(world.merchant_id), connection.cursor() as cursor:
        cursor.execute("UPDATE customers_consent SET address = ''")
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            cursor.execute(f"UPDATE customers_consent SET {change}")
