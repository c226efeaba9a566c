"""GET /api/v1/merchant/analytics: the numbers, against a recount of the ledger in Python; who may ask, and how."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.renderers import JSONRenderer

from core import tenancy
from dashboard.api.analytics_serializers import AnalyticsSerializer
from dashboard.services import rollups
from loyalty.models import Card, Transaction
from loyalty.rules import timing
from stores.models import Store
from tests.factories.loyalty import RewardFactory
from tests.support.api import Caller, assert_problem
from tests.support.world import NOON, World

pytestmark = pytest.mark.django_db
PATH = "/api/v1/merchant/analytics"


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def ask(world: World, query: str = "", **headers: str) -> dict[str, Any]:
    rollups.refresh(merchant_id=world.merchant_id, at=datetime.now(UTC))
    answer = Caller.of(world).get(f"{PATH}{query}", **headers)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def lively(clock: Any, **rules: Any) -> World:
    """A merchant with two stores, people, voids, refunds and rewards over some weeks."""
    world = World.make(
        loyalty_type="hybrid", stamps_target=3, points_per_euro="2", at=NOON - timedelta(days=40), **rules
    )  # fmt: skip
    first = world.store
    with tenancy.scope(world.merchant_id):
        second = Store.objects.create(code=f"{first.code}-2", name="Kirchberg", time_zone="Asia/Tokyo")
        reward = RewardFactory(program=world.program, points_cost=30)
    _anna, proof = world.staff()
    clock.move_to(world.at)
    cards = [world.card() for _ in range(3)]
    for number in range(60):
        clock.move_to(world.tick(hours=17, minutes=number))
        world.store = second if number % 4 == 0 else first
        card = cards[number * number % 3 if number < 30 else number % 2]
        if number in (20, 35, 50):
            cards.append(world.card())
            card = cards[-1]
        staff = {"staff": proof} if number % 3 else {}
        sale = world.sale(card, 1000 + 37 * number, **staff)
        if number % 7 == 3:
            world.void(sale["transaction_id"])
        elif number % 5 == 2:
            world.refund(sale["transaction_id"], 500 if number % 2 else 1000 + 37 * number)
        if number % 6 == 5 and world.fresh(card).points_balance >= 30:
            world.spend(card, reward.pk)
        if world.fresh(card).rewards_ready and number % 2:
            world.redeem(card)
    world.store = first
    return world


class Recount:
    """The ledger counted in Python, by the words of the contract and not by the code's statements."""

    def __init__(self, world: World, first: Any, last: Any, store: Store | None = None) -> None:
        with tenancy.scope(world.merchant_id):
            rows = list(Transaction.objects.order_by("card_id", "seq").select_related("store"))
            self.balances = [(card.stamp_count, card.points_balance) for card in Card.objects.all()]
            self.ready = sum(card.rewards_ready for card in Card.objects.all())
        self.made = {row.card_id: row.business_date for row in rows if row.seq == 1}
        voided = {row.reverses_id for row in rows if row.type == "void"}
        self.refunds: dict[Any, list[Transaction]] = defaultdict(list)
        for row in rows:
            if row.type == "refund":
                self.refunds[row.reverses_id].append(row)
        live = [row for row in rows if row.pk not in voided and row.type not in ("void", "refund")]
        self.all = live
        self.rows = [
            row for row in live if first <= row.business_date <= last and (store is None or row.store_id == store.pk)
        ]  # fmt: skip
        self.first, self.last = first, last

    def of(self, *kinds: str) -> list[Transaction]:
        return [row for row in self.rows if row.type in kinds]

    def net(self, row: Transaction) -> int:
        return (row.purchase_amount_cents or 0) + sum(x.purchase_amount_cents or 0 for x in self.refunds[row.pk])

    def visits(self) -> list[Transaction]:
        found, days = [], set()
        for row in self.of("stamp_earned", "points_earned"):
            if row.line == 0:
                found.append(row)
                days.add((row.card_id, row.store_id, row.business_date))
        for row in self.of("stamp_redeemed", "points_redeemed"):
            place = (row.card_id, row.store_id, row.business_date)
            if row.line == 0 and place not in days:
                days.add(place)
                found.append(row)
        return found


