"""Rule 21: staff say who they are, then type a PIN; wrong tries lock that person for a while, or who sent them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from core.ids import uuid7
from tests.support.api import Caller, assert_problem
from tests.support.shop import MERCHANT, Phone, Shop, done

Open = Callable[..., Shop]
ANNA, BEN, WRONG = "482193", "735912", "604817"


def staffed(shop: Open) -> tuple[Shop, Phone, Caller, dict[str, str]]:
    """A shop with Anna, Ben and a paired terminal."""
    cafe = shop(require_staff_pin=True)
    ids = {}
    for name, pin in (("Anna", ANNA), ("Ben", BEN)):
        ids[name] = done(cafe.pos.post("pins", {"name": name, "pin": pin}))["id"]
    return cafe, cafe.joins(), Caller.terminal(cafe.world), ids


def tap(screen: Caller, staff_id: str, pin: str) -> Any:
    return screen.post("pins/verify", {"staff_id": staff_id, "staff_pin": pin})


def test_five_wrong_tries_lock_for_thirty_minutes_then_it_works_again(shop: Open) -> None:
    cafe, marie, screen, ids = staffed(shop)

    tries = [tap(screen, ids["Anna"], f"60481{number}") for number in range(5)]

    assert [answer.status_code for answer in tries] == [403] * 5
    assert [answer.json()["attempts_remaining"] for answer in tries] == [4, 3, 2, 1, 0]
    locked = assert_problem(tap(screen, ids["Anna"], ANNA), 423, "staff_pin_locked")
    assert datetime.fromisoformat(locked["locked_until"]) == cafe.world.at + timedelta(minutes=30)
    cafe.later(minutes=29, seconds=59)
    refused = tap(screen, ids["Anna"], ANNA)
    assert refused.status_code == 423
    assert 1 <= int(refused["Retry-After"]) <= 2
    cafe.later(seconds=1)

    assert tap(screen, ids["Anna"], ANNA).status_code == 200
    stamped = cafe.asks("stamp", marie, by=screen, staff_id=ids["Anna"], staff_pin=ANNA)
    assert stamped.status_code == 201


def test_wrong_tries_count_on_that_person_alone(shop: Open) -> None:
    _cafe, _marie, screen, ids = staffed(shop)
    for number in range(6):
        tap(screen, ids["Anna"], f"60481{number}")

    assert tap(screen, ids["Ben"], BEN).status_code == 200


def test_a_manager_unlocks_earlier(shop: Open) -> None:
    cafe, _marie, screen, ids = staffed(shop)
    for number in range(5):
        tap(screen, ids["Anna"], f"60481{number}")
    assert tap(screen, ids["Anna"], ANNA).status_code == 423

    unlocked = done(cafe.manager.post(f"pins/{ids['Anna']}/unlock"), 200)

    assert (unlocked["failed_attempts"], unlocked["locked_until"]) == (0, None)
    assert tap(screen, ids["Anna"], ANNA).status_code == 200


def test_the_number_of_tries_and_the_length_are_the_merchants(shop: Open) -> None:
    cafe, _marie, screen, ids = staffed(shop)
    cafe.allows(pin_max_failed_attempts=2, pin_lockout_minutes=5)

    answers = [tap(screen, ids["Anna"], f"60481{number}").status_code for number in range(3)]

    assert answers == [403, 403, 423]
    cafe.later(minutes=5)
    assert tap(screen, ids["Anna"], ANNA).status_code == 200


def test_a_pin_alone_that_matches_nobody_counts_against_who_sent_it(shop: Open) -> None:
    cafe, marie, screen, ids = staffed(shop)
    pos = cafe.till("earn")

    answers = [cafe.asks("stamp", marie, by=pos, staff_pin=f"60481{number}") for number in range(6)]

    assert [answer.status_code for answer in answers] == [403] * 5 + [423]
    assert cafe.asks("stamp", marie, by=pos, staff_pin=ANNA).status_code == 423, "that key is blocked"
    assert [row["failed_attempts"] for row in done(cafe.pos.get("pins"), 200)["results"]] == [0, 0]
    assert tap(screen, ids["Anna"], ANNA).status_code == 200, "and nobody of the staff"
    cafe.later(minutes=30)
    assert cafe.asks("stamp", marie, by=pos, staff_pin=ANNA).status_code == 201
    assert marie.shows()["stamp_count"] == 1


def test_no_such_person_and_a_wrong_pin_are_told_alike(shop: Open) -> None:
    _cafe, _marie, screen, ids = staffed(shop)

    wrong, nobody = tap(screen, ids["Anna"], WRONG), tap(screen, str(uuid7()), WRONG)

    assert wrong.status_code == nobody.status_code == 403
    assert {**wrong.json(), "attempts_remaining": 0} == {**nobody.json(), "attempts_remaining": 0}
    assert wrong.json()["detail"] == nobody.json()["detail"]


def test_on_a_customers_phone_wrong_pins_count_on_that_card_never_on_staff(shop: Open) -> None:
    cafe, marie, screen, ids = staffed(shop)
    store = done(cafe.pos.get(f"{MERCHANT}/stores"), 200)["results"][0]
    done(cafe.pos.patch(f"{MERCHANT}/stores/{store['id']}", {"own_device_enabled": True}), 200)
    phone = Caller({"Authorization": f"Card {marie.secret}"})

    def type_on_the_phone(pin: str) -> Any:
        return phone.post(f"/stamp/{cafe.code}", {"pass_id": marie.card["id"], "staff_pin": pin})

    answers = [type_on_the_phone(f"60481{number}").status_code for number in range(6)]

    assert answers == [403] * 5 + [423]
    assert type_on_the_phone(ANNA).status_code == 423
    assert [row["failed_attempts"] for row in done(cafe.pos.get("pins"), 200)["results"]] == [0, 0]
    assert tap(screen, ids["Anna"], ANNA).status_code == 200, "the shop goes on"
    assert marie.shows()["stamp_count"] == 0


def test_tries_are_limited_before_a_pin_is_looked_at(shop: Open) -> None:
    _cafe, _marie, screen, ids = staffed(shop)
    for number in range(5):
        tap(screen, ids["Anna"], f"60481{number}")

    right, wrong = tap(screen, ids["Anna"], ANNA), tap(screen, ids["Anna"], WRONG)

    assert right.status_code == wrong.status_code == 423
    assert right.json() == wrong.json(), "a locked door does not say whether the key would fit"
