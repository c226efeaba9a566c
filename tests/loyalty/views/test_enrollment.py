"""The enrolment page: no JavaScript, nothing lost, nothing told (rules 1, 2, 3, 5, 23)."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import tenancy
from customers.models import Consent, Customer
from customers.services import customers
from loyalty import card_cookie
from loyalty.models import Card, Reward
from merchants.models import Merchant, MerchantSettings
from stores.models import Store
from tests.support.world import World

pytestmark = pytest.mark.django_db


def page(world: World, name: str = "enroll") -> str:
    return f"/loyalty/{world.store.code}/{name}"


def cards_of(world: World) -> list[Card]:
    with tenancy.scope(world.merchant_id):
        return list(Card.objects.order_by("id"))


def form_key(html: bytes) -> str:
    found = re.search(rb'name="form_key" value="([0-9a-f]{32})"', html)
    assert found is not None
    return found[1].decode()


def test_it_works(client: Client) -> None:
    world = World.make()

    shown = client.get(page(world), headers={"Accept-Language": "en"})
    made = client.post(page(world), {"form_key": form_key(shown.content)})
    welcome = client.get(made["Location"])

    assert shown.status_code == 200
    assert b"10 stamps, then: <em>Free coffee</em>" in shown.content
    assert (made.status_code, made["Location"]) == (303, page(world, "welcome"))
    assert welcome.status_code == 200
    (card,) = cards_of(world)
    assert " ".join(card.card_number[at : at + 4] for at in (0, 4, 8)) in welcome.content.decode()


def test_works_without_javascript_and_with_csrf() -> None:
    world = World.make()
    client = Client(enforce_csrf_checks=True)

    assert client.post(page(world)).status_code == 403
    html = client.get(page(world)).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
    assert token is not None
    made = client.post(page(world), {"csrfmiddlewaretoken": token[1], "email": "marie@example.com"})

    assert made.status_code == 303
    assert len(cards_of(world)) == 1


def test_the_cookie_is_signed_and_out_of_reach_of_scripts(client: Client) -> None:
    world = World.make()

    made = client.post(page(world))

    cookie = made.cookies[card_cookie.name(world.program.id)]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 400 * 24 * 3600
    assert cookie["secure"] == ""
    assert cookie.value.count(":") == 2


def test_the_cookie_is_secure_over_https(client: Client) -> None:
    world = World.make()

    made = client.post(page(world), secure=True)

    assert made.cookies[card_cookie.name(world.program.id)]["secure"] is True


def test_a_second_tap_makes_no_second_card(client: Client) -> None:
    world = World.make()
    key = form_key(client.get(page(world)).content)
    first = client.post(page(world), {"form_key": key, "name": "Marie"})
    # The answer was lost on its way: the browser has no card and sends the form again.
    del client.cookies[card_cookie.name(world.program.id)]

    again = client.post(page(world), {"form_key": key, "name": "Marie"})

    assert [first.status_code, again.status_code] == [303, 303]
    assert len(cards_of(world)) == 1


def test_a_form_key_is_of_one_browser(client: Client) -> None:
    world = World.make()
    key = form_key(client.get(page(world)).content)
    other = Client()
    other.get(page(world))

    client.post(page(world), {"form_key": key})
    other.post(page(world), {"form_key": key})

    assert len(cards_of(world)) == 2


@pytest.mark.parametrize("key", ["", "x", "a" * 33, "\x00", "../../"])
def test_a_key_that_is_none_does_no_harm(client: Client, key: str) -> None:
    world = World.make()

    assert client.post(page(world), {"form_key": key}).status_code in (303, 400)
    assert len(cards_of(world)) <= 1


def test_rule_1_who_has_a_card_sees_it(client: Client) -> None:
    world = World.make()
    client.post(page(world))

    shown, again = client.get(page(world)), client.post(page(world), {"name": "Other"})

    assert (shown.status_code, shown["Location"]) == (302, page(world, "dashboard"))
    assert (again.status_code, again["Location"]) == (303, page(world, "dashboard"))
    assert len(cards_of(world)) == 1


def test_rule_3_a_known_address_is_answered_the_same(client: Client) -> None:
    world = World.make()
    known = world.card(email="marie@example.com")
    customers.confirm(merchant_id=world.merchant_id, customer_id=known.customer_id, at=timezone.now())

    pages = []
    for email in ("marie@example.com", "eiram@example.com"):
        browser = Client()
        made = browser.post(page(world), {"email": email})
        shown = re.sub(rb"<svg.*?</svg>", b"", browser.get(made["Location"]).content, flags=re.DOTALL)
        pages.append((made.status_code, made["Location"], len(shown)))

    assert pages[0] == pages[1], "only the drawing of the code differs"


def test_rule_23_boxes_are_never_ticked_before(client: Client) -> None:
    world = World.make()

    shown = client.get(page(world)).content.decode()
    client.post(page(world), {"email": "marie@example.com", "service_email_consent": "on"})

    assert shown.count('type="checkbox"') == 2
    assert "checked" not in shown
    with tenancy.scope(world.merchant_id):
        assert list(Consent.objects.values_list("purpose", "source")) == [("service", "storefront")]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"email": "nonsense"}, "Write an e-mail address such as"),
        ({"phone": "12"}, "Write a phone number such as"),
        ({"name": "x" * 81}, "A name has at most 80 characters."),
        ({"name": "x" * 300}, "at most 200 characters"),
        ({"name": "a\x00b"}, "Null characters"),
        ({"marketing_email_consent": "on"}, "Add your e-mail address, or untick the box."),
        ({"birthday": "x"}, "Write month and day as 03-21"),
    ],
)
def test_says_what_is_wrong_and_loses_nothing(client: Client, typed: dict[str, str], words: str) -> None:
    world = World.make()

    shown = client.post(page(world), {"name": "Marie <3", **typed}, headers={"Accept-Language": "en"})

    html = shown.content.decode()
    assert shown.status_code == 400
    assert words in html
    assert "<details" in html
    assert " open>" in html
    if "name" not in typed:
        assert 'value="Marie &lt;3"' in html
    assert cards_of(world) == []
    assert card_cookie.name(world.program.id) not in shown.cookies


def close_by_merchant() -> None:
    Merchant.objects.update(status="suspended")


def close_by_setting() -> None:
    MerchantSettings.objects.update(allow_self_enrollment=False)


def test_rule_5_a_closed_door_has_kind_words_and_no_form(client: Client) -> None:
    for close in (close_by_merchant, close_by_setting):
        world = World.make()
        with tenancy.scope(world.merchant_id):
            close()

        answers = [client.get(page(world)), client.post(page(world), {"name": "Marie"})]

        for shown in answers:
            assert shown.status_code == 200
            assert b'name="email"' not in shown.content
            assert b"<h1" in shown.content
        assert cards_of(world) == []


def test_rule_5_cards_of_a_late_merchant_go_on(client: Client) -> None:
    world = World.make()
    client.post(page(world))
    with tenancy.scope(world.merchant_id):
        Merchant.objects.update(status="late")

    assert client.get(page(world, "dashboard")).status_code == 200


@pytest.mark.parametrize("name", ["enroll", "welcome", "dashboard", "history", "privacy", "recover", "link/x"])
def test_an_unknown_or_closed_store_is_not_there(client: Client, name: str) -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        Store.objects.update(closed_at=timezone.now())

    assert client.get(page(world, name)).status_code == 404
    assert client.get(f"/loyalty/nowhere/{name}").status_code == 404
    assert client.get(f"/loyalty/a%00b/{name}").status_code == 404


def test_a_points_program_shows_what_points_get(client: Client) -> None:
    world = World.make(loyalty_type="points")
    with tenancy.scope(world.merchant_id):
        Reward.objects.create(program=world.program, name="Tote bag", points_cost=100)

    html = client.get(page(world), headers={"Accept-Language": "en"}).content.decode()

    assert "Collect points for <em>Tote bag</em>" in html
    assert "100 points" in html


def test_what_a_merchant_or_customer_typed_is_text_never_markup(client: Client) -> None:
    world = World.make(stamps_reward_description="<script>alert(1)</script>")
    with tenancy.scope(world.merchant_id):
        Merchant.objects.update(name="<img src=x onerror=alert(1)>")

    client.post(page(world), {"name": "<b>Marie</b>"})
    pages = [client.get(page(world, name)).content for name in ("dashboard", "welcome", "privacy", "history")]

    assert not any(bad in html for html in pages for bad in (b"<script>alert", b"<img src=x", b"<b>Marie"))


def test_speaks_the_browsers_language_else_the_merchants(client: Client) -> None:
    world = World.make()

    spoken = [
        client.get(page(world), headers=headers)["Content-Language"]
        for headers in ({}, {"Accept-Language": "de-AT"}, {"Accept-Language": "tlh"})
    ]

    assert spoken == ["fr", "de", "fr"]


def test_the_customers_language_goes_before_the_browsers(client: Client) -> None:
    world = World.make()
    client.post(page(world), {"language": "lb"})

    own = client.get(page(world, "dashboard"), headers={"Accept-Language": "de"})
    client.cookies["django_language"] = "en"
    switched = client.get(page(world, "dashboard"), headers={"Accept-Language": "de"})

    assert own["Content-Language"] == "lb"
    assert switched["Content-Language"] == "en"
    with tenancy.scope(world.merchant_id):
        assert Customer.objects.get().language == "lb"


def test_too_many_are_told_to_wait_and_keep_what_they_typed(client: Client) -> None:
    from loyalty.services.limits import PER_ADDRESS

    world = World.make()
    for _ in range(PER_ADDRESS):
        Client().post(page(world))

    shown = client.post(page(world), {"name": "Marie"}, headers={"Accept-Language": "en"})

    assert shown.status_code == 429
    assert int(shown["Retry-After"]) >= 1
    assert b"Too many requests. Wait a moment." in shown.content
    assert b'value="Marie"' in shown.content


def test_is_kept_by_no_cache(client: Client) -> None:
    world = World.make()
    client.post(page(world))

    answers: list[Any] = [client.get(page(world, name)) for name in ("dashboard", "recover")]

    assert {answer["Cache-Control"] for answer in answers} == {"private, no-store"}
