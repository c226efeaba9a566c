"""Sign-up in the browser: five fields, and no word about who is known."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from core import tenancy
from dashboard.queries import desks
from merchants.models import User
from tests.dashboard.conftest import Shop, open_shop
from tests.factories.merchants import UserFactory
from tests.support import windows

GOOD = {
    "business_name": "Café Nouveau",
    "trade": "cafe",
    "country": "LU",
    "email": "Lea@Example.com",
    "password": "three words together",
}


def sign_up(client: Client, **changed: str) -> Any:
    return client.post("/signup/", {**GOOD, **changed})


def test_sign_up_works_from_the_form_to_the_first_step(client: Client, db: None) -> None:
    assert client.get("/signup/").status_code == 200
    answer = sign_up(client)
    assert answer.status_code == 302
    link = re.search(r"http\S+confirm-email/\S+", mail.outbox[0].body)
    assert link is not None
    path = link.group(0).split("/", 3)[3]
    confirmed = client.post(f"/{path}", follow=True)
    assert confirmed.request["PATH_INFO"] == "/store/onboarding/1"
    person = User.objects.get(email="lea@example.com")
    (merchant_id,) = desks.merchants_of(person.pk)
    with tenancy.scope(merchant_id):
        desk = desks.load(person.pk, merchant_id)
    assert (desk.merchant.name, desk.merchant.trade, desk.role) == ("Café Nouveau", "cafe", "owner")
    assert [store.name for store in desk.stores] == ["Café Nouveau"]


def test_a_known_address_gets_the_same_answer_and_another_mail(client: Client, db: None) -> None:
    UserFactory(email="known@example.com")
    new, known = sign_up(client), sign_up(Client(), email="known@example.com")
    assert (new.status_code, new.url) == (known.status_code, known.url)
    assert [letter.to for letter in mail.outbox] == [["lea@example.com"], ["known@example.com"]]
    assert User.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("business_name", ""),
        ("business_name", "x" * 81),
        ("trade", "piracy"),
        ("country", "XX"),
        ("email", "nobody"),
        ("email", ""),
        ("password", "short"),
        ("password", "password123"),
        ("password", "lea@example.com"),
    ],
)
def test_a_bad_value_is_said_at_its_field_and_nothing_is_made(field: str, value: str, client: Client, db: None) -> None:
    answer = sign_up(client, **{field: value})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert GOOD["business_name"] in answer.content.decode() or field == "business_name"
    assert User.objects.count() == 0
    assert mail.outbox == []


def test_who_is_signed_in_opens_a_further_business_without_a_password(db: None) -> None:
    person, browser = UserFactory(), Client()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    assert set(browser.get("/signup/").context["form"].fields) == {"business_name", "trade", "country"}
    answer = browser.post("/signup/", {"business_name": "Second", "trade": "bakery", "country": "LU"})
    assert answer.url == "/store/onboarding/1"
    assert len(desks.merchants_of(person.pk)) == 1


def test_who_has_a_business_is_sent_there(db: None) -> None:
    shop: Shop = open_shop()
    assert shop.client().get("/signup/").url == "/store/"


def test_many_sign_ups_from_one_address_are_stopped(client: Client, db: None, settings: Any) -> None:
    settings.LOYALTY_THROTTLE_SCALE = 1
    windows.whole(3600)
    for number in range(20):
        sign_up(client, email=f"p{number}@example.com")
    answer = sign_up(client, email="last@example.com")
    assert answer.status_code == 429
    assert not User.objects.filter(email="last@example.com").exists()
