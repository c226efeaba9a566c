"""Rule 3: joining with a known address looks like joining with a new one; only its mailbox learns more, and merges."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.support.shop import EN, STOREFRONT, Shop, click, done, link_in

Open = Callable[..., Shop]
MARIE, PHONE = "marie@example.com", "621 123 456"


def enroll(cafe: Shop, **person: str) -> Any:
    return Client().post(
        f"{STOREFRONT}enroll", {"store_code": cafe.code, **person}, content_type="application/json", headers=EN
    )


def shape(value: Any) -> Any:
    """What a stranger can tell of an answer: its fields, types and plain values, without ids, codes and secrets."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return len(value) if isinstance(value, str) else value


@pytest.fixture
def known(shop: Open) -> Shop:
    cafe = shop()
    old = cafe.proven(MARIE, name="Marie Klein", phone=PHONE)
    cafe.stamps(old, 5)
    return cafe


@pytest.mark.parametrize(
    ("known_by", "unknown"),
    [({"email": MARIE}, {"email": "anna@example.com"}), ({"phone": PHONE}, {"phone": "621 999 999"})],
)
def test_the_answer_is_that_of_a_new_customer(known: Shop, known_by: Any, unknown: Any) -> None:
    one, other = enroll(known, **known_by), enroll(known, **unknown)

    assert (one.status_code, other.status_code) == (201, 201)
    assert shape(one.json()) == {**shape(other.json()), "card": {
        **shape(other.json()["card"]), "customer": shape(one.json()["card"]["customer"])}}  # fmt: skip
    assert set(one.json()["card"]["customer"]) == set(other.json()["card"]["customer"])
    assert sorted(one.headers) == sorted(other.headers)
    card = one.json()["card"]
    assert (card["stamp_count"], card["rewards_available"], card["customer"]["name"]) == (0, 0, None)
    assert "already" not in one.content.decode().lower()
    assert "Marie Klein" not in one.content.decode()


def test_the_page_says_the_same_to_both(known: Shop) -> None:
    pages = []
    for email in (MARIE, "nadia@example.com"):
        browser = Client(headers=EN)
        sent = browser.post(f"/loyalty/{known.code}/enroll", {"email": email})
        shown = browser.get(sent["Location"]).content.decode()
        pages.append((sent.status_code, sent["Location"], "already" in shown.lower(), "Marie" in shown))

    assert pages[0] == pages[1]
    assert pages[0][2:] == (False, False)


def test_a_message_goes_to_the_known_address(known: Shop) -> None:
    stranger = known.joins(email=MARIE)

    [letter] = known.mails()

    assert letter.to == [MARIE]
    assert link_in(letter)
    assert stranger.shows()["stamp_count"] == 0
    assert done(stranger.ask("get", "profile"), 200)["email_confirmed"] is False


def test_the_card_starts_empty_and_is_merged_when_the_address_is_confirmed(known: Shop) -> None:
    new = known.joins(email=MARIE)
    known.stamps(new, 2)
    [letter] = known.mails()
    assert new.shows()["stamp_count"] == 2, "nothing happens before the link is used"

    click(letter)

    assert new.shows()["stamp_count"] == 7
    assert new.shows()["customer"]["name"] == "Marie Klein"
    known.adds_up()


def test_who_only_typed_the_address_gets_nothing_of_the_old_card(known: Shop) -> None:
    thief = known.joins(email=MARIE)
    known.mails()

    assert len(thief.history()) == 1
    assert done(thief.ask("get", "profile"), 200)["name"] is None
    assert known.asks("stamp/redeem", thief).status_code == 409
    assert [known.recovers(email=email).status_code for email in (MARIE, "nobody@example.com")] == [202, 202]


def test_a_known_number_sends_the_message_to_the_address_behind_it(known: Shop) -> None:
    known.joins(phone=f"+352 {PHONE}")

    assert [letter.to for letter in known.mails()] == [[MARIE]]


def test_an_address_that_is_given_later_is_merged_in_the_same_way(known: Shop) -> None:
    new = known.joins()
    known.stamps(new, 1)

    answer = done(new.ask("patch", "profile", {"email": MARIE}), 200)
    assert (answer["email_confirmed"], answer["name"]) == (False, None)
    click(known.mails()[-1])

    assert new.shows()["stamp_count"] == 6
    known.adds_up()
