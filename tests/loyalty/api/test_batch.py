"""The terminal's batch: what was kept without a connection, item by item (rules 14, 15, 18, 19)."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from core import tenancy
from core.ids import uuid7
from loyalty.models import Card, IssuedReward, ReviewItem, Transaction
from loyalty.queries import verification
from stores.queries import devices
from stores.queries.access import Credential
from stores.queries.devices import TERMINAL_COOKIE
from stores.services import pins, staff, terminals
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def world() -> World:
    return World.make(at=timezone.now() - timedelta(days=10), loyalty_type="hybrid", points_per_euro="10")


def ago(**by: float) -> str:
    return (timezone.now() - timedelta(**by)).isoformat()


def item(card: Card, at: str | datetime, key: str = "", **fields: Any) -> dict[str, Any]:
    when = at if isinstance(at, str) else at.isoformat()
    return {"key": key or f"k-{uuid7()}", "op": "stamp", "occurred_at": when, "card_id": str(card.pk), **fields}


def send(caller: Caller, *items: Any) -> list[dict[str, Any]]:
    answer = caller.post("terminal/batch", {"operations": list(items)})
    assert answer.status_code == 200, answer.content
    results = answer.json()["results"]
    assert all(set(result) == {"key", "status", "body"} for result in results)
    return list(results)


def codes(results: list[dict[str, Any]]) -> list[Any]:
    return [result["body"].get("code", result["status"]) for result in results]


def open_items(world: World) -> list[ReviewItem]:
    with tenancy.scope(world.merchant_id):
        return list(ReviewItem.objects.filter(state="open").order_by("id"))


def credential_of(caller: Caller) -> Credential:
    found = devices.terminal_credential(caller.client.cookies[TERMINAL_COOKIE].value)
    assert found is not None
    return found


def session(world: World, caller: Caller, staff_id: Any, at: datetime, *, version: int = 1) -> str:
    """A PIN session of the till, opened at an instant."""
    credential = credential_of(caller)
    token, _ends = pins.start_session(
        staff=pins.VerifiedStaff(staff_id, "Anna", version), merchant_id=world.merchant_id,
        subject=pins.Subject("terminal", credential.id), at=at,
    )  # fmt: skip
    return token


def till_with_pins(world: World) -> Caller:
    world.change(require_staff_pin=True)
    return Caller.terminal(world)


def test_it_works(world: World) -> None:
    card = world.card()

    results = send(
        Caller.of(world), item(card, ago(hours=2), "a", quantity=2),
        item(card, ago(hours=1), "b", op="points", purchase_amount_cents=1000, order_reference="R-1"),
    )  # fmt: skip

    assert [(result["key"], result["status"]) for result in results] == [("a", 201), ("b", 201)]
    assert results[0]["body"]["stamp_count"] == 2
    assert (results[1]["body"]["points_earned"], results[1]["body"]["stamp"]["given"]) == (100, True)
    rows = world.rows(card)
    assert rows[1].idempotency_key == "a"
    assert abs(rows[1].recorded_at - rows[1].occurred_at) > timedelta(minutes=119)
    world.assert_adds_up(card)
    assert open_items(world) == []


def test_an_empty_batch_is_fine(world: World) -> None:
    assert send(Caller.of(world)) == []


def test_several_items_for_one_card_keep_their_order(world: World) -> None:
    world.change(stamps_target=3)
    card = world.card()

    results = send(Caller.of(world), *[item(card, ago(hours=5 - step), f"k{step}") for step in range(4)])

    assert [result["body"]["stamp_count"] for result in results] == [1, 2, 0, 1]
    assert world.assert_adds_up(card).rewards_ready == 1


def test_rule_18_a_replayed_batch_answers_the_same(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    items = [item(card, ago(hours=3), "a"), item(card, ago(hours=2), "b", quantity=99), item(card, ago(hours=1), "c")]

    first, second = send(caller, *items), send(caller, *items)

    assert first == second
    assert world.assert_adds_up(card).stamp_count == 2


def test_rule_18_the_key_of_an_online_operation_is_the_same_key(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    online = caller.post("stamp", {"card_id": str(card.pk), "quantity": 2}, Idempotency_Key="online")

    [kept] = send(caller, item(card, ago(minutes=1), "online", quantity=2))

    assert (kept["status"], kept["body"]) == (201, online.json())
    later = caller.post("points", {"card_id": str(card.pk), "purchase_amount_cents": 500}, Idempotency_Key="x")
    [other] = send(caller, item(card, ago(minutes=1), "x"))
    assert later.status_code == 201
    assert (other["status"], other["body"]["code"]) == (422, "idempotency_key_reused")
    assert world.assert_adds_up(card).stamp_count == 3


def test_rule_18_a_batch_item_replays_online(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    [kept] = send(caller, item(card, ago(hours=1), "a", order_reference="R", op="points", purchase_amount_cents=500))

    body = {"card_id": str(card.pk), "purchase_amount_cents": 500, "order_reference": "R"}
    online = caller.post("points", body, Idempotency_Key="a")

    assert (online["Idempotent-Replay"], online.json()) == ("true", kept["body"])


def test_rule_18_nobody_is_asked_whether_twice_was_meant(world: World) -> None:
    card, till = world.card(), Caller.terminal(world)
    at = timezone.now() - timedelta(hours=1)

    results = send(till, item(card, at), item(card, at + timedelta(seconds=2)))

    assert codes(results) == [201, 201]


def test_rule_14_the_cooldown_is_that_of_the_instant(world: World) -> None:
    world.change(cooldown_minutes=15)
    card, at = world.card(), timezone.now() - timedelta(hours=5)

    results = send(
        Caller.of(world), item(card, at), item(card, at + timedelta(minutes=14)), item(card, at + timedelta(minutes=15))
    )

    assert codes(results) == [201, "cooldown_active", 201]
    assert [kept.code for kept in open_items(world)] == ["cooldown_active"]


@pytest.mark.parametrize(
    ("minutes", "expected"), [(-15, 201), (-14, "cooldown_active"), (14, "cooldown_active"), (15, 201)]
)
def test_rule_14_a_late_stamp_keeps_its_distance_on_both_sides(world: World, minutes: int, expected: Any) -> None:
    world.change(cooldown_minutes=15)
    card, at, caller = world.card(), timezone.now() - timedelta(hours=5), Caller.of(world)
    send(caller, item(card, at), item(card, at + timedelta(hours=4)))

    [late] = send(caller, item(card, at + timedelta(minutes=minutes)))

    assert late["body"].get("code", late["status"]) == expected
    after = world.assert_adds_up(card)
    assert after.last_stamp_at == at + timedelta(hours=4), "the newest stamp stays the newest"


def test_rule_15_a_late_arrival_counts_on_its_own_business_day(world: World) -> None:
    world.change(max_daily_stamps=2)
    card, caller = world.card(), Caller.of(world)
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    today, yesterday = noon - timedelta(days=1), noon - timedelta(days=2)
    assert codes(send(caller, item(card, yesterday), item(card, today), item(card, today))) == [201, 201, 201]

    late = send(caller, item(card, yesterday), item(card, yesterday), item(card, today))

    assert codes(late) == [201, "daily_limit_reached", "daily_limit_reached"]
    assert late[0]["body"]["stamps_today"] == 2
    after = world.assert_adds_up(card)
    assert (after.stamps_day, after.stamps_today) == (today.date(), 2)


def test_rule_15_a_voided_stamp_gives_its_place_on_an_earlier_day_back(world: World) -> None:
    world.change(max_daily_stamps=1)
    card, caller = world.card(), Caller.of(world)
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    first, _second = send(caller, item(card, noon - timedelta(days=2)), item(card, noon - timedelta(days=1)))
    world.change(void_window_minutes=10)
    world.at = noon - timedelta(days=2) + timedelta(minutes=5)
    world.void(first["body"]["transaction_id"])

    [late] = send(caller, item(card, noon - timedelta(days=2)))

    assert late["status"] == 201
    world.assert_adds_up(card)


def test_rule_15_a_shuffled_batch_never_breaks_limit_or_cooldown(world: World) -> None:
    """The property: whatever the order of arrival, the ledger keeps the distances and the days' limits."""
    world.change(max_daily_stamps=3, cooldown_minutes=20)
    caller, chance = Caller.of(world), random.Random(19)
    newest = timezone.now() - timedelta(minutes=1)
    for _round in range(4):
        card = world.card()
        items = [
            item(card, newest - timedelta(minutes=chance.randrange(0, 70 * 60)), quantity=chance.choice([1, 1, 2]))
            for _ in range(40)
        ]
        chance.shuffle(items)
        results = send(caller, *items[:20]) + send(caller, *items[20:])

        assert set(codes(results)) <= {201, "cooldown_active", "daily_limit_reached"}
        with tenancy.scope(world.merchant_id):
            given = list(Transaction.objects.filter(card=card, type="stamp_earned").order_by("occurred_at"))
        assert len(given) > 3
        gaps = [after.occurred_at - before.occurred_at for before, after in pairwise(given)]
        assert min(gaps) >= timedelta(minutes=20)
        days: dict[Any, int] = {}
        for row in given:
            days[row.business_date] = days.get(row.business_date, 0) + row.stamps_delta
        assert max(days.values()) <= 3
        after = world.assert_adds_up(card)
        assert after.last_stamp_at == given[-1].occurred_at
        assert after.stamps_today == days[after.stamps_day]
        assert after.stamps_day == max(days)
        assert after.last_activity_on == max(card.last_activity_on, *days)
    assert verification.verify().differences == ()


