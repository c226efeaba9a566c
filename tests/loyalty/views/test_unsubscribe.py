"""The way out of mails: one click by the mail program or one button, no login, no cookie, for ever (rule 23)."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core import tenancy
from customers.models import Consent, Customer
from customers.services import consents, customers, unsubscribes
from loyalty.models import Card
from tests.support.world import World

pytestmark = pytest.mark.django_db
ONE_CLICK = "List-Unsubscribe=One-Click"


def subscriber(world: World, language: str = "en") -> Card:
    card = world.card(email="marie@example.com", language=language)
    customers.confirm(merchant_id=world.merchant_id, customer_id=card.customer_id, at=timezone.now())
    consents.decide(
        merchant_id=world.merchant_id, customer_id=card.customer_id, purpose="service", channel="email", granted=True,
        source="profile", language="en", at=timezone.now(),
    )  # fmt: skip
    return card


def address(world: World, card: Card) -> str:
    about = unsubscribes.Subscription(world.merchant_id, card.customer_id, "service", "email")
    return f"/u/{unsubscribes.token(about)}"


def is_on(world: World, card: Card) -> bool:
    with tenancy.scope(world.merchant_id):
        return consents.allowed(card.customer_id, "service", "email")


def one_click(path: str) -> Any:
    """Post as a mail program does: another site, no cookie, no token."""
    return Client(enforce_csrf_checks=True).post(path, ONE_CLICK, content_type="application/x-www-form-urlencoded")


def test_it_works() -> None:
    world = World.make()
    card = subscriber(world)

    answer = one_click(address(world, card))

    assert answer.status_code == 200
    assert not is_on(world, card)
    with tenancy.scope(world.merchant_id):
        assert Consent.objects.latest("id").source == "unsubscribe"


def test_the_mail_names_the_address_that_there_is() -> None:
    assert reverse("loyalty:unsubscribe", args=["x"]) == f"{unsubscribes.PATH}x"


def test_looking_changes_nothing() -> None:
    world = World.make()
    card = subscriber(world)

    shown = Client().get(address(world, card))

    assert shown.status_code == 200
    assert b"No more reward news from CoffeeLux?" in shown.content
    assert shown.content.count(b"<h1") == 1
    assert is_on(world, card)
    assert (shown["Referrer-Policy"], shown["X-Robots-Tag"]) == ("no-referrer", "noindex")


def test_a_slip_can_be_undone() -> None:
    world = World.make()
    card = subscriber(world)

    out = one_click(address(world, card))
    back = Client(enforce_csrf_checks=True).post(address(world, card), {"undo": "yes"})

    assert b'name="undo"' in out.content
    assert b"Back on, as before" in back.content
    assert is_on(world, card)


def test_twice_is_as_good_as_once() -> None:
    world = World.make()
    card = subscriber(world)

    answers = [one_click(address(world, card)).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    with tenancy.scope(world.merchant_id):
        assert Consent.objects.count() == 2


def test_speaks_the_customers_language() -> None:
    world = World.make()

    shown = Client().get(address(world, subscriber(world, "de")), headers={"Accept-Language": "fr"})

    assert b'<html lang="de"' in shown.content


@pytest.mark.parametrize("token", ["x", "x" * 3000, "a%00b", "a:b:c", "%F0%9F%98%80"])
def test_a_bad_token_is_not_there(token: str) -> None:
    path = f"/u/{token}"

    assert [Client().get(path).status_code, one_click(path).status_code] == [404, 404]


def test_a_token_changed_by_a_letter_is_not_there() -> None:
    world = World.make()
    card = subscriber(world)
    path = address(world, card)

    assert one_click(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 404
    assert is_on(world, card)


def test_an_erased_customer_is_not_there() -> None:
    world = World.make()
    card = subscriber(world)
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=card.customer_id).update(erased_at=timezone.now())

    assert one_click(address(world, card)).status_code == 404


def test_one_merchants_link_leaves_another_merchant_alone() -> None:
    one, other = World.make(), World.make()
    here, there = subscriber(one), subscriber(other)

    one_click(address(one, here))

    assert (is_on(one, here), is_on(other, there)) == (False, True)
