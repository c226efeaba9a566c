"""The four steps: each saved by itself, skippable, and found again."""

import io
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from core import tenancy
from loyalty.models import Program, Reward
from merchants.models import Merchant, User
from stores.models import StaffPin, Store, Terminal
from stores.services import pins, signup
from tests.factories.merchants import UserFactory

STAMPS = {
    "loyalty_type": "stamps",
    "name": "Coffee card",
    "stamps_target": "8",
    "stamps_reward_description": "Free coffee",
}
SHOP = {"name": "Gare", "city": "Luxembourg", "person": "Anna"}
POINTS = {"loyalty_type": "points", "name": "Card", "points": "10", "reward_points": "100", "reward_name": "Tote bag"}


@pytest.fixture
def owner(db: None) -> tuple[Client, signup.Business]:
    """A new owner in front of the wizard."""
    person: User = UserFactory()
    made = signup.open_business(
        user=person, business_name="Café Nouveau", trade="cafe", country="LU", language="en", at=timezone.now()
    )
    browser = Client()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return browser, made


def picture() -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (300, 120), "#123456").save(out, "PNG")
    out.seek(0)
    out.name = "logo.png"
    return out


def programs(made: signup.Business) -> list[Any]:
    with tenancy.scope(made.merchant.pk):
        return list(Program.objects.all())


def test_the_wizard_works_from_end_to_end(owner: tuple[Client, signup.Business]) -> None:
    browser, made = owner
    assert browser.get("/store/onboarding").url == "/store/onboarding/1"
    assert browser.post("/store/onboarding/1", STAMPS).url == "/store/onboarding/2"
    looks = {"card_color": "#5A2D1A", "image": picture()}
    assert browser.post("/store/onboarding/2", looks).url == "/store/onboarding/3"
    shown = browser.post("/store/onboarding/3", SHOP)
    assert shown.status_code == 200
    assert shown["Cache-Control"] == "no-store, private"
    pin = shown.context["pin"]
    assert len(pin) == 6
    assert pin in shown.content.decode()
    assert pin not in browser.get("/store/onboarding/4").content.decode()
    assert browser.post("/store/onboarding/4").url == f"/store/{made.store.code}/loyalty/"
    (program,) = programs(made)
    assert (program.status, program.stamps_target, program.loyalty_type) == ("active", 8, "stamps")
    with tenancy.scope(made.merchant.pk):
        store = Store.objects.get()
        assert (store.name, store.city, store.country) == ("Gare", "Luxembourg", "LU")
        merchant = Merchant.objects.get()
        assert merchant.card_color == "#5A2D1A"
        assert merchant.logo.name.startswith("logos/")
        assert StaffPin.objects.get().name == "Anna"


def test_a_logo_that_is_none_changes_nothing(owner: tuple[Client, signup.Business]) -> None:
    browser, made = owner
    answer = browser.post("/store/onboarding/2", {"card_color": "#5A2D1A", "image": io.BytesIO(b"<svg/>")})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["image"]
    with tenancy.scope(made.merchant.pk):
        merchant = Merchant.objects.get()
    assert (merchant.card_color, merchant.logo.name) == (made.merchant.card_color, "")


def test_a_form_that_is_sent_twice_shows_a_pin_that_works(owner: tuple[Client, signup.Business]) -> None:
    browser, made = owner
    first = browser.post("/store/onboarding/3", SHOP)
    second = browser.post("/store/onboarding/3", {**SHOP, "person": " Anna  "})

    assert second.status_code == 200
    pin = second.context["pin"]
    assert pin in second.content.decode()
    assert pin != first.context["pin"]
    with tenancy.scope(made.merchant.pk):
        anna, store = StaffPin.objects.get(), Store.objects.get()
    who = pins.verify(
        merchant_id=made.merchant.pk, store_id=store.pk, subject=pins.Subject("user", made.merchant.pk), pin=pin,
        staff_id=anna.pk, at=timezone.now(),
    )  # fmt: skip
    assert who.id == anna.pk


def test_who_works_there_already_is_not_asked_for_again(owner: tuple[Client, signup.Business]) -> None:
    browser, made = owner
    browser.post("/store/onboarding/3", SHOP)
    assert "person" not in browser.get("/store/onboarding/3").context["form"].fields
    moved = {**SHOP, "city": "Esch", "person": "Ben"}
    assert browser.post("/store/onboarding/3", moved).url == "/store/onboarding/4"
    with tenancy.scope(made.merchant.pk):
        assert Store.objects.get().city == "Esch"
        assert [staff.name for staff in StaffPin.objects.all()] == ["Anna"]