def test_rule_4_the_rules_are_those_of_the_instant(world: World) -> None:
    card, before = world.card(), timezone.now()
    world.change(status="paused")

    results = send(Caller.of(world), item(card, before), item(card, timezone.now()))

    assert codes(results) == [201, "program_not_active"]
    assert world.rows(card)[-1].program_version == 1


def test_rule_19_the_future_is_refused_beyond_two_minutes(world: World) -> None:
    card = world.card()

    results = send(Caller.of(world), item(card, ago(minutes=-1.9)), item(card, ago(minutes=-2.2)))

    assert codes(results) == [201, "occurred_at_invalid"]
    assert results[1]["status"] == 400
    assert open_items(world) == [], "the clock is to be put right, then it is sent again"


def test_rule_19_older_than_72_hours_is_kept_for_review(world: World) -> None:
    card = world.card()

    results = send(Caller.of(world), item(card, ago(hours=71.9)), item(card, ago(hours=72.1), "old", quantity=2))

    assert codes(results) == [201, "too_old"]
    assert results[1]["status"] == 409
    [kept] = open_items(world)
    assert (kept.key, kept.code, kept.op, kept.body) == (
        "old",
        "too_old",
        "stamp",
        {"card_id": str(card.pk), "quantity": 2},
    )
    assert (kept.card_id, kept.store_id) == (card.pk, world.store.pk)


