"""Sign-up: all or nothing, and a known address is told apart by nobody."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from core import tenancy
from core.errors import ValidationFailed
from merchants.enums import MerchantStatus, Role
from merchants.models import Membership, Merchant, MerchantSettings, User
from merchants.queries import people
from stores.models import Store
from stores.services import signup
from tests.factories.merchants import PASSWORD, UserFactory

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def sign_up(**values: Any) -> signup.SignUp:
    return signup.sign_up(
        **{
            "email": "Owner@Cafe.example", "password": PASSWORD, "business_name": "Café Lune", "trade": "cafe",
            "country": "LU", "language": "fr", "at": NOON, **values,
        }
    )  # fmt: skip


def everything() -> dict[str, int]:
    with tenancy.platform(reason="test"):
        models = (Merchant, MerchantSettings, Membership, Store)
        return {model.__name__: model.objects.count() for model in models} | {"User": User.objects.count()}


@pytest.mark.django_db
def test_it_works() -> None:
    made = sign_up()

    assert made.user is not None
    assert made.business is not None
    assert made.user.email == "owner@cafe.example"
    assert made.user.language == "fr"
    assert made.user.check_password(PASSWORD)
    assert (made.business.merchant.slug, made.business.store.code) == ("cafe-lune", "cafe-lune")
    assert made.business.merchant.status == MerchantStatus.TRIAL
    places = people.workplaces(made.user.pk)
    assert [(place.slug, place.role) for place in places] == [("cafe-lune", Role.OWNER)]
    assert everything() == {"Merchant": 1, "MerchantSettings": 1, "Membership": 1, "Store": 1, "User": 1}


@pytest.mark.django_db
def test_names_the_first_store() -> None:
    made = sign_up(store_name="Gare")

    assert made.business is not None
    assert (made.business.store.name, made.business.store.code) == ("Gare", "cafe-lune-gare")


@pytest.mark.django_db
def test_the_same_name_gets_another_short_name() -> None:
    made = [sign_up(email=f"owner{number}@example.com").business for number in range(3)]

    assert [business.merchant.slug for business in made if business] == ["cafe-lune", "cafe-lune-2", "cafe-lune-3"]
    assert [business.store.code for business in made if business] == ["cafe-lune", "cafe-lune-2", "cafe-lune-3"]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "slug"), [("Merchant", "merchant-"), ("東京", "shop-"), ("!!!", "shop-")])
def test_reserved_and_unwritable_names_get_a_short_name_too(name: str, slug: str) -> None:
    made = sign_up(business_name=name)

    assert made.business is not None
    assert made.business.merchant.slug.startswith(slug)


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["owner@cafe.example", "OWNER@cafe.example "])
def test_a_known_address_makes_nothing(email: str) -> None:
    UserFactory(email="owner@cafe.example")
    before = everything()

    made = sign_up(email=email)

    assert made == signup.SignUp(None, None)
    assert everything() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field"),
    [({"business_name": ""}, "name"), ({"business_name": "x" * 81}, "name"), ({"trade": "bank"}, "trade"),
     ({"country": "Luxembourg"}, "country"), ({"language": "xx"}, "default_language")],
)  # fmt: skip
@pytest.mark.parametrize("known", [True, False])
def test_bad_values_are_refused_alike_and_nothing_is_left(values: dict[str, Any], field: str, known: bool) -> None:
    if known:
        UserFactory(email="owner@cafe.example")
    before = everything()

    with pytest.raises(ValidationFailed) as caught:
        sign_up(**values)

    assert list(caught.value.errors) == [field]
    assert everything() == before


@pytest.mark.django_db
def test_a_signed_in_person_opens_a_further_business() -> None:
    user = UserFactory()

    for name in ("Café Lune", "Bistro Soleil"):
        signup.open_business(user=user, business_name=name, trade="cafe", country="LU", language="fr", at=NOON)

    assert [place.slug for place in people.workplaces(user.pk)] == ["cafe-lune", "bistro-soleil"]


def test_two_sign_ups_with_one_address_at_once_make_one(real_db: Any) -> None:
    barrier = Barrier(6)

    def run(number: int) -> str:
        try:
            barrier.wait()
            return "made" if sign_up(business_name=f"Café {number}").user else "known"
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        outcomes = Counter(pool.map(run, range(6)))

    assert outcomes == {"made": 1, "known": 5}
    assert everything() == {"Merchant": 1, "MerchantSettings": 1, "Membership": 1, "Store": 1, "User": 1}
