"""Both cookies and secrets of merged cards open the card that goes on, and each its own again afterwards (rule 25)."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from loyalty import card_cookie
from loyalty.models import Card
from loyalty.queries import access
from tests.support.merging import join, part, two
from tests.support.world import World

pytestmark = pytest.mark.django_db


def browser_of(world: World, card: Card) -> Client:
    response, browser = HttpResponse(), Client(headers={"Accept-Language": "en"})
    card_cookie.write(HttpRequest(), response, world.program.pk, access.secret_of(card))
    browser.cookies.update(response.cookies)
    # What the person chose counts before what the browser asks for.
    browser.cookies["django_language"] = "en"
    return browser


def number_shown(world: World, browser: Client) -> Any:
    answer = browser.get(f"/loyalty/{world.store.code}/dashboard")
    assert answer.status_code == 200
    return answer.context["card"]["number"]


def test_the_browser_of_a_merged_card_shows_the_other_one_and_its_own_again() -> None:
    world, lost, new = two()
    world.stamp(new, 2)
    browser = browser_of(world, lost)
    join(world, lost, new)
    assert number_shown(world, browser) == new.card_number
    assert browser.get(f"/c/{lost.qr_code_data}").url == f"/loyalty/{world.store.code}/dashboard"
    history = browser.get(f"/loyalty/{world.store.code}/history").content.decode()
    assert f"Merged in from card •• {lost.card_number[-4:]}" in history
    part(world, lost)
    # The page began the cookie anew meanwhile, and did not hand out the other card's secret.
    assert number_shown(world, browser) == lost.card_number
    assert number_shown(world, browser_of(world, new)) == new.card_number


def test_a_secret_of_a_merged_card_opens_the_other_one_for_clients() -> None:
    world, lost, new = two()
    join(world, lost, new)

    def card_of(secret: str) -> Any:
        answer = Client().get("/api/v1/storefront/loyalty/card", headers={"Authorization": f"Card {secret}"})
        return answer.json()["id"]

    assert card_of(access.secret_of(lost)) == card_of(access.secret_of(new)) == str(new.pk)
    part(world, lost)
    assert card_of(access.secret_of(lost)) == str(lost.pk)


def test_a_strangers_view_of_a_merged_code_says_nothing() -> None:
    world, lost, new = two()
    join(world, lost, new)
    shown = Client().get(f"/c/{lost.qr_code_data}")
    assert shown.status_code == 200
    for word in (lost.card_number, new.card_number, "Marie"):
        assert word not in shown.content.decode()