def test_an_answered_item_is_answered_the_same_when_it_has_become_too_old(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    online = caller.post("stamp", {"card_id": str(card.pk)}, Idempotency_Key="k")

    [kept] = send(caller, item(card, ago(hours=80), "k"))

    assert (kept["status"], kept["body"]) == (201, online.json())


def test_rule_19_a_session_counts_when_it_was_good_at_the_instant(world: World) -> None:
    till, card = till_with_pins(world), world.card()
    staff_id, _proof = world.staff()
    opened = timezone.now() - timedelta(hours=20)
    token = session(world, till, staff_id, opened)

    results = send(
        till, item(card, opened + timedelta(minutes=14, seconds=59), staff_session=token),
        item(card, opened + timedelta(minutes=15, seconds=1), "over", staff_session=token),
        item(card, opened + timedelta(minutes=1), "none"),
        item(card, opened + timedelta(minutes=1), "bad", staff_session="nonsense"),
    )  # fmt: skip

    assert codes(results) == [201, "staff_pin_required", "staff_pin_required", "staff_pin_required"]
    assert [result["status"] for result in results[1:]] == [403] * 3
    assert world.rows(card)[-1].staff_pin_id == staff_id
    kept = {row.key: row for row in open_items(world)}
    assert set(kept) == {"over", "none", "bad"}
    assert (kept["over"].staff_pin_id, kept["bad"].staff_pin_id) == (staff_id, None)
    assert token not in str([row.body for row in kept.values()])


def test_a_session_of_another_till_is_none(world: World) -> None:
    till, other, card = till_with_pins(world), Caller.terminal(world), world.card()
    staff_id, _proof = world.staff()
    token = session(world, other, staff_id, timezone.now() - timedelta(minutes=5))

    assert codes(send(till, item(card, ago(minutes=1), staff_session=token))) == ["staff_pin_required"]


@pytest.mark.parametrize("change", ["revoke", "rotate"])
def test_rule_19_after_a_revocation_goes_to_review_before_it_is_accepted(world: World, change: str) -> None:
    till, card = till_with_pins(world), world.card()
    staff_id, _proof = world.staff()
    opened = timezone.now() - timedelta(hours=2)
    token = session(world, till, staff_id, opened)
    getattr(staff, change)(merchant_id=world.merchant_id, staff_id=staff_id, at=opened + timedelta(minutes=5))

    results = send(
        till, item(card, opened + timedelta(minutes=4, seconds=59), staff_session=token),
        item(card, opened + timedelta(minutes=5), "after", staff_session=token),
    )  # fmt: skip

    assert codes(results) == [201, "staff_pin_required"]
    assert world.rows(card)[-1].staff_pin_id == staff_id
    [kept] = open_items(world)
    assert (kept.key, kept.staff_pin_id) == ("after", staff_id)


def test_a_session_revoked_is_over_online_at_once(world: World) -> None:
    till, card = till_with_pins(world), world.card()
    staff_id, _proof = world.staff()
    token = session(world, till, staff_id, timezone.now())
    staff.revoke(merchant_id=world.merchant_id, staff_id=staff_id, at=timezone.now() + timedelta(minutes=1))

    assert_problem(till.post("stamp", {"card_id": str(card.pk), "staff_session": token}), 403, "staff_pin_required")


def test_rule_19_a_revoked_till_is_401_and_nothing_happens(world: World) -> None:
    till, card = Caller.terminal(world), world.card()
    terminals.revoke(
        merchant_id=world.merchant_id, terminal_id=credential_of(till).id, actor_id=world.owner.pk, at=timezone.now()
    )

    answer = till.post("terminal/batch", {"operations": [item(card, ago(hours=1))]})

    assert_problem(answer, 401, "not_authenticated")
    assert world.fresh(card).stamp_count == 0
    assert open_items(world) == []


def test_rule_21_pins_count_with_the_usual_limits_and_once_per_pin(world: World) -> None:
    till, card = till_with_pins(world), world.card()
    staff_id, _proof = world.staff(pin="482193")
    good = {"staff_id": str(staff_id), "staff_pin": "482193"}

    results = send(
        till, *[item(card, ago(hours=3 - step), **good) for step in range(3)],
        *[item(card, ago(minutes=30 - step), staff_pin="111222") for step in range(7)],
    )  # fmt: skip

    assert codes(results) == [201] * 3 + ["staff_pin_invalid"] * 7
    assert {result["body"]["attempts_remaining"] for result in results[3:]} == {4}, "the same PIN is one try"
    wrong = send(till, *[item(card, ago(minutes=20 - step), staff_pin=f"11122{step}") for step in range(3, 9)])
    assert codes(wrong) == ["staff_pin_invalid"] * 4 + ["staff_pin_locked"] * 2
    assert "482193" not in str([row.body for row in open_items(world)])
    assert "1112" not in str([(row.body, row.facts) for row in open_items(world)])


def test_a_failure_never_touches_its_neighbours(world: World) -> None:
    card, frozen, caller = world.card(), world.card(), Caller.of(world)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=frozen.pk).update(status="frozen")

    results = send(
        caller, item(card, ago(hours=3)), item(frozen, ago(hours=3)), {"key": "x"}, 12, None, "text", [],
        item(card, ago(hours=2), card_id=str(uuid7())), item(card, ago(hours=1)),
    )  # fmt: skip

    assert [result["status"] for result in results] == [201, 409, 400, 400, 400, 400, 400, 404, 201]
    assert [result["key"] for result in results][2:7] == ["x", None, None, None, None]
    assert world.assert_adds_up(card).stamp_count == 2
    assert sorted(kept.code for kept in open_items(world)) == ["card_not_active", "not_found"]


def test_a_late_sale_does_not_turn_the_card_back(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    caller.post("points", {"card_id": str(card.pk), "purchase_amount_cents": 500})
    before = world.fresh(card)

    send(caller, item(card, ago(hours=60), op="points", purchase_amount_cents=700))

    after = world.assert_adds_up(card)
    assert after.points_balance == 120
    assert (after.last_points_at, after.last_activity_on) == (before.last_points_at, before.last_activity_on)


def test_a_reward_earned_late_is_valid_from_its_arrival(world: World) -> None:
    world.change(stamps_target=1, stamps_reward_valid_days=1)
    card = world.card()

    send(Caller.of(world), item(card, ago(hours=70)))

    with tenancy.scope(world.merchant_id):
        reward = IssuedReward.objects.get(card=card)
    assert reward.expires_at is not None
    assert reward.expires_at > datetime.now(UTC) + timedelta(hours=20)