@pytest.mark.parametrize("days", [(40, 0), (27, 0), (13, 6), (0, 0), (399, 0)])
@pytest.mark.parametrize("at_store", [False, True])
def test_it_equals_a_recount_of_the_ledger(days: tuple[int, int], at_store: bool, clock: Any) -> None:
    world = lively(clock)
    today = datetime.now(UTC).date()
    first, last = today - timedelta(days=days[0]), today - timedelta(days=days[1])
    store = world.store if at_store else None
    mine = Recount(world, first, last, store)

    body = ask(world, f"?from={first}&to={last}" + (f"&store={store.code}" if store else ""))

    totals, visits = body["totals"], mine.visits()
    earned = mine.of("points_earned", "welcome_bonus")
    taken = sum(-refund.points_delta for row in earned for refund in mine.refunds[row.pk])
    sales = [mine.net(row) for row in mine.of("points_earned") if mine.net(row) > 0]
    rewarded = mine.of("reward_issued"), mine.of("points_redeemed"), mine.of("stamp_redeemed")
    assert (body["from"], body["to"]) == (str(first), str(last))
    assert totals["visits"] == len(visits) == sum(body["visits_by_hour"]) == sum(body["visits_by_weekday"])
    assert totals["stamps_given"] == sum(row.stamps_delta for row in mine.of("stamp_earned"))
    assert totals["points_refunded"] == taken
    assert totals["points_issued"] == sum(row.points_delta for row in earned) - taken
    assert totals["points_redeemed"] == -sum(row.points_delta for row in rewarded[1])
    assert totals["rewards_issued"] == len(rewarded[0]) + len(rewarded[1])
    assert totals["rewards_redeemed"] == len(rewarded[2]) + len(rewarded[1])
    assert (totals["sales"], totals["sales_cents"]) == (len(sales), sum(sales))
    people = {row.card_id for row in visits}
    new = {card for card in people if first <= mine.made[card] <= last}
    assert (totals["customers"], totals["new_customers"]) == (len(people), len(new))
    assert body["active"] == totals["returning_customers"] + len(new)
    often = [sum(row.card_id == card for row in visits) for card in people]
    assert [step["customers"] for step in body["visit_frequency"]] == [
        sum(step["visits_from"] <= count <= (step["visits_to"] or count) for count in often)
        for step in body["visit_frequency"]
    ]
    by_day = {day["date"]: day["visits"] for day in body["by_day"]}
    assert len(by_day) == (last - first).days + 1
    assert {day: count for day, count in by_day.items() if count} == count_by(str(row.business_date) for row in visits)
    table = count_by(
        (row.business_date.weekday(), row.occurred_at.astimezone(timing.zone(row.store.time_zone)).hour)
        for row in visits
    )
    assert {
        (weekday, hour): count
        for weekday, hours in enumerate(body["visits_by_weekday_and_hour"])
        for hour, count in enumerate(hours)
        if count
    } == table
    assert {part["code"]: part["visits"] for part in body["by_store"] if part["visits"]} == count_by(
        row.store.code for row in visits
    )
    assert {part["id"]: part["visits"] for part in body["by_staff"] if part["visits"]} == count_by(
        str(row.staff_pin_id) if row.staff_pin_id else None for row in visits
    )
    if not at_store and last == today:
        out = body["outstanding"]
        assert (out["stamps"], out["points"]) == tuple(map(sum, zip(*mine.balances, strict=True)))
        assert out["rewards"] == mine.ready
        assert body["members"] == len(mine.made)
        assert body["time_to_first_reward"] == first_rewards(mine)


