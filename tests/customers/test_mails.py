"""Mails and links: what follows an enrolment, the way back, and what a link may do (rules 3 and 23)."""

from datetime import timedelta
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from core import tenancy
from core.ids import uuid7
from customers import tasks
from customers.models import Customer, MagicLink
from customers.services import customers, links
from customers.services.links import LinkExpired
from merchants.models import Merchant
from tests.support.world import World

pytestmark = pytest.mark.django_db


def person(world: World, *, confirmed: bool = False, **typed: str) -> Customer:
    contact = customers.read_contact(country="LU", **typed)
    made = customers.create(merchant_id=world.merchant_id, contact=contact, default_language="en")
    if confirmed:
        customers.confirm(merchant_id=world.merchant_id, customer_id=made.pk, at=timezone.now())
    return made


def after_enrollment(world: World, customer: Customer) -> list[Any]:
    mail.outbox.clear()
    tasks.mail_after_enrollment(
        str(world.merchant_id), customer_id=str(customer.pk), card_id=str(uuid7()), pages="/loyalty/gare"
    )
    tasks.send_mails()
    return mail.outbox


def link_rows(world: World) -> list[MagicLink]:
    with tenancy.scope(world.merchant_id):
        return list(MagicLink.objects.order_by("id"))


def test_it_works() -> None:
    world = World.make()
    marie = person(world, name="Marie", email="Marie@example.com")

    (sent,) = after_enrollment(world, marie)

    assert sent.to == ["Marie@example.com"]
    assert sent.subject == "Your CoffeeLux card: confirm your address"
    assert "Hello,\n" in sent.body
    (row,) = link_rows(world)
    token = sent.body.split("/loyalty/gare/link/")[1].split()[0]
    assert row.token_hash == links.hash_of(token)
    assert token not in str(vars(row))
    assert row.purpose == "confirm"


def test_rule_3_a_known_address_hears_that_there_is_a_card() -> None:
    world = World.make()
    person(world, email="marie@example.com", confirmed=True)

    (sent,) = after_enrollment(world, person(world, email="MARIE@example.com", name="Buy at evil.example"))

    assert sent.to == ["marie@example.com"]
    assert "evil.example" not in sent.body
    assert sent.subject == "You already have a card at CoffeeLux"
    assert [row.purpose for row in link_rows(world)] == ["recover"]


def test_rule_3_a_known_number_is_told_to_its_owners_address() -> None:
    world = World.make()
    owner = person(world, email="marie@example.com", phone="621 123 456", confirmed=True)

    (sent,) = after_enrollment(world, person(world, phone="+352 621 123 456"))

    assert sent.to == [owner.email]
    assert sent.subject == "You already have a card at CoffeeLux"


def test_rule_3_an_unproven_number_writes_to_nobody() -> None:
    world = World.make()
    person(world, email="marie@example.com", phone="621 123 456")

    assert after_enrollment(world, person(world, phone="621 123 456")) == []


def test_rule_2_a_card_without_an_address_gets_no_mail() -> None:
    world = World.make()

    assert after_enrollment(world, person(world)) == []
    assert link_rows(world) == []


def test_rule_23_the_confirmation_mail_carries_no_advertising() -> None:
    world = World.make()

    (sent,) = after_enrollment(world, person(world, email="marie@example.com"))

    assert sent.body.count("http") == 1
    assert (sent.content_subtype, sent.attachments) == ("plain", [])


@pytest.mark.parametrize("status", ["late", "suspended", "closed"])
def test_rule_5_a_merchant_that_may_not_enrol_does_not_write(status: str) -> None:
    world = World.make()
    marie = person(world, email="marie@example.com")
    with tenancy.scope(world.merchant_id):
        Merchant.objects.filter(pk=world.merchant_id).update(status=status)

    assert after_enrollment(world, marie) == []


