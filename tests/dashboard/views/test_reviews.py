"""The page of what tills kept and could not book (rule 19)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.ids import uuid7
from loyalty.models import Card, ReviewItem
from merchants.enums import Role
from stores.models import Store
from tests.dashboard.conftest import Shop
from tests.support.api import Caller


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """A shop in which nothing waits."""
    with tenancy.scope(shop.merchant_id):
        ReviewItem.objects.all().delete()
    return shop


def keep(shop: Shop, card: Card | None, **fields: Any) -> ReviewItem:
    with tenancy.scope(shop.merchant_id):
        item: ReviewItem = ReviewItem.objects.create(
            **{
                "store": shop.world.store, "card": card, "key": f"k-{uuid7()}", "op": "stamp", "code": "too_old",
                "body": {"card_id": str(card.pk), "quantity": 2} if card else {"card_number": "123456789012"},
                "occurred_at": timezone.now() - timedelta(hours=80), "received_at": timezone.now(), **fields,
            }
        )  # fmt: skip
    return item


def state(shop: Shop, item: ReviewItem) -> str:
    with tenancy.scope(shop.merchant_id):
        return str(ReviewItem.objects.get(pk=item.pk).state)


def html(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_it_works(shop: Shop) -> None:
    card = shop.world.card(name="Marie Kremer")
    item, browser = keep(shop, card), shop.client()

    assert "1 visit that a till kept waits for your decision" in html(browser, shop.page())
    shown = html(browser, shop.page("reviews"))
    assert "2 stamps" in shown
    assert "Marie Kremer" in shown
    assert "It arrived more than 72 hours later" in shown
    answer = browser.post(shop.page(f"reviews/{item.pk}/accept"), follow=True)

    assert "Booked, as of when it happened." in answer.content.decode()
    assert shop.world.assert_adds_up(card).stamp_count == 2
    assert state(shop, item) == "accepted"
    assert "waits for your decision" not in html(browser, shop.page())
    assert "Decided lately" in html(browser, shop.page("reviews"))


def test_dismissing_asks_why(shop: Shop) -> None:
    card = shop.world.card()
    item, browser = keep(shop, card), shop.client(Role.MANAGER)
    address = shop.page(f"reviews/{item.pk}/dismiss")

    assert "Leave it unbooked?" in html(browser, address)
    assert browser.post(address, {"note": " "}).status_code == 400
    assert browser.post(address, {"note": "x" * 201}).status_code == 400
    assert state(shop, item) == "open"
    assert browser.post(address, {"note": "Rung up twice"}).status_code == 302

    assert state(shop, item) == "dismissed"
    assert "Rung up twice" in html(browser, shop.page("reviews"))
    assert shop.world.fresh(card).stamp_count == 0
    assert browser.post(shop.page(f"reviews/{item.pk}/accept"), follow=True).status_code == 200
    assert state(shop, item) == "dismissed"


def test_without_a_card_there_is_nothing_to_book(shop: Shop) -> None:
    keep(shop, None, code="not_found", op="points", body={"card_number": "123456789012", "purchase_amount_cents": 1250})

    shown = html(shop.client(), shop.page("reviews"))

    assert "Card 123456789012" in shown
    assert "Purchase of" in shown
    assert 'data-test="accept"' not in shown
    assert 'data-test="dismiss"' in shown


def test_rule_18_a_number_that_was_used_before_can_be_booked_all_the_same(shop: Shop) -> None:
    card, pos = shop.world.card(), Caller.of(shop.world)
    pos.post("stamp", {"card_id": str(card.pk)}, Idempotency_Key="k")
    sent = {"key": "k", "op": "stamp", "occurred_at": timezone.now().isoformat(), "card_id": str(card.pk)}
    pos.post("terminal/batch", {"operations": [{**sent, "quantity": 2}]})
    with tenancy.scope(shop.merchant_id):
        item = ReviewItem.objects.get()
    browser = shop.client()

    shown = html(browser, shop.page("reviews"))
    assert "The till sent it under a number that was used before" in shown
    assert 'data-test="accept"' in shown
    browser.post(shop.page(f"reviews/{item.pk}/accept"))

    assert state(shop, item) == "accepted"
    assert shop.world.assert_adds_up(card).stamp_count == 3


def test_a_refusal_is_told_and_it_stays(shop: Shop) -> None:
    card = shop.world.card()
    item = keep(shop, card)
    with tenancy.scope(shop.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="frozen")

    answer = shop.client().post(shop.page(f"reviews/{item.pk}/accept"), follow=True)

    assert "This card cannot be used at the moment." in answer.content.decode()
    assert state(shop, item) == "open"


def test_of_another_store_or_merchant_it_is_404(shop: Shop, other: Shop) -> None:
    item = keep(shop, shop.world.card())
    with tenancy.scope(shop.merchant_id):
        Store.objects.create(code=f"{shop.code}-two", name="Kirchberg")
    second = f"/store/{shop.code}-two/loyalty/"
    for browser, base in (
        (shop.client(), second),
        (other.client(), other.page()),
        (other.client(), shop.page()),
    ):
        assert browser.post(f"{base}reviews/{item.pk}/accept").status_code == 404
        assert browser.get(f"{base}reviews/{item.pk}/dismiss").status_code == 404
        assert browser.post(f"{base}reviews/{item.pk}/dismiss", {"note": "no"}).status_code == 404
    assert state(shop, item) == "open"


def test_staff_have_no_business_here(shop: Shop) -> None:
    item, browser = keep(shop, shop.world.card()), shop.client(Role.STAFF)

    assert browser.get(shop.page("reviews")).status_code == 403
    assert browser.post(shop.page(f"reviews/{item.pk}/accept")).status_code == 403
    assert "waits for your decision" not in html(browser, shop.page())
    assert state(shop, item) == "open"


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long(shop: Shop, count: int, django_assert_max_num_queries: Any) -> None:
    for _ in range(count):
        keep(shop, shop.world.card(name="Marie"))
    browser = shop.client()
    browser.get(shop.page("reviews"))

    with django_assert_max_num_queries(16):
        browser.get(shop.page("reviews"))


def test_more_than_a_page_goes_on(shop: Shop) -> None:
    card = shop.world.card()
    for _ in range(27):
        keep(shop, card)
    browser = shop.client()

    first = html(browser, shop.page("reviews"))
    more = re.search(r'href="([^"]+\?after=[^"]+)"', first)

    assert more is not None
    assert first.count('data-test="accept"') == 25
    assert html(browser, more[1]).count('data-test="accept"') == 2
    assert html(browser, shop.page("reviews?after=nonsense")).count('data-test="accept"') == 25
