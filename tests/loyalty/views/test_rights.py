"""The customer's rights on pages: see everything, take it away, erase it in two steps (rule 24)."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import tenancy
from customers.models import Mail
from customers.services import customers
from loyalty.services import freezing, merges
from tests.loyalty.views.test_privacy import EN, MARIE, Visitor
from tests.support.world import World

pytestmark = pytest.mark.django_db


def test_it_works() -> None:
    visitor = Visitor(name="Marie Klein", email=MARIE)
    visitor.world.stamp(visitor.card, 3)

    for page in ("privacy/export", "privacy/erase"):
        assert f'href="{visitor.at(page)}"' in visitor.see()
    everything, asked = visitor.see("privacy/export"), visitor.see("privacy/erase")
    answer = visitor.post("privacy/erase", confirm="yes")

    for shown in ("Marie Klein", MARIE, "3 / 10", "Card made"):
        assert shown in everything
    assert "3 stamps" in asked
    assert answer.status_code == 200
    assert "Everything is erased" in answer.content.decode()
    assert "Marie" not in answer.content.decode()
    assert visitor.customer.erased_at is not None
    (cookie,) = [cookie for name, cookie in answer.cookies.items() if name.startswith("card_")]
    assert (cookie.value, cookie["max-age"]) == ("", 0)


def test_leads_to_a_new_card_afterwards_also_with_the_old_cookie() -> None:
    visitor = Visitor(name="Marie")
    kept = dict(visitor.client.cookies)
    visitor.post("privacy/erase", confirm="yes")

    again = Client()
    again.cookies.update(kept)

    for browser in (visitor.client, again):
        for page in ("dashboard", "history", "privacy", "privacy/export", "privacy/erase", "profile"):
            answer = browser.get(visitor.at(page))
            assert (answer.status_code, answer["Location"]) == (302, visitor.at("enroll")), page
    assert again.post(visitor.at("privacy/erase"), {"confirm": "yes"}).status_code == 302
    assert again.post(visitor.at("enroll"), {"name": "Marie"}).status_code == 303


@pytest.mark.parametrize("said", [None, "", "no", "yes\x00", "YES" * 999])
def test_one_step_erases_nothing(said: str | None) -> None:
    visitor = Visitor(name="Marie")

    answer = visitor.post("privacy/erase", **({} if said is None else {"confirm": said}))

    assert answer.status_code == 400
    assert visitor.customer.name == "Marie"


def test_needs_the_token_of_the_form() -> None:
    visitor = Visitor(name="Marie")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies.update(visitor.client.cookies)

    assert strict.post(visitor.at("privacy/erase"), {"confirm": "yes"}).status_code == 403
    assert visitor.customer.name == "Marie"


def test_no_page_without_a_card_and_none_of_another_merchants() -> None:
    visitor, other = Visitor(name="Marie"), World.make()

    for page in ("privacy/export", "privacy/erase"):
        assert Client().get(visitor.at(page))["Location"] == visitor.at("enroll")
        theirs = f"/loyalty/{other.store.code}/{page}"
        assert visitor.client.get(theirs)["Location"] == f"/loyalty/{other.store.code}/enroll"


def test_the_download_is_the_file_of_the_card_in_the_browser() -> None:
    visitor = Visitor(name="Marie Klein", email=MARIE)
    found = re.search(r'href="(/api/v1/storefront/loyalty/export[^"]*)"', visitor.see("privacy/export"))
    assert found

    answer = visitor.client.get(found[1], headers={**EN, "Accept": "text/html"})

    assert answer["Content-Disposition"].startswith("attachment")
    assert json.loads(b"".join(answer.streaming_content))["profile"]["name"] == "Marie Klein"


def test_everything_is_shown_of_merged_records_too_and_nothing_of_the_teams_words() -> None:
    visitor = Visitor(name="Marie Klein", email=MARIE)
    world = visitor.world
    earlier = world.card(name="Maria K.", email="maria@example.com", phone="621 999 999")
    customers.confirm(merchant_id=world.merchant_id, customer_id=earlier.customer_id, at=timezone.now())
    merges.merge(
        merchant_id=world.merchant_id, card_id=earlier.pk, into_id=visitor.card.pk, reason="looks alike", at=world.at,
        channel="api",
    )  # fmt: skip
    with tenancy.scope(world.merchant_id):
        Mail.objects.create(customer_id=earlier.customer_id, kind="recover", event="e", due_at=timezone.now())
    freezing.freeze(merchant_id=world.merchant_id, card_id=visitor.card.pk, reason="suspicious", at=world.at)

    html = visitor.see("privacy/export")

    for shown in ("An earlier entry about you", "Maria K.", "+352621999999", "The way back to the card"):
        assert shown in html
    assert "suspicious" not in html
    assert "looks alike" not in html


@pytest.mark.parametrize("language", ["en", "fr", "de", "lb"])
def test_speaks_the_visitors_language(language: str) -> None:
    visitor = Visitor(name="Marie")
    visitor.client.cookies["django_language"] = language

    for page in ("privacy", "privacy/export", "privacy/erase"):
        answer = visitor.client.get(visitor.at(page))
        assert f'lang="{language}"' in answer.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_everything_costs_the_same_for_one_stamp_and_for_three(count: int, django_assert_num_queries: Any) -> None:
    visitor = Visitor(name="Marie")
    for number in range(count):
        visitor.world.stamp(visitor.card, key=f"k{number}")

    with django_assert_num_queries(26):
        visitor.see("privacy/export")
