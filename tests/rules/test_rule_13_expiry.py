"""Rule 13: points live until the end of a local day some days after the last visit; two warnings; nobody is late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.api import assert_problem
from tests.support.shop import Phone, Shop, done

Open = Callable[..., Shop]
MARIE = "marie@example.com"
# A visit on 10 March plus 100 days is 18 June, whose end in Luxembourg is 22:00 UTC.
LAST = datetime(2026, 6, 18, 21, 59, 59, tzinfo=UTC)


def boutique(shop: Open, cost: int = 20) -> tuple[Shop, Phone, str]:
    made = shop(loyalty_type="points", points_per_euro="1", points_expiration_days=100)
    marie = made.proven(MARIE)
    made.sells(marie, 5000)
    return made, marie, made.reward(cost)


def test_points_are_valid_through_the_end_of_the_last_local_day(shop: Open) -> None:
    made, marie, voucher = boutique(shop)
    assert marie.shows()["points_expire_on"] == "2026-06-18"

    made.move_to(LAST)
    made.night()
    assert marie.shows()["points_balance"] == 50
    made.move_to(LAST + timedelta(seconds=1))
    made.night()

    assert marie.shows()["points_balance"] == 0
    expired = made.ledger(marie)[-1]
    assert (expired["type"], expired["points_delta"], expired["points_after"]) == ("points_expired", -50, 0)
    assert_problem(made.asks("points/redeem", marie, reward_id=voucher), 409, "insufficient_points")
    made.adds_up()


def test_redemption_checks_the_date_itself(shop: Open) -> None:
    made, marie, voucher = boutique(shop)

    made.move_to(LAST + timedelta(seconds=1))

    assert marie.shows()["points_balance"] == 0, "what is shown can be spent"
    assert_problem(made.asks("points/redeem", marie, reward_id=voucher), 409, "insufficient_points")
    made.adds_up()


def test_on_the_last_second_it_can_be_spent(shop: Open) -> None:
    made, marie, voucher = boutique(shop)

    made.move_to(LAST)

    assert made.hands_out(marie, voucher)["points_balance"] == 30
    assert marie.shows()["points_expire_on"] == "2026-09-26", "a redemption is a visit"
    made.adds_up()


def test_a_late_job_acts_as_if_on_time(shop: Open) -> None:
    made, marie, _voucher = boutique(shop)
    made.move_to(LAST + timedelta(days=5))

    sale = made.sells(marie, 1000)
    made.night()
    made.night()

    assert (sale["points_balance"], marie.shows()["points_balance"]) == (10, 10)
    expired = [row for row in made.ledger(marie) if row["type"] == "points_expired"]
    assert [(row["points_delta"], row["occurred_at"][:19]) for row in expired] == [(-50, "2026-06-18T22:00:00")]
    made.adds_up()


def test_an_adjustment_and_a_merge_are_no_visits(shop: Open) -> None:
    made, marie, _voucher = boutique(shop)
    other = made.joins()
    made.later(days=60)
    done(made.on_card("adjust", marie, points_delta=5, reason="kindness"))
    done(made.on_card("merge", other, into=marie.card["id"], reason="same person"))

    assert marie.shows()["points_expire_on"] == "2026-06-18"
    made.move_to(LAST + timedelta(seconds=1))
    made.night()
    assert marie.shows()["points_balance"] == 0
    made.adds_up()


def test_warns_thirty_and_seven_days_before_once_each(shop: Open) -> None:
    made, marie, _too_dear = boutique(shop, cost=500)
    done(marie.ask("post", "consents", {"purpose": "service", "channel": "email", "granted": True}))
    made.mails()

    sent = []
    for day in range(101):
        made.move_to(datetime(2026, 3, 11, 2, 0, tzinfo=UTC) + timedelta(days=day))
        for _ in range(2):
            made.night()
        made.later(hours=12)
        sent += [(made.world.at.date().isoformat(), letter.to) for letter in made.mails()]

    assert sent == [("2026-05-19", [MARIE]), ("2026-06-11", [MARIE])]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/New_York"])
def test_the_day_is_that_of_the_merchants_zone(shop: Open, zone: str) -> None:
    made, marie, _voucher = boutique(shop)
    done(made.pos.patch("/api/v1/merchant", {"time_zone": zone}), 200)
    ends = {"Pacific/Auckland": datetime(2026, 6, 18, 12, tzinfo=UTC), "America/New_York": datetime(2026, 6, 19, 4,
            tzinfo=UTC)}[zone]  # fmt: skip

    made.move_to(ends - timedelta(seconds=1))
    made.night()
    before = marie.shows()["points_balance"]
    made.move_to(ends)
    made.night()

    assert (before, marie.shows()["points_balance"]) == (50, 0)
    made.adds_up()
