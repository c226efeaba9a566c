"""Rule 2: a card needs no personal data; an address can come later; each merchant has its own record of a person."""

from collections.abc import Callable

from django.test import Client

from tests.support.shop import Shop, click, done

Open = Callable[..., Shop]
MARIE = "marie@example.com"


def test_a_card_needs_no_personal_data(shop: Open) -> None:
    cafe = shop(stamps_target=2)

    nobody = cafe.joins()

    assert {nobody.card["customer"][field] for field in ("name", "email", "phone")} == {None}
    cafe.stamps(nobody, 2)
    assert cafe.hands_out(nobody)["rewards_available"] == 0
    assert cafe.mails() == []
    cafe.adds_up()


def test_the_page_joins_without_any_field_filled(shop: Open) -> None:
    cafe, browser = shop(), Client()

    answer = browser.post(f"/loyalty/{cafe.code}/enroll", {})

    assert (answer.status_code, answer["Location"]) == (303, f"/loyalty/{cafe.code}/welcome")
    assert browser.get(f"/loyalty/{cafe.code}/dashboard").status_code == 200


def test_an_address_is_given_later_and_the_card_stays(shop: Open) -> None:
    cafe = shop()
    marie = cafe.joins()
    cafe.stamps(marie, 4)
    assert cafe.mails() == []

    claimed = done(marie.ask("patch", "profile", {"name": "Marie", "email": MARIE}), 200)
    assert (claimed["email"], claimed["email_confirmed"]) == (MARIE, False)
    [letter] = cafe.mails()
    assert letter.to == [MARIE]
    click(letter)

    assert done(marie.ask("get", "profile"), 200)["email_confirmed"] is True
    assert (marie.shows()["id"], marie.shows()["stamp_count"]) == (marie.card["id"], 4)
    cafe.adds_up()


def test_the_same_person_at_two_merchants_is_two_records(shop: Open) -> None:
    one, other = shop(), shop()
    here, there = one.proven(MARIE, name="Marie"), other.proven(MARIE, name="Marie K")

    done(here.ask("patch", "profile", {"name": "Maria", "phone": "621 123 456"}), 200)
    one.stamps(here)

    assert here.card["customer"]["id"] != there.card["customer"]["id"]
    profile = done(there.ask("get", "profile"), 200)
    assert (profile["name"], profile["phone"]) == ("Marie K", None)
    assert there.shows()["stamp_count"] == 0


def test_staff_enrol_without_asking_for_anything(shop: Open) -> None:
    cafe = shop()

    made = done(cafe.pos.post("cards/enroll", {}))

    assert made["customer"]["name"] is None
    assert done(cafe.asks("stamp", card_number=made["card_number"]))["stamp_count"] == 1
    cafe.adds_up()