def first_rewards(mine: Recount) -> dict[str, Any]:
    """How long each card of the period waited for its first reward."""
    first: dict[Any, Any] = {}
    for row in mine.all:
        if row.type in ("reward_issued", "points_redeemed"):
            first.setdefault(row.card_id, row.business_date)
    waits = sorted(
        (day - mine.made[card]).days for card, day in first.items() if mine.first <= day <= mine.last
    )  # fmt: skip
    if not waits:
        return {"cards": 0, "average_days": None, "median_days": None}
    middle = (waits[(len(waits) - 1) // 2] + waits[len(waits) // 2]) / 2
    return {"cards": len(waits), "average_days": int(sum(waits) / len(waits) * 10 + 0.5) / 10, "median_days": middle}


def count_by(keys: Any) -> dict[Any, int]:
    found: dict[Any, int] = defaultdict(int)
    for key in keys:
        found[key] += 1
    return dict(found)


def test_a_small_period_in_full() -> None:
    world = World.make(loyalty_type="hybrid", stamps_target=2, points_per_euro="10")
    card, other = world.card(), world.card()
    world.sale(card, 2000)
    world.sale(card, 3000)
    world.sale(other, 1000)

    body = ask(world, "?from=2026-03-10&to=2026-03-10")

    assert body["totals"] == {
        "visits": 3, "new_cards": 2, "stamps_given": 3, "rewards_issued": 1, "rewards_redeemed": 0,
        "points_issued": 600, "points_redeemed": 0, "points_expired": 0, "points_refunded": 0, "sales": 3,
        "sales_cents": 6000, "average_spend_cents": 2000, "rewards_redemption_rate": 0.0,
        "points_redemption_rate": 0.0, "customers": 2, "new_customers": 2, "returning_customers": 0,
        "visits_per_customer": 1.5,
    }  # fmt: skip
    assert body["lifetime_value_cents"] == 3000
    assert (body["members"], body["active"], body["store"], body["currency"]) == (2, 2, None, "EUR")
    assert body["previous"]["from"] == body["previous"]["to"] == "2026-03-09"
    # 600 points at 10 a euro are behind 60 euros, of which a tenth; half a card and one reward of 20 euros each.
    assert body["outstanding"] == {
        "on": "2026-03-10", "stamps": 1, "points": 600, "points_debt": 0, "rewards": 1,
        "liability": {
            "estimated": True, "total_cents": 3600, "points_cents": 600, "stamps_cents": 1000, "rewards_cents": 2000,
        },
    }  # fmt: skip
    assert body["visits_by_hour"][13] == 3
    assert body["visits_by_weekday"] == [0, 3, 0, 0, 0, 0, 0]


def test_stamps_alone_have_no_estimate_in_money() -> None:
    world = World.make()
    world.stamp(world.card())

    body = ask(world)

    assert body["outstanding"]["liability"]["total_cents"] is None
    assert (body["totals"]["average_spend_cents"], body["lifetime_value_cents"]) == (None, 0)


def test_the_body_has_the_shape_that_the_document_says(clock: Any) -> None:
    body = ask(lively(clock))

    assert json.loads(JSONRenderer().render(AnalyticsSerializer(body).data)) == body


def test_a_merchant_without_anything() -> None:
    world = World.make()
    answer = Caller.of(world).get(PATH)  # never counted, too

    assert answer.status_code == 200
    assert (answer.json()["as_of"], answer.json()["members"]) == (None, 0)
    assert len(answer.json()["by_day"]) == 28


def test_what_is_outstanding_is_told_as_of_the_last_day(clock: Any) -> None:
    world = World.make(loyalty_type="points")
    card = world.card()
    world.sale(card, 1000)
    clock.move_to(world.tick(days=5))
    world.sale(card, 500)

    assert ask(world, "?from=2026-03-01&to=2026-03-12")["outstanding"]["points"] == 100
    assert ask(world, "?from=2026-03-01&to=2026-03-15")["outstanding"]["points"] == 150


def test_the_period_before_is_as_long(clock: Any) -> None:
    world = World.make()
    card = world.card()
    world.stamp(card, 2)
    clock.move_to(world.tick(days=7))
    world.stamp(card, 3)

    body = ask(world, "?from=2026-03-11&to=2026-03-17")

    assert (body["previous"]["from"], body["previous"]["to"]) == ("2026-03-04", "2026-03-10")
    assert (body["totals"]["stamps_given"], body["previous"]["stamps_given"]) == (3, 2)
    assert (body["totals"]["returning_customers"], body["previous"]["new_customers"]) == (1, 1)


def test_it_reads_rollups_only(clock: Any) -> None:
    world = lively(clock)
    ask(world)
    caller = Caller.of(world)

    with CaptureQueriesContext(connection) as log:
        assert caller.get(PATH).status_code == 200

    assert len(log.captured_queries) > 5
    touched = [query["sql"] for query in log.captured_queries if "loyalty_transaction" in query["sql"]]
    assert touched == []


@pytest.mark.parametrize("count", [1, 3])
def test_a_fixed_number_of_queries(count: int, django_assert_num_queries: Any) -> None:
    world = World.make()
    for _ in range(count):
        world.stamp(world.card())
    ask(world)

    with django_assert_num_queries(15):
        Caller.of(world).get(PATH)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"), ("to=2026-02-30", "to"), ("from=2026-3-1", "from"), ("to=20260310", "to"),
        ("from=2026-W11-2", "from"), ("from=2026-03-10T00:00:00Z", "from"), ("from=0001-01-01", "from"),
        ("to=9999-12-31", "to"), ("from=2026-03-11&to=2026-03-10", "from"), ("from=2025-01-01&to=2026-03-10", "from"),
        ("from=%00", "from"), ("from=" + "9" * 300, "from"), ("from=٢٠٢٦-03-10", "from"),
    ],
)  # fmt: skip
def test_bad_dates_are_refused(query: str, field: str) -> None:
    assert_problem(Caller.of(World.make()).get(f"{PATH}?{query}"), 400, "validation_error", field)


