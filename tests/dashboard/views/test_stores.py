"""The merchant's stores and team."""

from datetime import time
from typing import Any

import pytest

from core import tenancy
from merchants.enums import Role
from merchants.models import Membership, MerchantSettings
from stores.models import Store
from tests.dashboard.conftest import Shop, picture

PLACE = {"name": "Kirchberg", "country": "LU", "time_zone": "Europe/Luxembourg"}


def store(shop: Shop) -> Store:
    with tenancy.scope(shop.merchant_id):
        return Store.objects.get(pk=shop.ids["store_id"])


def test_a_store_works_from_opening_to_closing(shop: Shop) -> None:
    browser = shop.client()
    url = browser.post("/store/merchant/stores/new", {**PLACE, "city": "Luxembourg"}).url
    opened = browser.get(url).context["entry"]
    assert opened.city == "Luxembourg"
    assert browser.get(f"/store/{opened.code}/loyalty/").status_code == 200
    changed = {**PLACE, "name": "Plateau", "day_start": "05:00", "own_device_enabled": "on"}
    assert browser.post(url, changed).status_code == 302
    with tenancy.scope(shop.merchant_id):
        kept = Store.objects.get(pk=opened.pk)
    assert (kept.name, kept.code, kept.day_start, kept.own_device_enabled) == ("Plateau", opened.code, time(5), True)
    assert "Plateau" in browser.get(f"{url}/close").content.decode()
    assert browser.post(f"{url}/close").status_code == 302
    assert browser.get(url).status_code == 404
    assert browser.get(f"/loyalty/{opened.code}/enroll").status_code == 404


def test_an_empty_day_start_keeps_the_one_there_is(shop: Shop) -> None:
    browser, url = shop.client(), f"/store/merchant/stores/{shop.ids['store_id']}"
    browser.post(url, {**PLACE, "day_start": "05:00"})
    browser.post(url, {**PLACE, "day_start": ""})
    assert store(shop).day_start == time(5)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "x" * 81), ("street", "x" * 121), ("postal_code", "x" * 13), ("city", "x" * 81),
     ("country", "ZZ"), ("country", ""), ("time_zone", "Mars/Olympus"), ("day_start", "25:00"), ("name", "a\x00b")],
)  # fmt: skip
def test_a_bad_value_is_said_at_its_field(field: str, value: str, shop: Shop) -> None:
    before = picture(shop)
    for url in ("/store/merchant/stores/new", f"/store/merchant/stores/{shop.ids['store_id']}"):
        answer = shop.client().post(url, {**PLACE, field: value})
        assert answer.status_code == 400
        assert list(answer.context["form"].errors) == [field]
    assert picture(shop) == before


def test_more_stores_than_allowed_are_refused(shop: Shop) -> None:
    with tenancy.scope(shop.merchant_id):
        MerchantSettings.objects.update(max_stores=1)
    answer = shop.client().post("/store/merchant/stores/new", PLACE)
    assert answer.status_code == 409
    assert answer.context["form"].non_field_errors()
    assert answer.context["form"]["name"].value() == "Kirchberg"


def test_a_zone_set_elsewhere_stays(shop: Shop) -> None:
    with tenancy.scope(shop.merchant_id):
        Store.objects.update(time_zone="America/New_York", country="US")
    browser, url = shop.client(), f"/store/merchant/stores/{shop.ids['store_id']}"
    form = browser.get(url).context["form"]
    browser.post(url, {"name": "Gare", "country": form["country"].value(), "time_zone": form["time_zone"].value()})
    assert (store(shop).time_zone, store(shop).country) == ("America/New_York", "US")


def member(shop: Shop, role: str) -> Any:
    with tenancy.scope(shop.merchant_id):
        return Membership.objects.get(user=shop.people[role])


def set_role(shop: Shop, who: str, whom: str, role: str) -> str:
    """Let somebody set somebody's role; return the role that person has afterwards."""
    url = f"/store/merchant/team/{member(shop, whom).pk}/role"
    assert shop.client(who).post(url, {"role": role}).status_code == 302
    return str(member(shop, whom).role)


def test_an_owner_sets_roles(shop: Shop) -> None:
    assert set_role(shop, Role.OWNER, Role.STAFF, "manager") == "manager"
    assert set_role(shop, Role.OWNER, Role.MANAGER, "owner") == "owner"


def test_a_manager_makes_nobody_an_owner(shop: Shop) -> None:
    assert set_role(shop, Role.MANAGER, Role.STAFF, "owner") == "staff"
    assert set_role(shop, Role.MANAGER, Role.OWNER, "staff") == "owner"


def test_the_last_owner_stays(shop: Shop) -> None:
    assert set_role(shop, Role.OWNER, Role.OWNER, "manager") == "owner"
    shop.client().post(f"/store/merchant/team/{member(shop, Role.OWNER).pk}/remove")
    assert member(shop, Role.OWNER).is_active


def test_a_role_that_does_not_exist_is_refused(shop: Shop) -> None:
    assert set_role(shop, Role.OWNER, Role.STAFF, "king") == "staff"


def test_somebodys_access_ends_after_a_question(shop: Shop) -> None:
    browser, url = shop.client(), f"/store/merchant/team/{member(shop, Role.MANAGER).pk}/remove"
    assert browser.get(url).status_code == 200
    browser.post(url)
    assert not member(shop, Role.MANAGER).is_active
    assert browser.get(url).status_code == 404
