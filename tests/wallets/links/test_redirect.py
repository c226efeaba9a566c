"""The button's address: signed, for a week, it makes the object and leads on to Google."""

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from core import tenancy
from loyalty.enums import CardStatus
from loyalty.extensions import wallet_links
from loyalty.models import Card
from loyalty.services import erasure, freezing
from tests.fakes.google import FakeGoogle
from tests.support.api import assert_problem
from tests.support.world import World
from wallets.models import GooglePass
from wallets.services import google_links

PAGE = {"Accept": "text/html,application/xhtml+xml"}


def address(card: Card) -> str:
    """Return the path of the button of a card."""
    url = google_links.google_url(card)
    assert url is not None
    return urlsplit(url).path


def opens(card: Card, **headers: str) -> Any:
    return Client(headers=headers).get(address(card))


def object_of(answer: Any) -> str:
    """Return the object that a save link names."""
    assert answer["Location"].startswith("https://pay.google.com/gp/v/save/")
    body = answer["Location"].rpartition("/")[2].split(".")[1]
    [named] = json.loads(base64.urlsafe_b64decode(body + "=="))["payload"]["loyaltyObjects"]
    return str(named["id"])


def test_it_makes_class_and_object_and_leads_on(google: FakeGoogle, world: World) -> None:
    card = world.card(name="Marie Muller")
    world.stamp(card)

    answer = opens(card)

    assert answer.status_code == 302
    assert answer["Cache-Control"] == "private, no-store"
    # Nothing of the address goes on to Google.
    assert answer["Referrer-Policy"] == "same-origin"
    name = object_of(answer)
    held = google.shelf.get("loyaltyObject", name)
    assert held["loyaltyPoints"]["balance"] == {"string": "1/10"}
    assert google.shelf.get("loyaltyClass", held["classId"])["programName"] == "CoffeeLux"
    with tenancy.scope(world.merchant_id):
        assert GooglePass.objects.get(card_id=card.pk).object_id == name


def test_it_may_be_opened_again_and_asks_google_only_for_what_is_new(google: FakeGoogle, world: World) -> None:
    card = world.card()
    first = opens(card)
    made = len(google.calls())

    again = opens(card)

    assert object_of(again) == object_of(first)
    assert len(google.calls()) == made


def test_a_page_carries_our_address_and_never_googles(google: FakeGoogle, world: World) -> None:
    card = world.card()
    with tenancy.scope(world.merchant_id):
        links = wallet_links(Card.objects.select_related("customer").get(pk=card.pk))

    url = links["google_url"] or ""

    assert urlsplit(url).path.startswith("/api/v1/loyalty/passes/google/")
    assert google.calls() == [], "what nobody opens costs nothing"
    assert card.qr_code_data not in url
    assert card.card_number not in url


def test_without_google_there_is_no_button_and_no_address(google: FakeGoogle, world: World, settings: Any) -> None:
    card = world.card()
    path = address(card)
    settings.LOYALTY_GOOGLE_ISSUER_ID = ""

    assert google_links.google_url(card) is None
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize("status", [CardStatus.CLOSED, CardStatus.MERGED])
def test_a_card_that_is_over_has_none(google: FakeGoogle, world: World, status: CardStatus) -> None:
    card = world.card()
    path = address(card)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status=status)

    assert google_links.google_url(world.fresh(card)) is None
    assert_problem(Client().get(path), 404, "not_found")
    assert google.calls() == []


def test_an_erased_persons_link_leads_nowhere_at_once(google: FakeGoogle, world: World) -> None:
    card = world.card(name="Marie")
    path = address(card)

    erasure.erase_holder(merchant_id=world.merchant_id, card_id=card.pk, at=world.at)

    assert_problem(Client().get(path), 404, "not_found")
    assert google.calls() == []


def test_a_frozen_card_may_be_added_and_is_inactive_there(google: FakeGoogle, world: World) -> None:
    card = world.card()
    freezing.freeze(merchant_id=world.merchant_id, card_id=card.pk, reason="lost phone", at=world.at)

    name = object_of(opens(world.fresh(card)))

    assert google.shelf.get("loyaltyObject", name)["state"] == "INACTIVE"


def test_it_ends_after_a_week(google: FakeGoogle, world: World) -> None:
    card = world.card()
    path = address(card)
    now = timezone.now()

    with time_machine.travel(now + timedelta(days=7, minutes=1)):
        assert_problem(Client().get(path), 404, "not_found")
    with time_machine.travel(now + timedelta(days=6, hours=23)):
        google.tokens.life = 10**9
        assert Client().get(path).status_code in (302, 503)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_is_opened_and_nothing_else(google: FakeGoogle, world: World, method: str) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, address(world.card()), headers=PAGE)

    assert answer.status_code == 405
    assert google.calls() == []


@pytest.mark.parametrize("word", ["x", "a.b.c", "%00", "é", "WyJhIiwiYiJd:1abc:sig", "x" * 3000])
def test_words_that_we_did_not_sign_open_nothing(google: FakeGoogle, world: World, word: str) -> None:
    assert_problem(Client().get(f"{google_links.PATH}{word}"), 404, "not_found")
    assert google.calls() == []


def test_a_changed_word_opens_nothing(google: FakeGoogle, world: World) -> None:
    mine, other = world.card(), World.make().card()
    body, _, rest = address(mine).rpartition("/")[2].partition(":")
    foreign = address(other).rpartition("/")[2].partition(":")[0]

    assert body != foreign
    assert Client().get(f"{google_links.PATH}{foreign}:{rest}").status_code == 404


def test_people_get_a_kind_page_while_google_is_away(google: FakeGoogle, world: World) -> None:
    google.faults.away = True

    answer = opens(world.card(), **PAGE)

    assert answer.status_code == 503
    assert answer["Content-Type"].startswith("text/html")
    assert "Google Wallet is away for a moment" in answer.content.decode()
    assert int(answer["Retry-After"]) > 0
    assert answer["Cache-Control"] == "private, no-store"


def test_programs_get_a_problem_while_google_is_away(google: FakeGoogle, world: World) -> None:
    google.faults.away = True

    answer = opens(world.card())

    assert_problem(answer, 503, "wallet_unavailable")
    assert int(answer["Retry-After"]) > 0


def test_people_get_a_page_for_a_link_that_is_none(google: FakeGoogle, world: World) -> None:
    answer = Client(headers=PAGE).get(f"{google_links.PATH}nothing")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_card_that_is_there_is_saved_though_google_is_away_now(google: FakeGoogle, world: World) -> None:
    card = world.card()
    name = object_of(opens(card))
    google.faults.away = True

    assert object_of(opens(card)) == name


def test_one_card_cannot_keep_google_busy(
    google: FakeGoogle, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(google_links, "TRIES", 2)
    card = world.card()

    assert [opens(card).status_code for _ in range(3)] == [302, 302, 429]
    assert opens(world.card()).status_code == 302
