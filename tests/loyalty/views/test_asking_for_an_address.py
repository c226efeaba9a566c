"""The three moments at which an address is asked for: joining, looking at the card, a reward just handed out."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from core import tenancy
from customers.models import Customer
from loyalty.models import Card
from loyalty.views import cards as card_pages
from tests.support.world import World

ENJOY = "Enjoy it."
IN_APP = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Instagram 390.0"


@pytest.fixture
def world(db: None) -> World:
    return World.make(at=timezone.now(), stamps_target=2)


def joined(client: Client, world: World) -> Card:
    """Make a card in this browser."""
    client.post(f"/loyalty/{world.store.code}/enroll", headers={"Accept-Language": "en"})
    with tenancy.scope(world.merchant_id):
        return Card.objects.latest("enrolled_at")


def page(client: Client, world: World, **headers: str) -> str:
    """Return the card page."""
    asked = {"Accept-Language": "en", **headers}
    return client.get(f"/loyalty/{world.store.code}/dashboard", headers=asked).content.decode()


def test_joining_says_beside_each_box_what_it_is_for(client: Client, world: World) -> None:
    html = client.get(f"/loyalty/{world.store.code}/enroll", headers={"Accept-Language": "en"}).content.decode()

    assert "One mail a day at most." in html
    assert "from this shop only." in html
    assert "checked" not in html


def test_the_card_page_asks_for_an_address_until_there_is_one(client: Client, world: World) -> None:
    card = joined(client, world)
    assert 'id="keep"' in page(client, world)

    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=card.customer_id).update(
            email="marie@example.com", email_key="k", confirmed_at=timezone.now()
        )

    assert 'id="keep"' not in page(client, world)


def test_a_reward_that_was_just_handed_out_asks_beside_the_card(client: Client, world: World) -> None:
    card = joined(client, world)
    world.stamp(card, 2)
    assert ENJOY not in page(client, world)
    handed_out = world.redeem(card)

    html = page(client, world)
    assert html.index(ENJOY) < html.index('id="live-beside"')
    assert 'href="#keep"' in html

    world.void(handed_out["transaction_id"])
    assert ENJOY not in page(client, world)


def test_an_old_reward_does_not_ask(client: Client, world: World) -> None:
    world.at -= card_pages.JUST_NOW + timedelta(minutes=1)
    card = joined(client, world)
    world.stamp(card, 2)
    world.redeem(card)

    assert ENJOY not in page(client, world)


def test_inside_another_app_the_way_to_keep_the_card_comes_first(client: Client, world: World) -> None:
    joined(client, world)

    inside, outside = page(client, world, **{"User-Agent": IN_APP}), page(client, world)

    assert inside.count('id="keep"') == outside.count('id="keep"') == 1
    assert inside.index('id="keep"') < inside.index('id="live-beside"')
    assert outside.index('id="keep"') > outside.index('id="live-beside"')
    assert "it may forget your card" in inside
