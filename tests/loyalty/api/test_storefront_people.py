"""The customer's API about themselves: profile, consents, the way back (rules 2, 3, 16, 18, 23)."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.models import OutboxEvent
from customers import tasks
from customers.models import Consent, Customer
from customers.services import customers
from loyalty.models import Card
from loyalty.queries import access
from tests.support.api import told
from tests.support.world import World

pytestmark = pytest.mark.django_db
BASE = "/api/v1/storefront/loyalty/"
MARIE = "marie@example.com"


class Holder:
    """The customer of a card, with its secret."""

    def __init__(self, world: World, **person: str) -> None:
        self.world, self.card = world, world.card(**person)
        self.headers = {"Authorization": f"Card {access.secret_of(self.card)}"}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if method == "get":
            return Client().get(BASE + path, headers=sent)
        return getattr(Client(), method)(BASE + path, body, content_type="application/json", headers=sent)

    def confirm(self) -> "Holder":
        customers.confirm(
            merchant_id=self.world.merchant_id, customer_id=self.card.customer_id, at=timezone.now()
        )  # fmt: skip
        return self

    @property
    def customer(self) -> Customer:
        with tenancy.scope(self.world.merchant_id):
            return Customer.objects.get(pk=self.card.customer_id)


def events(world: World, topic: str) -> list[dict[str, Any]]:
    with tenancy.scope(world.merchant_id):
        return list(OutboxEvent.objects.filter(topic=topic).order_by("id").values_list("payload", flat=True))


def test_it_works() -> None:
    world = World.make()
    holder = Holder(world)

    answer = holder.ask(
        "patch", "profile",
        {"name": "Marie Klein", "email": MARIE, "phone": "621 123 456", "birthday": "02-29", "language": "lu"},
    )  # fmt: skip

    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(holder.card.customer_id), "name": "Marie Klein", "email": MARIE, "email_confirmed": False,
        "pending_email": None, "phone": "+352621123456", "birthday": "02-29", "language": "lb", "consents": [],
    }  # fmt: skip
    assert holder.ask("get", "profile").json() == answer.json()
    assert (holder.customer.name_key, holder.customer.email_key) == ("marie klein", MARIE)


def test_changes_what_is_sent_and_nothing_else() -> None:
    holder = Holder(World.make(), name="Marie", email=MARIE, phone="621 123 456", birthday="1956-03-21", language="de")

    answer = holder.ask("patch", "profile", {"name": "Maria"}).json()

    assert (answer["name"], answer["email"], answer["phone"]) == ("Maria", MARIE, "+352621123456")
    assert (answer["birthday"], answer["language"]) == ("1956-03-21", "de")


@pytest.mark.parametrize("nothing", [None, "", "   "])
def test_rule_2_everything_can_be_cleared(nothing: str | None) -> None:
    holder = Holder(World.make(), name="Marie", email=MARIE, phone="621 123 456", birthday="03-21", language="de")
    holder.confirm()
    cleared = dict.fromkeys(["name", "email", "phone", "birthday", "language"], nothing)

    answer = holder.ask("patch", "profile", cleared).json()

    assert {answer[field] for field in ("name", "email", "phone", "birthday", "pending_email")} == {None}
    assert (answer["language"], answer["email_confirmed"]) == ("fr", False)
    assert holder.customer.confirmed_at is None


def test_a_confirmed_address_counts_until_the_new_one_is_proven() -> None:
    world = World.make()
    holder = Holder(world, email=MARIE).confirm()

    answer = holder.ask("patch", "profile", {"email": "new@example.com"}).json()
    assert (answer["email"], answer["email_confirmed"], answer["pending_email"]) == (MARIE, True, "new@example.com")

    tasks.mail_new_address(str(world.merchant_id), **events(world, "customers.address_typed")[-1])
    tasks.send_mails()
    (sent,) = mail.outbox
    assert sent.to == ["new@example.com"]
    found = re.search(r"(/loyalty/\S+/link/\S+)", str(sent.body))
    assert found is not None
    assert Client().post(found[1]).status_code == 303

    answer = holder.ask("get", "profile").json()
    assert (answer["email"], answer["email_confirmed"], answer["pending_email"]) == ("new@example.com", True, None)


def test_the_same_address_again_takes_a_change_back() -> None:
    world = World.make()
    holder = Holder(world, email=MARIE).confirm()
    holder.ask("patch", "profile", {"email": "new@example.com"})

    answer = holder.ask("patch", "profile", {"email": "Marie@Example.com"}).json()

    assert (answer["email"], answer["pending_email"], answer["email_confirmed"]) == (MARIE, None, True)
    assert len(events(world, "customers.address_typed")) == 1


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"email": "nonsense"}, "email", "invalid"),
        ({"email": 5}, "email", "invalid"),
        ({"email": ["a@example.com"]}, "email", "invalid"),
        ({"email": "x" * 300 + "@example.com"}, "email", "max_length"),
        ({"email": "a@example.com\nBcc: b@example.com"}, "email", "invalid"),
        ({"name": "x" * 81}, "name", "max_length"),
        ({"name": "a\x00b"}, "name", "null_characters_not_allowed"),
        ({"name": "\ud800"}, "name", "null_characters_not_allowed"),
        ({"name": {}}, "name", "invalid"),
        ({"phone": "12"}, "phone", "invalid"),
        ({"phone": True}, "phone", "invalid"),
        ({"birthday": "31-12"}, "birthday", "invalid"),
        ({"birthday": "2999-01-01"}, "birthday", "invalid"),
        ({"language": "tlh"}, "language", "invalid_choice"),
        ({"confirmed_at": "2026-01-01"}, "confirmed_at", "unknown_field"),
        ({"stamps": 10}, "stamps", "unknown_field"),
    ],
)
def test_names_the_field_that_is_wrong_and_changes_nothing(body: dict[str, Any], field: str, code: str) -> None:
    holder = Holder(World.make(), name="Marie", email=MARIE)
    before = holder.customer

    answer = holder.ask("patch", "profile", {"name": "Other", **body})

    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert holder.customer.name == before.name


@pytest.mark.parametrize("body", ["[]", "5", '"x"', "{", "null", "\x00"])
@pytest.mark.parametrize(("method", "path"), [("patch", "profile"), ("post", "consents"), ("post", "recover")])
def test_a_body_that_is_no_object_is_refused(method: str, path: str, body: str) -> None:
    answer = Holder(World.make()).ask(method, path, body)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path"), [("get", "profile"), ("patch", "profile"), ("post", "consents")])
@pytest.mark.parametrize("secret", ["", "x", "x" * 5000])
def test_needs_the_cards_own_secret(method: str, path: str, secret: str) -> None:
    holder = Holder(World.make(), name="Marie")
    holder.headers = {"Authorization": f"Card {secret}"} if secret else {}

    assert holder.ask(method, path, {"name": "Other"}).status_code == 401
    assert holder.customer.name == "Marie"


def test_one_merchants_secret_changes_nothing_of_anothers() -> None:
    one, other = Holder(World.make(), name="Marie"), Holder(World.make(), name="Nora")

    one.ask("patch", "profile", {"name": "Changed"})
    one.ask("post", "consents", {"purpose": "service", "channel": "email", "granted": False})

    assert (one.customer.name, other.customer.name) == ("Changed", "Nora")
    with tenancy.scope(other.world.merchant_id):
        assert not Consent.objects.exists()


def test_an_erased_customers_secret_opens_nothing() -> None:
    holder = Holder(World.make(), name="Marie")
    with tenancy.scope(holder.world.merchant_id):
        Customer.objects.update(erased_at=timezone.now())

    assert [holder.ask(method, "profile", {}).status_code for method in ("get", "patch")] == [401, 401]


NEWS = {"purpose": "service", "channel": "email", "granted": True}


def test_rule_23_a_consent_is_evidence() -> None:
    holder = Holder(World.make(), email=MARIE).confirm()

    answer = holder.ask("post", "consents", NEWS, Accept_Language="de")

    assert answer.status_code == 201
    body = answer.json()
    assert {**body, "recorded_at": "", "text_version": ""} == {
        **NEWS, "confirmed": True, "language": "de", "source": "profile", "recorded_at": "", "text_version": "",
    }  # fmt: skip
    assert holder.ask("get", "consents").json() == {"results": [body]}
    assert holder.ask("get", "profile").json()["consents"] == [body]
    with tenancy.scope(holder.world.merchant_id):
        assert Consent.objects.get().address == MARIE


def test_rule_23_a_withdrawal_is_a_row_of_its_own() -> None:
    holder = Holder(World.make(), email=MARIE).confirm()
    for granted in (True, False):
        holder.ask("post", "consents", {**NEWS, "granted": granted})

    assert [row["granted"] for row in holder.ask("get", "consents").json()["results"]] == [False]
    with tenancy.scope(holder.world.merchant_id):
        assert Consent.objects.count() == 2


def test_rule_23_an_unproven_address_is_asked_to_confirm() -> None:
    world = World.make()
    holder = Holder(world, email=MARIE)

    assert holder.ask("post", "consents", NEWS).json()["confirmed"] is False
    assert len(events(world, "customers.address_typed")) == 1


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "purpose", "required"),
        ({**NEWS, "purpose": "spam"}, "purpose", "invalid_choice"),
        ({**NEWS, "purpose": 5}, "purpose", "invalid_choice"),
        ({**NEWS, "channel": "wallet"}, "channel", "invalid_choice"),
        ({**NEWS, "channel": ["email"]}, "channel", "invalid_choice"),
        ({**NEWS, "granted": "yes"}, "granted", "invalid"),
        ({**NEWS, "granted": 1}, "granted", "invalid"),
        ({**NEWS, "granted": None}, "granted", "null"),
        ({**NEWS, "source": "shop"}, "source", "unknown_field"),
        ({**NEWS, "channel": "sms"}, "phone", "required"),
    ],
)
def test_refuses_a_consent_that_cannot_be_read(body: dict[str, Any], field: str, code: str) -> None:
    holder = Holder(World.make(), email=MARIE)

    answer = holder.ask("post", "consents", body)

    assert answer.status_code == 400
    assert (field, code) in [(error["field"], error["code"]) for error in answer.json()["errors"]]
    with tenancy.scope(holder.world.merchant_id):
        assert not Consent.objects.exists()


def test_rule_18_a_key_writes_one_consent_and_belongs_to_its_card() -> None:
    world = World.make()
    one, other = Holder(world, email=MARIE), Holder(world, email="nora@example.com")

    first, again = (one.ask("post", "consents", NEWS, Idempotency_Key="k") for _ in range(2))
    foreign = other.ask("post", "consents", NEWS, Idempotency_Key="k")

    assert (first.json(), again["Idempotent-Replay"]) == (again.json(), "true")
    assert (foreign.status_code, foreign.json()["code"]) == (422, "idempotency_key_reused")
    with tenancy.scope(world.merchant_id):
        assert Consent.objects.count() == 1


def recover(world: World, **body: Any) -> Any:
    body = {"store_code": world.store.code, **body}
    return Client().post(f"{BASE}recover", body, content_type="application/json")


def test_the_way_back_is_answered_the_same_for_everybody() -> None:
    world = World.make()
    Holder(world, email=MARIE, phone="621 123 456").confirm()

    answers = [recover(world, **by) for by in (
        {"email": MARIE}, {"email": "nobody@example.com"}, {"phone": "621 123 456"}, {"phone": "621 999 999"},
    )]  # fmt: skip

    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"")] * 4
    assert len({str(sorted(told(answer).items())) for answer in answers}) == 1
    found = events(world, "customers.recover_requested")
    assert len({str({name: len(text) for name, text in payload.items()}) for payload in found}) == 1


@pytest.mark.parametrize("by", [{"email": MARIE}, {"phone": "+352621123456"}])
def test_the_way_back_brings_the_card_to_another_phone(by: dict[str, str]) -> None:
    world = World.make()
    holder = Holder(world, email=MARIE, phone="621 123 456").confirm()
    recover(world, **by)
    tasks.mail_way_back(str(world.merchant_id), **events(world, "customers.recover_requested")[-1])
    tasks.send_mails()

    found = re.search(r"(/loyalty/\S+/link/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    phone = Client()
    page = phone.get(found[1])
    phone.post(found[1], {"lock_out": "yes"})

    assert b'name="lock_out"' in page.content
    assert b"checked" not in page.content
    assert phone.get(f"/loyalty/{world.store.code}/dashboard").status_code == 200
    assert holder.ask("get", "card").status_code == 401, "the lost phone is outside"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"email": ""}, 400), ({"email": None, "phone": None}, 400), ({"email": "nonsense"}, 400),
        ({"phone": "12"}, 400), ({"email": MARIE, "phone": "621 123 456"}, 400), ({"email": 5}, 400),
        ({"email": "a\x00@example.com"}, 400), ({"email": MARIE, "card_id": "1"}, 400),
        ({"store_code": "nowhere", "email": MARIE}, 404), ({"store_code": "\x01", "email": MARIE}, 404),
        ({"store_code": 5, "email": MARIE}, 400), ({"store_code": "x" * 500, "email": MARIE}, 400),
    ],
)  # fmt: skip
def test_a_way_back_that_cannot_be_read_is_refused(body: dict[str, Any], status: int) -> None:
    world = World.make()

    assert recover(world, **body).status_code == status
    assert events(world, "customers.recover_requested") == []


def test_a_closed_card_has_no_way_back() -> None:
    world = World.make()
    holder = Holder(world, email=MARIE).confirm()
    with tenancy.scope(world.merchant_id):
        Card.objects.update(status="closed")

    recover(world, email=MARIE)

    assert events(world, "customers.recover_requested")[-1]["card_id"] != str(holder.card.pk)
