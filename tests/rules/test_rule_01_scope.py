"""Rule 1: one card per person and program, good in every store that runs the program, and nowhere else."""

from collections.abc import Callable

from core import tenancy
from loyalty.models import Card
from tests.support.api import assert_problem
from tests.support.shop import Shop, click, done

Open = Callable[..., Shop]
MARIE = "marie@example.com"


def active_cards(cafe: Shop) -> int:
    with tenancy.scope(cafe.world.merchant_id):
        return Card.objects.filter(status="active").count()


def test_a_card_is_good_in_every_store_of_the_program(shop: Open) -> None:
    cafe = shop(stamps_target=2)
    other = cafe.opens_store()
    marie = cafe.joins()

    cafe.stamps(marie)
    there = cafe.stamps(marie, X_Store_Code=other)

    assert there["rewards_available"] == 1
    assert cafe.hands_out(marie, X_Store_Code=other)["stamps_redeemed"] == 2
    assert [row["store"]["code"] for row in cafe.ledger(marie) if row["type"] == "stamp_earned"] == [cafe.code, other]
    cafe.adds_up()


def test_joining_again_with_the_card_answers_the_same_card_in_any_store(shop: Open) -> None:
    cafe = shop()
    other = cafe.opens_store()
    marie = cafe.joins()

    for store in (cafe.code, other):
        again = done(marie.ask("post", "enroll", {"store_code": store}), 200)
        assert again["card"]["id"] == marie.card["id"]
    assert active_cards(cafe) == 1


def test_joining_again_elsewhere_makes_no_second_card_for_a_verified_person(shop: Open) -> None:
    cafe = shop()
    other = cafe.opens_store()
    old = cafe.proven(MARIE)
    new = cafe.joins(other, email="Marie@Example.com ")
    letter = cafe.mails()[-1]

    click(letter)

    assert active_cards(cafe) == 1
    assert new.shows()["id"] == old.card["id"]
    cafe.adds_up()


def test_staff_enrolling_a_known_person_leads_to_one_card_too(shop: Open) -> None:
    cafe = shop()
    old = cafe.proven(MARIE)
    made = done(cafe.pos.post("cards/enroll", {"name": "Marie", "email": MARIE}))
    cafe.stamps(old, 3)
    done(cafe.asks("stamp", card_id=made["id"]))

    click(cafe.mails()[-1])

    assert active_cards(cafe) == 1
    assert old.shows()["stamp_count"] == 4
    cafe.adds_up()


def test_a_store_with_a_program_of_its_own_does_not_take_the_card(shop: Open) -> None:
    cafe = shop()
    other = cafe.opens_store()
    marie = cafe.joins()
    own = {"name": "Kirchberg only", "loyalty_type": "stamps", "status": "active", "require_staff_pin": False,
           "stamps_reward_description": "Free tea"}  # fmt: skip
    done(cafe.pos.post("program", own, X_Store_Code=other))

    assert_problem(cafe.asks("stamp", marie, X_Store_Code=other), 409, "store_not_in_program")
    assert marie.shows()["stamp_count"] == 0
    assert cafe.joins(other).card["program"]["name"] == "Kirchberg only"


def test_another_merchants_card_is_not_there_and_nothing_changes(shop: Open) -> None:
    here, there = shop(), shop()
    marie = there.joins()
    references = [{name: marie.card[field]} for name, field in
                  (("card_id", "id"), ("card_number", "card_number"), ("qr_code", "qr_code_data"))]  # fmt: skip

    for reference in references:
        assert_problem(here.asks("stamp", **reference), 404, "not_found")
        assert_problem(here.asks("cards/lookup", **reference), 404, "not_found")
    assert marie.shows()["stamp_count"] == 0
    there.adds_up()


def test_two_cards_made_before_the_address_was_confirmed_end_as_one(shop: Open) -> None:
    cafe = shop()
    one, two = cafe.joins(email=MARIE), cafe.joins(email=MARIE)
    cafe.stamps(one)
    cafe.stamps(two, 2)

    for letter in cafe.mails():
        click(letter)

    assert active_cards(cafe) == 1
    assert one.shows()["id"] == two.shows()["id"]
    assert one.shows()["stamp_count"] == 3
    cafe.adds_up()
