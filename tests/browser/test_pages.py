"""Every page of the product in a real browser, for each kind of person: axe, console, policy, outside hosts, width."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from core import tenancy
from merchants.models import MerchantSettings
from tests.browser.addresses import BY_HAND, DOORS, SHOP, Face, admin_paths, desk, faces, mailed
from tests.browser.conftest import clean, proven
from tests.support.house import House
from tests.support.inspector import PHONE, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LANGUAGES = ("en", "fr", "de", "lb")
EVERYONES = ("/", "/signup/", "/accounts/login/", "/legal/terms", "/legal/privacy", "/legal/imprint", "/pair")


def test_every_address_is_seen_by_somebody(db: None) -> None:
    everyone = list(faces(House.make("ours")).values())
    shown = {pattern for face in everyone for pattern in face.pages().values()}
    asked = {pattern for face in everyone for pattern in face.patterns()}

    assert asked - shown - DOORS - BY_HAND == set(), "these pages are swept for nobody"
    assert shown & (DOORS | BY_HAND) == set(), "these are pages of their own by now"


def test_a_visitor(people: dict[str, Face], house: House, inspector: Any) -> None:
    seen, shop = inspector(), f"/loyalty/{house.world.store.code}"
    for path in [*people["visitor"].pages(), *mailed(house)]:
        seen.visit(path)
    seen.visit("/nowhere", status=404)
    seen.visit("/invitations/no-such-token", status=410)
    seen.visit(f"{shop}/link/no-such-token", status=410)
    seen.submit("/signup/", email="nobody@")
    seen.submit("/accounts/login/", login="nobody@example.com", password="wrong words 1")
    seen.submit("/accounts/password/reset/", email="nobody@example.com")
    seen.submit(f"{shop}/recover", email="nobody@example.com")
    with tenancy.scope(house.world.merchant_id):
        MerchantSettings.objects.update(allow_self_enrollment=False)
    seen.visit(f"{shop}/enroll")
    clean(seen, at_least=30)


def test_a_customer_with_a_card(people: dict[str, Face], house: House, inspector: Any) -> None:
    seen, shop = inspector(people["customer"].browser), f"/loyalty/{house.world.store.code}"
    for path in people["customer"].pages():
        seen.visit(path)
    seen.visit(f"{shop}/dashboard?view=code")
    seen.submit(f"{shop}/profile", email="marie@")
    clean(seen, at_least=14)


@pytest.mark.parametrize("language", LANGUAGES)
def test_customers_read_their_language_on_the_smallest_phone(
    people: dict[str, Face], inspector: Any, language: str
) -> None:
    visitor, customer = people["visitor"], people["customer"]
    for browser, pages in ((Client(), [*EVERYONES, *visitor.pages(SHOP)]), (customer.browser, customer.pages())):
        seen = inspector(browser, language=language)
        for path in pages:
            seen.glance(path, language=language)
        clean(seen, at_least=10)


def test_a_merchants_owner(people: dict[str, Face], inspector: Any) -> None:
    seen = inspector(people["owner"].browser)
    for number, path in enumerate(people["owner"].pages()):
        seen.visit(path, width=(PHONE, WIDE)[number % 2])
    clean(seen, at_least=60)


def test_what_a_merchants_owner_sends(people: dict[str, Face], house: House, inspector: Any) -> None:
    seen, shop = inspector(proven(people["owner"].browser)), f"/store/{house.world.store.code}/loyalty"
    for step in (2, 3, 4):
        seen.visit(f"/store/onboarding/{step}")
    seen.visit("/accounts/2fa/totp/activate/")
    seen.submit(f"{shop}/staff/new", name="")
    seen.submit(f"{shop}/staff/new", name="Carla")
    seen.submit(f"{shop}/terminals/new", name="Bar")
    seen.submit(f"{shop}/enroll", name="Tom")
    seen.submit(f"{shop}/settings", cooldown_minutes="5")
    seen.submit(f"{shop}/settings", cooldown_minutes="-5")
    seen.submit(f"{shop}/rewards/new", name="")
    seen.submit(f"{shop}/cards/{house.ids['card_id']}/adjust", reason="")
    seen.submit("/store/merchant/api-keys/new", name="Script", scopes="on")
    seen.submit("/store/merchant/team/invite", email="nina@")
    clean(seen, at_least=14)


def test_an_employee(people: dict[str, Face], house: House, inspector: Any) -> None:
    seen = inspector(people["employee"].browser)
    for path in people["employee"].pages():
        seen.visit(path)
    seen.visit(f"/store/{house.world.store.code}/loyalty/stats", status=403)
    clean(seen, at_least=3)


@pytest.mark.parametrize("part", [0, 1])
def test_the_platforms_administrator(house: House, inspector: Any, part: int) -> None:
    browser = desk()
    seen = inspector(browser)
    for number, path in enumerate(admin_paths(house)[part::2]):
        if browser.get(path).status_code == 200:
            seen.visit(path, width=(PHONE, WIDE)[number % 2])
    clean(seen, at_least=30)


def test_the_second_factor(house: House, inspector: Any) -> None:
    administrator = desk()
    user = administrator.user
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    arrives = inspector()
    arrives.submit("/accounts/login/", login=user.email, password="a-long-password")
    assert arrives.page.url.endswith("/accounts/2fa/authenticate/")
    clean(arrives, at_least=1)
    seen = inspector(proven(administrator))
    for rest in ("", "totp/deactivate/", "recovery-codes/generate/"):
        seen.visit(f"/accounts/2fa/{rest}")
    seen.submit("/accounts/2fa/recovery-codes/generate/")
    clean(seen, at_least=4)


def test_the_style_page(settings: Any, inspector: Any) -> None:
    settings.DEBUG = True
    seen = inspector()
    seen.visit("/dev/components/")
    clean(seen, at_least=1)