def test_the_end_has_the_poster_and_pairs_the_till(owner: tuple[Client, signup.Business], client: Client) -> None:
    browser, made = owner
    browser.post("/store/onboarding/1", STAMPS)
    ready = browser.get("/store/onboarding/4")
    assert f"/store/{made.store.code}/loyalty/posters/a4.pdf" in ready.content.decode()
    assert ready.context.get("pairing") is None

    shown = browser.post("/store/onboarding/4", {"pair": "1"}).context["pairing"]

    assert client.get(shown.url).context["form"]["code"].value() == shown.code.replace("-", "")
    paired = client.post("/pair", {"code": shown.code})
    assert paired.url == f"/store/{made.store.code}/loyalty/terminal"
    with tenancy.scope(made.merchant.pk):
        assert Terminal.objects.get().store_id == made.store.pk
    assert browser.get("/store/onboarding").url == "/store/onboarding/2", "the wizard goes on where it was"


def test_it_begins_where_one_left(owner: tuple[Client, signup.Business]) -> None:
    browser, _made = owner
    browser.post("/store/onboarding/1", STAMPS)
    assert browser.get("/store/onboarding").url == "/store/onboarding/2"
    browser.post("/store/onboarding/2", {"skip": "1"})
    assert browser.get("/store/onboarding").url == "/store/onboarding/3"
    browser.post("/store/onboarding/1", STAMPS)
    assert browser.get("/store/onboarding").url == "/store/onboarding/3"


def test_points_come_with_their_first_reward(owner: tuple[Client, signup.Business]) -> None:
    browser, made = owner
    assert "reward_name" in browser.get("/store/onboarding/1?type=points").context["form"].fields
    browser.post("/store/onboarding/1", POINTS)
    with tenancy.scope(made.merchant.pk):
        assert list(Reward.objects.values_list("name", "points_cost")) == [("Tote bag", 100)]


def test_sending_a_step_again_changes_it_and_makes_no_second_one(owner: tuple[Client, signup.Business]) -> None:
    browser, made = owner
    for target in ("8", "12"):
        browser.post("/store/onboarding/1", {**STAMPS, "stamps_target": target})
    (program,) = programs(made)
    assert program.stamps_target == 12
    assert browser.get("/store/onboarding/1").context["form"]["stamps_target"].value() == 12


def test_everything_can_be_skipped(owner: tuple[Client, signup.Business]) -> None:
    browser, made = owner
    for step in (1, 2, 3):
        assert browser.post(f"/store/onboarding/{step}", {"skip": "1"}).url == f"/store/onboarding/{step + 1}"
    assert browser.get("/store/onboarding/4").status_code == 200
    assert programs(made) == []
    assert browser.get(f"/store/{made.store.code}/loyalty/").status_code == 200
    assert browser.get(f"/store/{made.store.code}/loyalty/settings").status_code == 200
    assert browser.get(f"/store/{made.store.code}/loyalty/rewards").status_code == 200
    assert browser.get(f"/store/{made.store.code}/loyalty/posters").status_code == 200


@pytest.mark.parametrize(
    ("step", "data", "field"),
    [
        (1, {**STAMPS, "stamps_target": "0"}, "stamps_target"),
        (1, {**STAMPS, "stamps_target": "a dozen"}, "stamps_target"),
        (1, {**STAMPS, "name": ""}, "name"),
        (1, {**POINTS, "points": "1001"}, "points"),
        (1, {**POINTS, "reward_name": " "}, "reward_name"),
        (2, {"card_color": ""}, "card_color"),
        (2, {"card_color": "brown"}, "card_color"),
        (2, {"card_color": "#7F7F7F"}, "card_color"),
        (3, {**SHOP, "name": ""}, "name"),
        (3, {**SHOP, "person": ""}, "person"),
        (3, {**SHOP, "person": "x" * 61}, "person"),
    ],
)
def test_a_bad_value_is_said_at_its_field(
    step: int, data: dict[str, str], field: str, owner: tuple[Client, signup.Business]
) -> None:
    browser, made = owner
    answer = browser.post(f"/store/onboarding/{step}", data)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert programs(made) == []
    assert browser.get("/store/onboarding").url == "/store/onboarding/1"


def test_anonymous_signs_in_first(client: Client, db: None) -> None:
    for step in ("", "/1", "/4", "/9"):
        assert client.get(f"/store/onboarding{step}").url == f"/accounts/login/?next=/store/onboarding{step}"


def test_who_has_no_business_finds_no_wizard(db: None) -> None:
    browser = Client()
    browser.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get("/store/onboarding/1").status_code == 404