@pytest.mark.parametrize(
    ("query", "ends"),
    [
        ("", ("2026-02-11", "2026-03-10")),
        ("?from=2026-03-01", ("2026-03-01", "2026-03-10")),
        ("?to=2026-03-01", ("2026-02-02", "2026-03-01")),
        ("?from=2024-01-01", ("2024-01-01", "2025-02-03")),
        ("?from=2027-01-01", ("2027-01-01", "2027-01-01")),
        ("?from=2025-02-04&to=2026-03-10", ("2025-02-04", "2026-03-10")),
        ("?from=&to=", ("2026-02-11", "2026-03-10")),
    ],
)
def test_missing_dates_are_filled_in(query: str, ends: tuple[str, str]) -> None:
    body = Caller.of(World.make()).get(f"{PATH}{query}").json()

    assert (body["from"], body["to"]) == ends


@pytest.mark.parametrize("code", ["nowhere", "x" * 5000, "%00", "ä", "../.."])
def test_an_unknown_store_is_404(code: str) -> None:
    assert_problem(Caller.of(World.make()).get(f"{PATH}?store={code}"), 404, "not_found")


def test_another_merchants_store_is_404_and_its_numbers_stay_there() -> None:
    world, other = World.make(), World.make()
    other.stamp(other.card())
    ask(other)

    assert_problem(Caller.of(world).get(f"{PATH}?store={other.store.code}"), 404, "not_found")
    assert ask(world)["totals"]["visits"] == 0


def test_a_closed_store_keeps_its_past() -> None:
    world = World.make()
    world.stamp(world.card())
    with tenancy.scope(world.merchant_id):
        Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")
        Store.objects.filter(pk=world.store.pk).update(closed_at=NOON)

    assert ask(world, f"?store={world.store.code}")["totals"]["visits"] == 1


def test_a_key_of_one_store_sees_that_store() -> None:
    world = World.make()
    world.stamp(world.card())
    with tenancy.scope(world.merchant_id):
        second = Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")
    rollups.refresh(merchant_id=world.merchant_id, at=NOON)
    caller = Caller.with_scopes(world, ["read", "manage"], second)

    assert caller.get(PATH).json()["store"] == second.code
    assert caller.get(PATH).json()["totals"]["visits"] == 0
    assert_problem(caller.get(f"{PATH}?store={world.store.code}"), 403, "permission_denied")


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("manager", 200), ("staff", 403)])
def test_who_may_see_it(role: str, status: int) -> None:
    assert Caller.person(World.make(), role).get(PATH).status_code == status


def test_keys_without_the_right_and_tills_may_not() -> None:
    world = World.make()

    assert_problem(Caller.with_scopes(world, ["read", "earn", "redeem"]).get(PATH), 403, "permission_denied")
    assert_problem(Caller.terminal(world).get(PATH), 403, "permission_denied")
    assert_problem(Caller().get(PATH), 401, "not_authenticated")


def test_today_is_the_stores_business_day() -> None:
    world = World.make(at=datetime(2026, 3, 10, 1, 0, tzinfo=UTC))
    with tenancy.scope(world.merchant_id), time_machine.travel(world.at, tick=False):
        Store.objects.update(day_start=time(4, 0))
        body = Caller.of(world).get(f"{PATH}?store={world.store.code}").json()

    assert body["to"] == "2026-03-09"
