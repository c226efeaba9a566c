"""Staff and their PINs: made here, shown once, kept nowhere."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from core import tenancy
from stores.models import StaffPin
from stores.services import pins, stores
from stores.services.pins import StaffPinInvalid, Subject
from tests.dashboard.conftest import Shop


def person(shop: Shop, staff_id: UUID | None = None) -> StaffPin:
    with tenancy.scope(shop.merchant_id):
        return StaffPin.objects.get(pk=staff_id or shop.ids["staff_id"])


def works(shop: Shop, pin: str) -> bool:
    """Tell whether a PIN opens the till of the shop."""
    try:
        pins.verify(
            merchant_id=shop.merchant_id, store_id=shop.world.store.pk, subject=Subject("terminal", UUID(int=7)),
            pin=pin, staff_id=None, at=timezone.now(),
        )  # fmt: skip
    except StaffPinInvalid:
        return False
    return True


def test_a_person_is_added_with_a_pin_that_is_shown_once(shop: Shop) -> None:
    browser = shop.client()
    answer = browser.post(shop.page("staff/new"), {"name": "Tom"})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store, private"
    pin = answer.context["pin"]
    assert pin in answer.content.decode()
    assert works(shop, pin)
    with tenancy.scope(shop.merchant_id):
        made = StaffPin.objects.get(name="Tom")
    assert made.all_stores
    for url in (shop.page("staff"), shop.page(f"staff/{made.pk}"), shop.page()):
        assert pin not in browser.get(url).content.decode()
    assert all(pin not in str(session.get_decoded()) for session in Session.objects.all())


def test_a_new_pin_replaces_the_old_one(shop: Shop) -> None:
    browser, url = shop.client(), shop.page(f"staff/{shop.ids['staff_id']}/pin")
    first, second = (browser.post(url).context["pin"] for _ in range(2))
    assert works(shop, second)
    assert not works(shop, first)


def test_a_locked_person_is_shown_and_unlocked(shop: Shop) -> None:
    with tenancy.scope(shop.merchant_id):
        StaffPin.objects.update(failed_attempts=5, locked_until=timezone.now() + timedelta(minutes=20))
    browser, url = shop.client(), shop.page(f"staff/{shop.ids['staff_id']}")
    assert "unlock" in browser.get(url).content.decode()
    assert "Locked" in browser.get(shop.page("staff")).content.decode()
    browser.post(f"{url}/unlock")
    assert person(shop).locked_until is None
    assert "unlock" not in browser.get(url).content.decode()


def test_who_left_can_do_nothing_and_comes_back_with_a_new_pin(shop: Shop) -> None:
    browser, url = shop.client(), shop.page(f"staff/{shop.ids['staff_id']}")
    pin = browser.post(f"{url}/pin").context["pin"]
    assert browser.get(f"{url}/leave").status_code == 200
    assert browser.post(f"{url}/leave").status_code == 302
    assert not person(shop).is_active
    assert not works(shop, pin)
    assert "Left" in browser.get(shop.page("staff")).content.decode()
    again = browser.post(f"{url}/pin").context["pin"]
    assert person(shop).is_active
    assert works(shop, again)


def test_the_stores_of_a_person_are_kept(shop: Shop) -> None:
    second = stores.open_store(merchant_id=shop.merchant_id, name="Kirchberg", at=shop.world.at)
    browser, url = shop.client(), shop.page(f"staff/{shop.ids['staff_id']}")
    browser.post(url, {"name": "Anna", "stores": [str(second.pk)]})
    assert not person(shop).all_stores
    assert browser.get(url).context["form"]["stores"].value() == [str(second.pk)]
    browser.post(url, {"name": "Anna"})
    assert person(shop).all_stores


def test_a_name_changed_in_a_shop_with_one_store_leaves_the_stores_alone(shop: Shop) -> None:
    with tenancy.scope(shop.merchant_id):
        StaffPin.objects.update(all_stores=False)
    shop.client().post(shop.page(f"staff/{shop.ids['staff_id']}"), {"name": "Anne"})
    assert (person(shop).name, person(shop).all_stores) == ("Anne", False)


@pytest.mark.parametrize(
    ("data", "field"),
    [({"name": ""}, "name"), ({"name": "x" * 61}, "name"), ({"name": "a\x00b"}, "name"),
     ({"name": "Tom", "external_id": "x" * 65}, "external_id"), ({"name": "Tom", "stores": ["nowhere"]}, "stores")],
)  # fmt: skip
def test_a_bad_value_is_said_at_its_field(data: dict[str, str], field: str, shop: Shop) -> None:
    stores.open_store(merchant_id=shop.merchant_id, name="Kirchberg", at=shop.world.at)
    for url in (shop.page("staff/new"), shop.page(f"staff/{shop.ids['staff_id']}")):
        answer = shop.client().post(url, data)
        assert answer.status_code == 400
        assert list(answer.context["form"].errors) == [field]
    with tenancy.scope(shop.merchant_id):
        assert [row.name for row in StaffPin.objects.all()] == ["Anna"]
