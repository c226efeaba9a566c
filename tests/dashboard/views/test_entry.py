"""The ways in: landing page, choice of a store, addresses without a code."""

import pytest
from django.test import Client

from merchants.enums import Role
from stores.services import stores
from tests.dashboard.conftest import Shop, open_shop
from tests.factories.merchants import MembershipFactory, UserFactory


def signed_in(user: object) -> Client:
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")  # type: ignore[arg-type]
    return browser


def test_landing_leads_to_sign_up(client: Client, db: None) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert b'href="/signup/"' in answer.content


def settled() -> Shop:
    """A shop whose onboarding is over."""
    shop = open_shop()
    shop.client().post("/store/onboarding/4")
    return shop


def test_the_only_store_opens_at_once(db: None) -> None:
    shop = settled()
    assert shop.client().get("/store/").url == shop.page()


def test_several_stores_are_a_choice(db: None) -> None:
    shop = settled()
    second = stores.open_store(merchant_id=shop.merchant_id, name="Kirchberg", at=shop.world.at)
    answer = shop.client().get("/store/")
    assert answer.status_code == 200
    assert f"/store/{second.code}/loyalty/".encode() in answer.content


def test_a_new_owner_goes_on_with_the_onboarding(db: None) -> None:
    assert open_shop().client().get("/store/").url == "/store/onboarding"


def test_a_staff_login_is_not_sent_through_the_onboarding(db: None) -> None:
    shop = open_shop()
    assert shop.client(Role.STAFF).get("/store/").url == shop.page()


def test_who_works_for_nobody_is_told_so(db: None) -> None:
    answer = signed_in(UserFactory()).get("/store/")
    assert answer.status_code == 200
    assert b"/signup/" in answer.content


def test_one_person_of_two_merchants_sees_the_stores_of_both(shop: Shop, other: Shop) -> None:
    both = UserFactory()
    for place in (shop, other):
        MembershipFactory(merchant=place.world.program.merchant, user=both, role=Role.MANAGER)
    browser = signed_in(both)
    listed = browser.get("/store/").content.decode()
    assert shop.page() in listed
    assert other.page() in listed
    # The pages without a code follow the store that was open last.
    for place in (shop, other, shop):
        browser.get(place.page())
        assert place.world.store.pk in [row.pk for row in browser.get("/store/merchant/stores").context["desk"].stores]


@pytest.mark.parametrize("rest", ["", "cards", "staff"])
def test_an_address_without_a_code_goes_to_the_own_store(rest: str, db: None) -> None:
    shop = settled()
    assert shop.client().get(f"/store/loyalty/{rest}").url == shop.page(rest)


def test_a_store_alone_goes_to_its_home(shop: Shop) -> None:
    assert shop.client().get(f"/store/{shop.code}").url == shop.page()


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("/signup", "/signup/"),
        ("/store", "/store/"),
        ("{home}", "{home}/"),
        ("{home}/cards/", "{home}/cards"),
        ("/store/merchant/stores/", "/store/merchant/stores"),
        ("/store/onboarding/2/", "/store/onboarding/2"),
    ],
)
def test_the_other_slash_form_redirects(given: str, right: str, shop: Shop) -> None:
    home = f"/store/{shop.code}/loyalty"
    answer = shop.client().get(given.format(home=home) + "?a=1")
    assert answer.status_code in (301, 302)
    assert answer.url == right.format(home=home) + "?a=1"
