"""Rule 4: draft, active, paused, ended; running cards keep what they were promised; each row names its rules."""

from collections.abc import Callable
from datetime import UTC, datetime

from tests.support.api import assert_problem
from tests.support.shop import Shop, done

Open = Callable[..., Shop]


def test_it_goes_from_draft_to_active_to_paused_and_back_and_ends(shop: Open) -> None:
    cafe = shop(status="draft")

    for refused in ("paused", "ended"):
        assert_problem(cafe.pos.patch("program", {"status": refused}), 409, "status_change_refused")
    for status in ("active", "paused", "active", "paused", "ended"):
        assert cafe.changes(status=status)["status"] == status
    for refused in ("draft", "active", "paused"):
        assert_problem(cafe.pos.patch("program", {"status": refused}), 409, "status_change_refused")


def test_a_pause_stops_earning_and_redeeming_goes_on(shop: Open) -> None:
    cafe = shop(loyalty_type="hybrid", points_per_euro="1", stamps_target=2)
    marie, voucher = cafe.joins(), cafe.reward(5)
    cafe.stamps(marie, 2)
    cafe.sells(marie, 1000)
    cafe.changes(status="paused")

    assert_problem(cafe.asks("stamp", marie), 409, "program_not_active")
    assert_problem(cafe.asks("points", marie, purchase_amount_cents=100), 409, "program_not_active")
    assert cafe.hands_out(marie)["rewards_available"] >= 0
    assert cafe.hands_out(marie, voucher)["points_redeemed"] == 5
    cafe.changes(status="active")
    cafe.stamps(marie)
    cafe.adds_up()


def test_an_ended_program_shows_its_last_day_to_customers(shop: Open) -> None:
    cafe = shop(stamps_target=2)
    marie = cafe.joins()
    cafe.stamps(marie, 2)
    cafe.changes(status="paused")
    cafe.changes(status="ended", ends_on="2026-03-31")

    assert done(cafe.pos.get(f"/api/v1/loyalty/programs/{cafe.code}"), 200)["ends_on"] == "2026-03-31"
    assert "31" in marie.page(f"/loyalty/{cafe.code}/dashboard")
    assert "March" in marie.page(f"/loyalty/{cafe.code}/dashboard")
    assert_problem(cafe.asks("stamp", marie), 409, "program_not_active")
    # Through the end of the last day, in the merchant's zone.
    cafe.move_to(datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC))
    cafe.hands_out(marie)
    cafe.adds_up()


def test_after_the_last_day_nothing_is_handed_out(shop: Open) -> None:
    cafe = shop(stamps_target=2)
    marie = cafe.joins()
    cafe.stamps(marie, 2)
    cafe.changes(status="paused")
    cafe.changes(status="ended", ends_on="2026-03-31")

    cafe.move_to(datetime(2026, 3, 31, 22, 0, 0, tzinfo=UTC))

    assert_problem(cafe.asks("stamp/redeem", marie), 409, "program_not_active")
    cafe.adds_up()


def test_a_running_card_keeps_its_target(shop: Open) -> None:
    cafe = shop(stamps_target=5)
    marie = cafe.joins()
    cafe.stamps(marie, 3)

    effects = {effect["field"]: effect for effect in cafe.changes(stamps_target=12)["effects"]}

    assert (effects["stamps_target"]["old"], effects["stamps_target"]["new"]) == (5, 12)
    assert effects["stamps_target"]["applies_to"] == "new_cycles"
    assert marie.shows()["stamps_target"] == 5
    assert cafe.joins().card["stamps_target"] == 12
    completed = cafe.stamps(marie, 3)
    assert (completed["rewards_available"], completed["stamp_count"], completed["stamps_target"]) == (1, 1, 12)
    cafe.adds_up()


def test_a_running_card_keeps_its_reward(shop: Open) -> None:
    cafe = shop(stamps_target=2, stamps_reward_description="Free lunch")
    marie = cafe.joins()
    cafe.stamps(marie)
    cafe.changes(stamps_reward_description="Free napkin")

    cafe.stamps(marie)
    cafe.stamps(marie, 2)

    assert sorted(reward["name"] for reward in marie.shows()["rewards"]) == ["Free lunch", "Free napkin"]
    cafe.adds_up()


def test_each_row_names_the_version_it_was_made_under(shop: Open) -> None:
    cafe = shop(loyalty_type="points", points_per_euro="1")
    marie = cafe.joins()
    cafe.sells(marie, 1000)
    assert cafe.changes(points_per_euro="2")["version"] == 2
    cafe.sells(marie, 1000)
    assert cafe.changes(minimum_purchase_cents=500)["version"] == 3
    cafe.sells(marie, 1000)

    rows = [row for row in cafe.ledger(marie) if row["type"] == "points_earned"]

    assert [(row["program_version"], row["points_delta"]) for row in rows] == [(1, 10), (2, 20), (3, 20)]
    cafe.adds_up()


def test_shortening_the_life_of_points_takes_nothing_at_once(shop: Open) -> None:
    boutique = shop(loyalty_type="points", points_per_euro="1", points_expiration_days=365)
    marie = boutique.joins()
    boutique.sells(marie, 2000)
    boutique.later(days=200)

    boutique.changes(points_expiration_days=30)
    boutique.night()

    assert marie.shows()["points_balance"] == 20
    boutique.later(days=29)
    boutique.night()
    assert marie.shows()["points_balance"] == 20, "there was a month to hear of it"
    boutique.adds_up()
