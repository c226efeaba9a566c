"""Stores: codes, limits, closing."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from core import tenancy
from core.errors import DomainError, NotFound, ValidationFailed
from merchants.models import Merchant
from stores.models import Store
from stores.services import stores
from stores.services.stores import StoreLimitReached
from tests.factories.merchants import MerchantFactory
from tests.factories.stores import StoreFactory

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def open_store(merchant: Merchant, **values: Any) -> Store:
    return stores.open_store(**{"merchant_id": merchant.pk, "name": "Gare", "at": NOON, **values})


def problem(call: Any) -> tuple[str, str]:
    with pytest.raises(ValidationFailed) as caught:
        call()
    field, found = next(iter(caught.value.errors.items()))
    return field, found[0][0]


@pytest.mark.django_db
def test_it_works_with_a_code_of_both_names_and_the_merchants_place() -> None:
    merchant = MerchantFactory(name="CoffeeLux", slug="coffeelux", country="BE", time_zone="Europe/Brussels")

    store = open_store(merchant, name="  Gare  Centrale ", city="Arlon", day_start=time(5))

    assert (store.code, store.name, store.city) == ("coffeelux-gare-centrale", "Gare Centrale", "Arlon")
    assert (store.country, store.time_zone, store.day_start) == ("BE", "Europe/Brussels", time(5))
    assert not store.own_device_enabled


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "code"),
    [("CoffeeLux", "coffeelux"), ("CoffeeLux Gare", "coffeelux-gare"), ("Häuschen Ü", "coffeelux-hauschen-u"),
     ("東京", "coffeelux"), ("Loyalty", "coffeelux-loyalty")],
)  # fmt: skip
def test_makes_codes_that_people_can_read(name: str, code: str) -> None:
    merchant = MerchantFactory(name="CoffeeLux", slug="coffeelux")

    assert open_store(merchant, name=name).code == code


@pytest.mark.django_db
def test_a_taken_code_gets_a_number_also_when_another_merchant_has_it() -> None:
    StoreFactory(code="coffeelux-gare")
    merchant = MerchantFactory(slug="coffeelux")

    assert [open_store(merchant).code for _ in range(2)] == ["coffeelux-gare-2", "coffeelux-gare-3"]


@pytest.mark.django_db
def test_a_wanted_code_that_is_taken_is_refused_by_field() -> None:
    StoreFactory(code="gare")
    merchant = MerchantFactory()

    assert problem(lambda: open_store(merchant, code="gare")) == ("code", "code_taken")
    assert open_store(merchant, code="Gare-2").code == "gare-2"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "code",
    ["merchant", "onboarding", "loyalty", "dashboard", "history", "enroll", "a", "a b", "gäre", "-gare", "gare-",
     "a--b", "a_b", "a/b", "x" * 61, "../x"],
)  # fmt: skip
def test_refuses_reserved_and_malformed_codes(code: str) -> None:
    assert problem(lambda: open_store(MerchantFactory(), code=code)) == ("code", "invalid")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"), ({"name": "x" * 81}, "name"), ({"time_zone": "Europe/Nowhere"}, "time_zone"),
        ({"country": "Lux"}, "country"), ({"country": "l1"}, "country"), ({"latitude": 91}, "latitude"),
        ({"opening_hours": []}, "opening_hours"), ({"opening_hours": {"mon": [["8", "18"]]}}, "opening_hours"),
        ({"opening_hours": {"someday": []}}, "opening_hours"), ({"day_start": "25:00"}, "day_start"),
    ],
)  # fmt: skip
def test_refuses_bad_values_by_field(values: dict[str, Any], field: str) -> None:
    merchant = MerchantFactory()

    assert problem(lambda: open_store(merchant, **values))[0] == field
    with tenancy.scope(merchant):
        assert not Store.objects.exists()


@pytest.mark.django_db
def test_takes_opening_hours() -> None:
    hours = {"mon": [["08:00", "12:00"], ["13:00", "24:00"]], "sun": []}

    assert open_store(MerchantFactory(), opening_hours=hours).opening_hours == hours


@pytest.mark.django_db
def test_holds_the_limit_of_open_stores() -> None:
    merchant = MerchantFactory(allowed={"max_stores": 2})
    first = open_store(merchant)
    open_store(merchant)

    with pytest.raises(StoreLimitReached) as caught:
        open_store(merchant)
    assert (caught.value.code, caught.value.status) == ("store_limit_reached", 409)

    stores.close(merchant_id=merchant.pk, store_id=first.pk, at=NOON)
    open_store(merchant)


def test_holds_the_limit_when_many_open_at_once(real_db: Any) -> None:
    merchant, barrier = MerchantFactory(allowed={"max_stores": 3}), Barrier(8)

    def run(_: int) -> str:
        try:
            barrier.wait()
            open_store(merchant)
        except DomainError as error:
            return error.code
        else:
            return "ok"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(run, range(8)))

    assert outcomes == {"ok": 3, "store_limit_reached": 5}


@pytest.mark.django_db
def test_updates_what_is_given_and_leaves_the_code() -> None:
    store = open_store(MerchantFactory(slug="coffeelux"))

    changed = stores.update(
        merchant_id=store.merchant_id, store_id=store.pk, name="Bahnhof", own_device_enabled=True, at=NOON
    )

    assert (changed.name, changed.code, changed.own_device_enabled) == ("Bahnhof", "coffeelux-gare", True)


@pytest.mark.django_db
def test_another_merchants_store_is_not_found_and_stays() -> None:
    store, stranger = StoreFactory(name="Gare"), MerchantFactory()

    with pytest.raises(NotFound):
        stores.update(merchant_id=stranger.pk, store_id=store.pk, name="X", at=NOON)
    with pytest.raises(NotFound):
        stores.close(merchant_id=stranger.pk, store_id=store.pk, at=NOON)

    with tenancy.scope(store.merchant_id):
        assert Store.objects.filter(name="Gare", closed_at=None).exists()


@pytest.mark.django_db
def test_a_closed_store_is_not_found_again() -> None:
    store = StoreFactory()
    stores.close(merchant_id=store.merchant_id, store_id=store.pk, at=NOON)

    with pytest.raises(NotFound):
        stores.close(merchant_id=store.merchant_id, store_id=store.pk, at=NOON)
