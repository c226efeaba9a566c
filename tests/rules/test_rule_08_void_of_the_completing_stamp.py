"""Rule 8: undoing the stamp that filled the card takes its reward back, unless somebody has it already."""

from collections.abc import Callable

from tests.support.api import assert_problem
from tests.support.shop import Shop, done

Open = Callable[..., Shop]


def test_a_reward_that_waits_is_cancelled_and_the_count_is_back(shop: Open) -> None:
    cafe = shop(stamps_target=10)
    marie = cafe.joins()
    cafe.stamps(marie, 9)
    completing = cafe.stamps(marie)
    assert (completing["stamp_count"], completing["rewards_available"]) == (0, 1)

    answer = cafe.void(completing)

    assert answer.status_code == 201, answer.content
    card = marie.shows()
    assert (card["stamp_count"], card["rewards_available"], card["rewards"]) == (9, 0, [])
    assert_problem(cafe.asks("stamp/redeem", marie), 409, "insufficient_stamps")
    # Nothing is lost: the next stamp fills the card again.
    assert cafe.stamps(marie)["rewards_available"] == 1
    cafe.adds_up()


def test_a_reward_that_is_handed_out_refuses_with_who_and_when(shop: Open) -> None:
    cafe = shop(stamps_target=10)
    anna = cafe.pos.post("pins", {"name": "Anna", "pin": "482193"}).json()
    marie = cafe.joins()
    completing = cafe.stamps(marie, 10)
    cafe.later(minutes=2)
    till = cafe.pos
    cafe.hands_out(marie, by=till, staff_id=anna["id"], staff_pin="482193")
    cafe.later(minutes=2)

    problem = assert_problem(cafe.void(completing), 409, "already_redeemed")

    assert problem["redeemed_at"].startswith("2026-03-10T12:02:00")
    assert "Anna" in str(problem["redeemed_by"])
    assert marie.shows()["stamp_count"] == 0
    cafe.adds_up()


def test_any_stamp_that_the_reward_used_counts_not_only_the_last(shop: Open) -> None:
    cafe = shop(stamps_target=3)
    marie = cafe.joins()
    first = cafe.stamps(marie)
    cafe.stamps(marie, 2)

    assert cafe.void(first).status_code == 201
    assert (marie.shows()["stamp_count"], marie.shows()["rewards_available"]) == (2, 0)
    cafe.adds_up()


def test_several_rewards_of_one_operation_go_back_together_or_not_at_all(shop: Open) -> None:
    cafe = shop(stamps_target=3)
    marie, nora = cafe.joins(), cafe.joins()
    kept, spent = cafe.stamps(marie, 7), cafe.stamps(nora, 7)
    cafe.hands_out(nora)

    assert cafe.void(kept).status_code == 201
    assert_problem(cafe.void(spent), 409, "already_redeemed")

    assert (marie.shows()["stamp_count"], marie.shows()["rewards_available"]) == (0, 0)
    assert (nora.shows()["stamp_count"], nora.shows()["rewards_available"]) == (1, 1)
    cafe.adds_up()


def test_a_card_that_stays_full_follows_the_same_rule(shop: Open) -> None:
    cafe = shop(stamps_target=3, full_card="collect_first")
    marie = cafe.joins()
    cafe.stamps(marie, 2)
    done(cafe.void(cafe.stamps(marie)))
    assert (marie.shows()["stamp_count"], marie.shows()["rewards_available"]) == (2, 0)

    again = cafe.stamps(marie)
    cafe.hands_out(marie)

    assert_problem(cafe.void(again), 409, "already_redeemed")
    cafe.adds_up()