def test_writes_in_the_customers_language_and_in_the_merchants_name() -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        Merchant.objects.filter(pk=world.merchant_id).update(name='Chez "Léa" <b>& Co')

    person(world, email="marie@example.com", name="<i>Marie</i>", language="de", confirmed=True)

    (sent,) = after_enrollment(world, person(world, email="marie@example.com", language="fr"))

    assert str(make_header(decode_header(parseaddr(sent.from_email)[0]))) == 'Chez "Léa" <b>& Co'
    assert "<i>Marie</i>," in sent.body
    assert 'Chez "Léa" <b>& Co' in sent.body


def test_fills_nobodys_mailbox() -> None:
    world = World.make()

    sent = sum(
        len(after_enrollment(world, person(world, email="marie@example.com"))) for _ in range(links.MAX_PER_ADDRESS + 2)
    )

    assert sent == links.MAX_PER_ADDRESS


def test_sends_nothing_for_a_customer_of_another_merchant() -> None:
    world, other = World.make(), World.make()
    marie = person(other, email="marie@example.com")

    assert after_enrollment(world, marie) == []
    assert link_rows(world) == link_rows(other) == []


def test_the_way_back_writes_to_known_people_only() -> None:
    world = World.make()
    marie = person(world, email="marie@example.com", confirmed=True)
    facts = {"card_id": str(uuid7()), "pages": "/loyalty/gare"}

    tasks.mail_way_back(str(world.merchant_id), customer_id=None, card_id=None, pages="/loyalty/gare")
    tasks.mail_way_back(str(world.merchant_id), customer_id=str(uuid7()), **facts)
    tasks.mail_way_back(str(world.merchant_id), customer_id=str(marie.pk), **facts)
    tasks.send_mails()

    assert [message.to for message in mail.outbox] == [["marie@example.com"]]


def issue(world: World, customer: Customer, purpose: str = "confirm") -> str:
    token = links.issue(
        merchant_id=world.merchant_id, customer=customer, card_id=None, purpose=links.LinkPurpose(purpose),
        at=timezone.now(),
    )  # fmt: skip
    assert token is not None
    return token


def test_a_link_works_once() -> None:
    world = World.make()
    merchant_id, link_id = links.find(issue(world, person(world, email="marie@example.com")))
    now = timezone.now()

    links.read(merchant_id=merchant_id, link_id=link_id, at=now)
    links.use(merchant_id=merchant_id, link_id=link_id, at=now)

    with pytest.raises(LinkExpired):
        links.use(merchant_id=merchant_id, link_id=link_id, at=now)
    with pytest.raises(LinkExpired):
        links.read(merchant_id=merchant_id, link_id=link_id, at=now)


@pytest.mark.parametrize(("purpose", "lasts"), [("confirm", timedelta(days=3)), ("recover", timedelta(minutes=30))])
def test_a_link_ends_in_time(purpose: str, lasts: timedelta) -> None:
    world = World.make()
    merchant_id, link_id = links.find(issue(world, person(world, email="marie@example.com"), purpose))
    issued = timezone.now()

    links.read(merchant_id=merchant_id, link_id=link_id, at=issued + lasts - timedelta(seconds=5))

    with pytest.raises(LinkExpired):
        links.use(merchant_id=merchant_id, link_id=link_id, at=issued + lasts)


@pytest.mark.parametrize("token", ["", "nonsense", "0b0e4f5a-7a5e-4d0e-9c57-3f0f5a1d2c3b", "x" * 5000, "\ud800"])
def test_a_token_that_never_was_opens_nothing(token: str) -> None:
    with pytest.raises(LinkExpired):
        links.find(token)


def test_an_erased_customers_link_is_dead() -> None:
    world = World.make()
    marie = person(world, email="marie@example.com")
    merchant_id, link_id = links.find(issue(world, marie))
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=marie.pk).update(erased_at=timezone.now())

    with pytest.raises(LinkExpired):
        links.use(merchant_id=merchant_id, link_id=link_id, at=timezone.now())
