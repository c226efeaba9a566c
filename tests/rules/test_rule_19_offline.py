"""Rule 19: what a till kept without a connection counts as of when it happened; nothing of it is dropped silently."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.api import Caller
from tests.support.shop import Phone, Shop, done

Open = Callable[..., Shop]


def item(cafe: Shop, phone: Phone, key: str, ago: timedelta, **fields: Any) -> dict[str, Any]:
    when = (cafe.world.at - ago).isoformat()
    return {"key": key, "op": "stamp", "occurred_at": when, "card_id": phone.card["id"], **fields}


def arrives(cafe: Shop, *items: dict[str, Any], by: Caller | None = None) -> list[tuple[int, str]]:
    """Send what was kept; return status and code of each item."""
    body = done((by or cafe.pos).post("terminal/batch", {"operations": list(items)}), 200)
    assert [result["key"] for result in body["results"]] == [one["key"] for one in items]
    return [(result["status"], result["body"].get("code", "")) for result in body["results"]]


def reviews(cafe: Shop) -> list[dict[str, Any]]:
    return list(reversed(done(cafe.manager.get("reviews?state=open"), 200)["results"]))


def opened(shop: Open, **rules: Any) -> tuple[Shop, Phone]:
    cafe = shop(**rules)
    marie = cafe.joins()
    cafe.later(days=10)
    return cafe, marie


def test_accepts_what_is_72_hours_late(shop: Open) -> None:
    cafe, marie = opened(shop)

    answers = arrives(
        cafe, item(cafe, marie, "a", timedelta(hours=72)), item(cafe, marie, "b", timedelta(hours=72, seconds=1)),
        item(cafe, marie, "c", timedelta(minutes=-2)), item(cafe, marie, "d", timedelta(minutes=-2, seconds=-1)),
    )  # fmt: skip

    assert answers == [(201, ""), (409, "too_old"), (201, ""), (400, "occurred_at_invalid")]
    assert [(kept["key"], kept["code"]) for kept in reviews(cafe)] == [("b", "too_old")], "kept for a manager"
    assert marie.shows()["stamp_count"] == 2
    cafe.adds_up()


def test_the_rules_are_those_of_the_moment_it_happened(shop: Open) -> None:
    cafe, marie = opened(shop, cooldown_minutes=60, max_daily_stamps=1)

    answers = arrives(
        cafe, item(cafe, marie, "two days ago", timedelta(days=2)),
        item(cafe, marie, "yesterday", timedelta(days=1)), item(cafe, marie, "today", timedelta()),
        item(cafe, marie, "today again", timedelta(hours=-0.01)),
    )  # fmt: skip

    assert [status for status, _code in answers] == [201, 201, 201, 409]
    assert marie.shows()["stamp_count"] == 3
    rows = [row for row in cafe.ledger(marie) if row["type"] == "stamp_earned"]
    happened = [datetime.fromisoformat(row["occurred_at"]) for row in rows]
    assert sorted(happened) == [cafe.world.at - timedelta(days=days) for days in (2, 1, 0)]
    assert {datetime.fromisoformat(row["recorded_at"]) for row in rows} == {cafe.world.at}
    cafe.adds_up()


def test_the_rate_is_that_of_the_moment_too(shop: Open) -> None:
    boutique, marie = opened(shop, loyalty_type="points", points_per_euro="1")
    boutique.changes(points_per_euro="10")
    boutique.later(hours=2)

    sale = {"op": "points", "purchase_amount_cents": 1000}
    arrives(
        boutique, item(boutique, marie, "before", timedelta(hours=3), **sale),
        item(boutique, marie, "after", timedelta(hours=1), **sale),
    )  # fmt: skip

    earned = [row["points_delta"] for row in boutique.ledger(marie) if row["type"] == "points_earned"]
    assert sorted(earned) == [10, 100]
    boutique.adds_up()


def test_what_breaks_a_limit_is_reported_and_waits_for_a_manager(shop: Open) -> None:
    cafe, marie = opened(shop, cooldown_minutes=60)

    answers = arrives(
        cafe, item(cafe, marie, "a", timedelta(hours=3)), item(cafe, marie, "b", timedelta(hours=2, minutes=30))
    )

    assert answers == [(201, ""), (409, "cooldown_active")]
    [kept] = reviews(cafe)
    assert (kept["key"], kept["code"], kept["card"]["id"]) == ("b", "cooldown_active", marie.card["id"])
    done(cafe.manager.post(f"reviews/{kept['id']}/accept", {"note": "Two visits"}))
    assert marie.shows()["stamp_count"] == 2
    assert reviews(cafe) == []
    cafe.adds_up()


def test_after_a_staff_member_was_let_go_it_goes_to_review(shop: Open) -> None:
    cafe, marie = opened(shop, require_staff_pin=True)
    anna = done(cafe.pos.post("pins", {"name": "Anna", "pin": "482193"}))
    screen = Caller.terminal(cafe.world)
    token = done(screen.post("pins/verify", {"staff_id": anna["id"], "staff_pin": "482193"}), 200)["staff_session"]
    cafe.later(minutes=5)
    assert cafe.pos.delete(f"pins/{anna['id']}").status_code == 204
    cafe.later(minutes=5)

    answers = arrives(
        cafe, item(cafe, marie, "before", timedelta(minutes=6), staff_session=token),
        item(cafe, marie, "after", timedelta(minutes=4), staff_session=token), by=screen,
    )  # fmt: skip

    assert [status for status, _code in answers] == [201, 403]
    [kept] = reviews(cafe)
    assert (kept["key"], kept["staff"]["name"]) == ("after", "Anna")
    assert marie.shows()["stamp_count"] == 1
    cafe.adds_up()


def test_a_batch_sent_twice_counts_once(shop: Open) -> None:
    cafe, marie = opened(shop)
    items = [item(cafe, marie, f"k{number}", timedelta(hours=number + 1)) for number in range(3)]

    assert arrives(cafe, *items) == arrives(cafe, *items)

    assert marie.shows()["stamp_count"] == 3
    cafe.adds_up()


def test_redeeming_needs_a_connection(shop: Open) -> None:
    cafe, marie = opened(shop, stamps_target=2)
    cafe.stamps(marie, 2)

    [(status, _code)] = arrives(cafe, item(cafe, marie, "r", timedelta(hours=1), op="redeem"))

    assert status == 400
    assert marie.shows()["rewards_available"] == 1
    cafe.adds_up()


def test_a_pause_counts_from_its_moment(shop: Open) -> None:
    cafe, marie = opened(shop)
    cafe.changes(status="paused")
    cafe.later(hours=1)

    answers = arrives(
        cafe, item(cafe, marie, "before", timedelta(hours=2)), item(cafe, marie, "after", timedelta(minutes=30))
    )

    assert answers == [(201, ""), (409, "program_not_active")]
    assert [kept["key"] for kept in reviews(cafe)] == ["after"]
    cafe.adds_up()


def test_a_visit_in_time_keeps_points_alive_though_it_arrives_the_day_after(shop: Open) -> None:
    boutique = shop(loyalty_type="points", points_per_euro="1", points_expiration_days=10)
    marie = boutique.joins()
    boutique.sells(marie, 5000)
    # Valid through 20 March; the till was offline that evening.
    boutique.move_to(datetime(2026, 3, 21, 9, 0, tzinfo=UTC))

    sale = item(boutique, marie, "a", timedelta(hours=14), op="points", purchase_amount_cents=1000)
    assert arrives(boutique, sale) == [(201, "")]

    boutique.night()
    assert marie.shows()["points_balance"] == 60
    boutique.adds_up()


@pytest.mark.parametrize("first", ["the job", "the till"])
def test_whether_the_job_or_the_till_comes_first_makes_no_difference(shop: Open, first: str) -> None:
    boutique = shop(loyalty_type="points", points_per_euro="1", points_expiration_days=100)
    marie = boutique.joins()
    boutique.sells(marie, 5000)
    # Valid through 18 June, when the till was offline.
    boutique.move_to(datetime(2026, 6, 19, 2, 0, tzinfo=UTC))
    if first == "the job":
        boutique.night()
        assert marie.shows()["points_balance"] == 0

    sale = item(boutique, marie, "a", timedelta(hours=8), op="points", purchase_amount_cents=1000)
    assert arrives(boutique, sale) == [(201, "")]
    assert arrives(boutique, sale) == [(201, "")]
    boutique.night()

    shown = marie.shows()
    assert (shown["points_balance"], shown["points_expire_on"]) == (60, "2026-09-26")
    said = [row["explanation"] for row in marie.history() if row["type"] == "void"]
    assert said == (["Not expired after all: a visit came in late"] if first == "the job" else [])
    boutique.adds_up()


def test_a_hundred_at_a_time(shop: Open) -> None:
    cafe, marie = opened(shop)
    items = [item(cafe, marie, f"k{number}", timedelta(minutes=number)) for number in range(101)]

    assert cafe.pos.post("terminal/batch", {"operations": items}).status_code == 400
    assert marie.shows()["stamp_count"] == 0
    assert {status for status, _code in arrives(cafe, *items[:100])} == {201}
    cafe.adds_up()
