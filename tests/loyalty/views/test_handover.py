"""The card from the desktop to the phone: shown on request, good for two minutes and one opening, and nothing else."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from core import tenancy
from loyalty.models import Card
from loyalty.queries import access
from loyalty.services import handovers, lockouts
from tests.support.world import World

pytestmark = pytest.mark.django_db


def page(world: World, name: str) -> str:
    return f"/loyalty/{world.store.code}/{name}"


def joined(client: Client, world: World) -> Card:
    client.post(page(world, "enroll"), {"language": "en"})
    with tenancy.scope(world.merchant_id):
        return Card.objects.latest("id")


def token_for(world: World, card: Card) -> str:
    return handovers.make(merchant_id=world.merchant_id, card=card)


def test_it_works_once(client: Client) -> None:
    world = World.make()
    card = joined(client, world)
    token, phone, other = token_for(world, card), Client(), Client()

    shown = phone.get(page(world, f"open/{token}"))
    again = phone.get(page(world, f"open/{token}"))
    opened = phone.post(page(world, f"open/{token}"))
    late = other.post(page(world, f"open/{token}"))

    assert (shown.status_code, again.status_code) == (200, 200), "a camera that looks at the address uses nothing up"
    assert (opened.status_code, opened["Location"]) == (303, page(world, "dashboard"))
    assert phone.get(page(world, "dashboard")).status_code == 200
    assert late.status_code == 410
    assert other.get(page(world, "dashboard"))["Location"] == page(world, "enroll")
    assert other.get(page(world, f"open/{token}")).status_code == 410


def test_the_page_shows_a_code_only_when_it_is_asked_for(client: Client) -> None:
    world = World.make()
    card = joined(client, world)

    asked, shown = client.get(page(world, "handover")), client.post(page(world, "handover"))

    assert "handover-qr" not in asked.content.decode()
    assert "handover-qr" in shown.content.decode()
    assert shown["Refresh"] == f"120; url={page(world, 'handover')}", "what is over goes off the screen"
    for answer in (asked, shown):
        assert access.secret_of(card) not in answer.content.decode()
        assert card.qr_code_data not in answer.content.decode()


def test_it_is_over_after_two_minutes(client: Client) -> None:
    world = World.make()
    token = token_for(world, joined(client, world))
    [key] = [handovers._key(world.merchant_id, token)]

    assert 0 < cache._cache.get_client().ttl(cache.make_key(key)) <= handovers.SECONDS == 120
    cache.delete(key)
    assert Client().post(page(world, f"open/{token}")).status_code == 410


def test_shutting_others_out_ends_it(client: Client) -> None:
    world = World.make()
    card = joined(client, world)
    token = token_for(world, card)
    lockouts.lock_out(merchant_id=world.merchant_id, card_id=card.pk, at=world.at)

    assert Client().post(page(world, f"open/{token}")).status_code == 410


def test_at_another_merchants_it_opens_nothing(client: Client) -> None:
    world, other = World.make(), World.make()
    token = token_for(world, joined(client, world))
    phone = Client()

    assert phone.post(page(other, f"open/{token}")).status_code == 410
    assert not phone.cookies.keys() & {name for name in phone.cookies if name.startswith("card_")}
    assert phone.post(page(world, f"open/{token}")).status_code == 303, "and it was not used up by that"


def test_nobody_makes_codes_without_end(client: Client) -> None:
    world = World.make()
    joined(client, world)
    with time_machine.travel(timezone.now().replace(minute=10) + timedelta(hours=1), tick=False):
        made = [client.post(page(world, "handover")).status_code for _ in range(handovers.MOST_PER_HOUR + 1)]

    assert made == [200] * handovers.MOST_PER_HOUR + [429]


def test_needs_the_token_of_a_form(client: Client) -> None:
    world = World.make()
    token = token_for(world, joined(client, world))

    assert Client(enforce_csrf_checks=True).post(page(world, f"open/{token}")).status_code == 403
