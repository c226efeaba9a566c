"""The end of a program asks for its last day; the review says to whom a change applies; the banner says what stops."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from core import tenancy
from loyalty.models import Program
from loyalty.rules import expiry
from merchants.enums import Role
from merchants.models import Merchant
from tests.dashboard.conftest import Shop, open_shop
from tests.dashboard.views.test_program import fresh, typed


def today() -> date:
    """The merchant's date."""
    return expiry.local_date(timezone.now(), "Europe/Luxembourg")


def paused(shop: Shop) -> Any:
    browser = shop.client()
    browser.post(shop.page("settings/paused"))
    return browser


def test_the_end_asks_for_the_last_day(shop: Shop) -> None:
    browser = paused(shop)
    asked = browser.get(shop.page("settings/ended"))
    page = asked.content.decode()
    assert 'type="date"' in page
    assert f'value="{(today() + timedelta(days=30)).isoformat()}"' in page
    assert fresh(shop).status == "paused"
    last = today() + timedelta(days=90)
    assert browser.post(shop.page("settings/ended"), {"ends_on": last.isoformat()}).status_code == 302
    assert (fresh(shop).status, fresh(shop).ends_on) == ("ended", last)
    assert "Rewards are handed out until" in browser.get(shop.page("settings")).content.decode()


@pytest.mark.parametrize("typed_day", ["2020-01-01", "tomorrow", "2026-13-01", "9999-12-31", "1"])
def test_a_last_day_that_cannot_be_is_said_at_its_field(shop: Shop, typed_day: str) -> None:
    answer = paused(shop).post(shop.page("settings/ended"), {"ends_on": typed_day})
    assert answer.status_code == 400
    assert "ends_on" in answer.context["form"].errors
    assert fresh(shop).status == "paused"


def test_the_last_day_can_be_moved_afterwards(shop: Shop) -> None:
    browser = paused(shop)
    browser.post(shop.page("settings/ended"))
    later = today() + timedelta(days=60)
    asked = browser.get(shop.page("settings/ended"))
    assert (asked.status_code, "Change the last day" in asked.content.decode()) == (200, True)
    assert browser.post(shop.page("settings/ended"), {"ends_on": later.isoformat()}).status_code == 302
    assert fresh(shop).ends_on == later


def test_only_managers_end_a_program(shop: Shop) -> None:
    paused(shop)
    assert shop.client(Role.STAFF).post(shop.page("settings/ended")).status_code == 403
    assert fresh(shop).status == "paused"


def test_the_review_says_that_nobody_loses_points_unwarned(shop: Shop) -> None:
    shown = shop.client().post(shop.page("settings"), typed(shop, points_expiration_days="365"))
    (change,) = shown.context["changes"]
    assert "No points expire before" in change.applies
    assert (change.old, change.new) == ("0", "365")


def test_a_longer_time_needs_no_such_sentence(shop: Shop) -> None:
    with tenancy.scope(shop.merchant_id):
        Program.objects.update(points_expiration_days=100)
    shown = shop.client().post(shop.page("settings"), typed(shop, points_expiration_days="365"))
    (change,) = shown.context["changes"]
    assert change.applies == "Counts from now on, for all cards."


def test_days_to_collect_a_reward_can_be_set_and_taken_away(shop: Shop) -> None:
    browser = shop.client()
    shown = browser.post(shop.page("settings"), typed(shop, stamps_reward_valid_days="30"))
    (change,) = shown.context["changes"]
    assert (change.old, change.new) == ("–", "30")
    assert "become ready from now on" in change.applies
    browser.post(shop.page("settings"), typed(shop, stamps_reward_valid_days="30") | {"confirmed": "1"})
    assert fresh(shop).stamps_reward_valid_days == 30
    browser.post(shop.page("settings"), typed(shop, stamps_reward_valid_days="") | {"confirmed": "1"})
    assert fresh(shop).stamps_reward_valid_days is None


@pytest.mark.parametrize(
    ("since", "says"), [(0, "New cards and messages are paused"), (60, "are paused"), (61, "Cards rest until")]
)
def test_rule_5_the_back_office_opens_with_a_banner(db: None, since: int, says: str) -> None:
    shop = open_shop()
    with tenancy.scope(shop.merchant_id):
        moment = timezone.now() - timedelta(days=since) + timedelta(minutes=5)
        Merchant.objects.update(status="late", status_since=moment)
    answer = shop.client().get(shop.page(""))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert says in page
    assert ("go on until" in page) is (since < 61)
    closed = shop.client().get(shop.page("enroll"))
    assert closed.status_code == 200
    assert "No new cards can be made here" in closed.content.decode()
    assert shop.client().post(shop.page("enroll"), {"name": "Marie"}).status_code == 409
