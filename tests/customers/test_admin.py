"""Customers in the platform's admin: masked, read-only, and looking at one in full is noted."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from core import tenancy
from customers.models import Consent, Customer, Mail
from customers.services import consents
from merchants.models import User
from tests.support.desk import WHY, Desk, address, audit
from tests.support.world import NOON, World

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"


@pytest.fixture
def platform(client: Client, settings: Any) -> Client:
    settings.DEBUG = True  # outside of it the second factor comes first
    client.force_login(User.objects.create_superuser("admin@platform.example", "demo-loyalty-2026"))
    return client


def person(world: World, **changed: Any) -> Customer:
    about = {"name": "Marie Klein", "email": "marie@example.com", "phone": "621 123 442", **changed}
    return world.card(**about).customer


def marie(world: World) -> Any:
    return world.card(name="Marie Klein", email="marie@example.com", phone="621 123 442").customer_id


def test_lists_and_shows_people_masked(platform: Client) -> None:
    world = World.make()
    customer_id = marie(world)

    pages = [platform.get(LIST).content.decode(), platform.get(f"{LIST}{customer_id}/change/").content.decode()]

    for html in pages:
        assert "M… K." in html
        assert "m…@example.com" in html
        assert "••• 42" in html
        assert "Marie" not in html
        assert "marie@" not in html


def test_shows_a_person_once_to_who_says_why() -> None:
    desk, world = Desk.open(), World.make()
    customer = person(world)

    asked = desk.ask("reveal", customer)
    refused = desk.act("reveal", customer, reason=" ")
    assert "Marie" not in asked.content.decode() + refused.content.decode()
    assert audit("customer_revealed") == []
    shown = desk.act("reveal", customer)

    html = shown.content.decode()
    assert "Marie Klein" in html
    assert "marie@example.com" in html
    assert "no-store" in shown["Cache-Control"]
    [entry] = audit("customer_revealed")
    assert (entry.actor_id, entry.merchant_id) == (desk.user.pk, world.merchant_id)
    assert (entry.target, entry.reason, entry.facts) == (f"customer {customer.pk}", WHY, {})
    for page in (desk.row(customer), desk.browse(Customer), desk.get(address(Customer, "history", customer.pk))):
        assert page.status_code == 200
        assert "Marie" not in page.content.decode()


def test_shows_no_two_people_at_once_and_nobody_to_who_may_only_look() -> None:
    world = World.make()
    customer, other = person(world), person(world, email="paul@example.com", phone="")
    viewer = Desk.open(superuser=False)
    viewer.user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))

    both = Desk.open().act("reveal", customer, other)
    answer = viewer.act("reveal", customer)

    assert both.status_code == 302
    assert "Marie" not in answer.content.decode()
    assert audit("customer_revealed") == []


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("marie@example.com", True), (" MARIE@Example.com ", True), ("marie@example", False), ("arie", False),
        ("mar", True), ("Marie K", True), ("KLEIN", False), ("+352621123442", True), ("+352 621 123 442", True),
        ("00352621123442", True), ("621123442", False), ("+", False), ("@", False), ("%", False), ("\U0010ffff", False),
        ("x" * 500, False),
    ],
)  # fmt: skip
def test_finds_by_address_number_and_beginning_of_the_name(term: str, found: bool) -> None:
    desk, world = Desk.open(), World.make()
    customer = person(world)
    World.make().card(name="Paul Weber", email="paul@example.com")

    assert desk.found(Customer, term) == ([customer.pk] if found else [])


def test_finds_by_id_and_within_a_merchant() -> None:
    desk, world, other = Desk.open(), World.make(), World.make()
    mine, theirs = person(world), person(other)

    both = desk.found(Customer, "marie@example.com")
    narrowed = desk.browse(Customer, q="marie", merchant__id__exact=str(other.merchant_id))

    assert sorted(both) == sorted([mine.pk, theirs.pk])
    assert desk.found(Customer, str(mine.pk)) == [mine.pk]
    assert [row.pk for row in narrowed.context["cl"].result_list] == [theirs.pk]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_for_one_and_for_three(count: int, django_assert_num_queries: Any) -> None:
    desk, world = Desk.open(), World.make()
    for number in range(count):
        world.card(name="Marie", email=f"m{number}@example.com")
    desk.browse(Customer)

    with django_assert_num_queries(11) as asked:
        desk.browse(Customer)

    assert not [q["sql"] for q in asked.captured_queries if "COUNT(" in q["sql"] and "LIMIT" not in q["sql"]]


def test_addresses_of_consents_and_links_are_masked_and_revealed() -> None:
    desk, world = Desk.open(), World.make()
    customer = person(world)
    with tenancy.scope(world.merchant_id):
        consents.record(
            merchant_id=world.merchant_id, customer=customer, decisions={("marketing", "email"): True},
            source="storefront", language="fr", at=NOON,
        )  # fmt: skip
        row = Consent.objects.get()

    page = desk.row(row).content.decode()
    shown = desk.act("reveal", row).content.decode()

    assert "m…@example.com" in page
    assert "marie@example.com" not in page
    assert "marie@example.com" in shown
    assert [entry.target for entry in audit("consent_revealed")] == [f"consent {row.pk}"]


def test_sends_failed_mails_again_and_only_those() -> None:
    desk, world = Desk.open(), World.make()
    customer = person(world)
    with tenancy.scope(world.merchant_id):
        failed, sent = (
            Mail.objects.create(
                customer=customer, kind="confirm", event=state, state=state, due_at=NOON, attempts=8,
                last_error="550 <marie@example.com> unknown",
            )
            for state in ("failed", "sent")
        )  # fmt: skip

    assert "marie@" not in desk.browse(Mail).content.decode() + desk.row(failed).content.decode()
    desk.act("requeue", failed, sent)

    with tenancy.scope(world.merchant_id):
        fresh, other = Mail.objects.get(pk=failed.pk), Mail.objects.get(pk=sent.pk)
    assert (fresh.state, fresh.attempts, other.state) == ("queued", 0, "sent")
    assert [(entry.target, entry.reason) for entry in audit("mail_requeued")] == [(f"mail {failed.pk}", WHY)]


@pytest.mark.parametrize("model", ["customer", "consent", "magiclink", "mail"])
def test_changes_nothing_by_hand(platform: Client, model: str) -> None:
    world = World.make()
    customer_id = marie(world)

    answers = [
        platform.get(f"/admin/customers/{model}/add/"),
        platform.post(f"/admin/customers/{model}/add/", {}),
        platform.post(f"/admin/customers/{model}/{customer_id}/delete/", {"post": "yes"}),
    ]

    assert {answer.status_code for answer in answers} <= {302, 403, 404}
    assert platform.post(f"{LIST}{customer_id}/change/", {"name": "Other"}).status_code == 403
    assert world.fresh(world.card()).customer_id != customer_id


def test_shows_consents_and_links(platform: Client) -> None:
    world = World.make()
    card = world.card(email="marie@example.com")
    with tenancy.scope(world.merchant_id):
        consents.record(
            merchant_id=world.merchant_id, customer=card.customer, decisions={("marketing", "email"): True},
            source="storefront", language="fr", at=NOON,
        )  # fmt: skip

    assert platform.get("/admin/customers/consent/").status_code == 200
    assert platform.get("/admin/customers/magiclink/").status_code == 200


def test_is_for_platform_staff_only(client: Client) -> None:
    world = World.make()
    customer_id = marie(world)
    client.force_login(world.owner)

    for path in (LIST, f"{LIST}{customer_id}/change/"):
        assert client.get(path).status_code == 302
