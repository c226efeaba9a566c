"""Rule 6: a full card issues a reward and the surplus starts the next one; where asked, the card stays full instead."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.support.api import assert_problem
from tests.support.shop import Phone, Shop

Open = Callable[..., Shop]


def states(phone: Phone) -> list[str]:
    return [reward["state"] for reward in phone.shows()["rewards"] if reward["source"] == "stamps"]


def test_the_surplus_carries_over(shop: Open) -> None:
    cafe = shop(stamps_target=10)
    marie = cafe.joins()
    cafe.stamps(marie, 9)

    answer = cafe.stamps(marie, 3)

    assert answer["stamps_added"] == 3
    assert answer["reward_earned"] is True
    assert (answer["stamp_count"], answer["stamps_until_reward"], answer["rewards_available"]) == (2, 8, 1)
    assert (marie.shows()["stamp_count"], states(marie)) == (2, ["issued"])
    # Σ stamps_delta is the count: +9, +3 and −10 for the reward.
    assert [(row["type"], row["stamps_delta"]) for row in marie.history()] == [
        ("card_enrolled", 0), ("stamp_earned", 9), ("stamp_earned", 3), ("reward_issued", -10),
    ]  # fmt: skip
    cafe.adds_up()


def test_several_targets_in_one_go_are_several_rewards(shop: Open) -> None:
    cafe = shop(stamps_target=3)
    marie = cafe.joins()

    answer = cafe.stamps(marie, 8)

    assert (answer["stamp_count"], answer["rewards_available"]) == (2, 2)
    rewards = marie.shows()["rewards"]
    assert len({reward["id"] for reward in rewards}) == 2, "each reward is a row of its own"
    cafe.adds_up()


def test_rewards_are_handed_out_one_by_one_the_oldest_first(shop: Open) -> None:
    cafe = shop(stamps_target=3)
    marie = cafe.joins()
    cafe.stamps(marie, 3)
    cafe.later(hours=1)
    cafe.stamps(marie, 3)
    first, second = sorted(marie.shows()["rewards"], key=lambda reward: reward["issued_at"])

    handed = cafe.hands_out(marie)

    assert (handed["stamps_redeemed"], handed["rewards_available"]) == (3, 1)
    left = marie.shows()["rewards"]
    assert [reward["id"] for reward in left] == [second["id"]]
    assert first["issued_at"] < second["issued_at"]
    cafe.hands_out(marie)
    assert_problem(cafe.asks("stamp/redeem", marie), 409, "insufficient_stamps")
    cafe.adds_up()


def test_collect_first_keeps_the_card_full_and_swallows_nothing(shop: Open) -> None:
    cafe = shop(stamps_target=10, full_card="collect_first")
    marie = cafe.joins()
    cafe.stamps(marie, 9)

    past_the_target = cafe.asks("stamp", marie, quantity=3)
    assert assert_problem(past_the_target, 409, "card_full")["detail"]
    assert cafe.stamps(marie)["stamp_count"] == 10
    full = assert_problem(cafe.asks("stamp", marie), 409, "card_full")

    assert full["detail"], "the till is told why"
    assert (marie.shows()["stamp_count"], states(marie)) == (10, ["issued"])
    assert cafe.hands_out(marie)["stamps_redeemed"] == 10
    assert cafe.stamps(marie)["stamp_count"] == 1
    deltas = [(row["type"], row["stamps_delta"]) for row in marie.history()]
    assert ("reward_issued", 0) in deltas
    assert ("stamp_redeemed", -10) in deltas
    cafe.adds_up()


@pytest.mark.parametrize("full_card", ["carry_over", "collect_first"])
def test_redeeming_says_the_target_as_stamps_redeemed(shop: Open, full_card: str) -> None:
    cafe = shop(stamps_target=4, full_card=full_card)
    marie = cafe.joins()
    cafe.stamps(marie, 4)

    assert cafe.hands_out(marie)["stamps_redeemed"] == 4
    assert (marie.shows()["stamp_count"], marie.shows()["rewards_available"]) == (0, 0)
    cafe.adds_up()


def test_a_reward_may_be_good_for_some_days(shop: Open) -> None:
    cafe = shop(stamps_target=2, stamps_reward_valid_days=10)
    marie, nora = cafe.joins(), cafe.joins()
    cafe.stamps(marie, 2)
    cafe.stamps(nora, 2)
    # Through the end of 20 March in Luxembourg.
    cafe.move_to(datetime(2026, 3, 20, 22, 59, 59, tzinfo=UTC))
    cafe.hands_out(nora)
    cafe.later(seconds=1)

    assert_problem(cafe.asks("stamp/redeem", marie), 409, "insufficient_stamps")

    cafe.night()
    assert marie.shows()["rewards"] == []
    assert marie.shows()["stamp_count"] == 0, "an expired reward gives no stamps back"
    cafe.adds_up()
