"""Rule 23: consent is given by the customer, for a purpose and a channel, is proof, is confirmed, and ends at once."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from core import tenancy
from customers.models import Consent
from tests.support.api import assert_problem
from tests.support.shop import EN, Phone, Shop, click, done

Open = Callable[..., Shop]
MARIE = "marie@example.com"
NEWS = {"purpose": "service", "channel": "email", "granted": True}
OFFERS = {"purpose": "marketing", "channel": "email", "granted": True}


def granted(phone: Phone) -> set[tuple[str, str]]:
    rows = done(phone.ask("get", "consents"), 200)["results"]
    return {(row["purpose"], row["channel"]) for row in rows if row["granted"]}


def test_nothing_is_ticked_and_the_card_does_not_depend_on_it(shop: Open) -> None:
    cafe = shop(stamps_target=2)

    form = Client(headers=EN).get(f"/loyalty/{cafe.code}/enroll").content.decode()
    marie = cafe.joins(email=MARIE)

    boxes = [box for box in re.findall(r"<input[^>]*>", form) if 'type="checkbox"' in box]
    assert len(boxes) == 2
    assert [box for box in boxes if "checked" in box] == []
    assert granted(marie) == set()
    cafe.stamps(marie, 2)
    assert cafe.hands_out(marie)["stamps_redeemed"] == 2


def test_a_record_says_what_was_agreed_when_where_and_to_which_words(shop: Open) -> None:
    cafe = shop()
    marie = cafe.proven(MARIE, language="de")

    done(marie.ask("post", "consents", OFFERS, Accept_Language="de"))
    done(marie.ask("post", "consents", {**OFFERS, "granted": False}))

    with tenancy.scope(cafe.world.merchant_id):
        given, withdrawn = Consent.objects.order_by("id")
    assert (given.purpose, given.channel, given.granted, withdrawn.granted) == ("marketing", "email", True, False)
    assert (given.address, given.source, given.language) == (MARIE, "profile", "de")
    assert given.text_version
    assert given.recorded_at == cafe.world.at
    assert granted(marie) == set()


def test_purposes_and_channels_are_agreed_one_by_one(shop: Open) -> None:
    cafe = shop()
    marie = cafe.proven(MARIE, phone="621 123 456")

    done(marie.ask("post", "consents", NEWS))
    assert granted(marie) == {("service", "email")}
    done(marie.ask("post", "consents", {**OFFERS, "channel": "sms"}))

    assert granted(marie) == {("service", "email"), ("marketing", "sms")}


@pytest.mark.parametrize("box", ["marketing_email_consent", "service_email_consent", "marketing_sms_consent"])
def test_staff_cannot_tick_for_the_customer(shop: Open, box: str) -> None:
    cafe = shop()

    refused = cafe.pos.post("cards/enroll", {"name": "Marie", "email": MARIE, box: True})

    assert_problem(refused, 400, "validation_error", box)
    with tenancy.scope(cafe.world.merchant_id):
        assert not Consent.objects.exists()


def test_the_confirmation_carries_no_advertising_and_nothing_goes_before_it(shop: Open) -> None:
    cafe = shop(stamps_target=2)
    marie = cafe.joins(email=MARIE, service_email_consent=True, marketing_email_consent=True)
    [letter] = cafe.mails()
    cafe.stamps(marie, 2)
    cafe.mails()
    cafe.later(hours=25)

    assert cafe.mails() == [], "the address is not confirmed"
    assert "List-Unsubscribe" not in letter.extra_headers
    for word in ("Free coffee", "offer", "reward", "stamp"):
        assert word not in letter.body

    click(letter)
    rows = done(marie.ask("get", "consents"), 200)["results"]
    assert {row["confirmed"] for row in rows} == {True}


def news(cafe: Shop, marie: Phone) -> Any:
    """Let a reward be ready, and return the mail that says so."""
    done(marie.ask("post", "consents", NEWS))
    cafe.stamps(marie, 2)
    cafe.mails()
    cafe.later(hours=25)
    [letter] = cafe.mails()
    return letter


def one_click(letter: Any) -> Any:
    """Do what a mail program does with RFC 8058: POST to the address, from nowhere, without login or cookie."""
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = re.search(r"<https?://[^/]+(/[^>]+)>", letter.extra_headers["List-Unsubscribe"])
    assert address is not None
    return Client(enforce_csrf_checks=True).post(
        address[1], "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )


def test_one_click_unsubscribes_without_login(shop: Open) -> None:
    cafe = shop(stamps_target=2)
    marie = cafe.proven(MARIE)
    letter = news(cafe, marie)

    assert one_click(letter).status_code == 200

    assert granted(marie) == set()


def test_it_stops_what_is_queued_already(shop: Open) -> None:
    cafe = shop(stamps_target=2)
    marie = cafe.proven(MARIE)
    letter = news(cafe, marie)
    cafe.later(days=2)
    cafe.stamps(marie, 2)
    cafe.mails()

    one_click(letter)
    cafe.later(days=2)

    assert cafe.mails() == []


def test_withdrawing_is_as_easy_as_agreeing(shop: Open) -> None:
    cafe = shop(stamps_target=2)
    marie = cafe.proven(MARIE)
    done(marie.ask("post", "consents", NEWS))
    cafe.stamps(marie, 2)
    cafe.mails()

    done(marie.ask("post", "consents", {**NEWS, "granted": False}))
    cafe.later(hours=25)

    assert cafe.mails() == []
