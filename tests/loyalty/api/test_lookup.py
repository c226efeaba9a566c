"""The look-up of a till over HTTP: by every reference, masked, with what can be done now and why not."""

from typing import Any

import pytest
import time_machine

from core import tenancy
from core.ids import uuid7
from loyalty.models import Card
from stores.models import Store
from tests.factories.loyalty import CardFactory, RewardFactory
from tests.support.api import Caller, assert_problem
from tests.support.world import NOON, World

pytestmark = pytest.mark.django_db
CARD = {
    "id", "card_number", "qr_code_data", "status", "program", "customer", "stamp_count", "stamps_target",
    "stamps_until_reward", "points_balance", "points_debt", "points_expire_on", "to_next_point_cents",
    "rewards_available", "rewards", "enrolled_at", "enrolled_store", "last_activity_at", "wallet",
}  # fmt: skip
TRANSACTION = {
    "id", "type", "stamps_delta", "points_delta", "debt_delta", "stamps_after", "points_after", "purchase_amount_cents",
    "currency", "order_reference", "reward", "reverses", "reversed_by", "program_version", "store", "staff", "channel",
    "explanation", "idempotency_key", "occurred_at", "recorded_at",
}  # fmt: skip


@pytest.fixture
def world() -> World:
    return World.make()


def make_cards(world: World, count: int, **values: Any) -> list[Card]:
    with tenancy.scope(world.merchant_id):
        return CardFactory.create_batch(count, program=world.program, enrolled_store=world.store, **values)


@pytest.mark.parametrize("form", ["qr_code", "address", "card_number", "grouped", "card_id"])
def test_lookup_by_each_reference_is_masked_and_says_what_can_be_done(world: World, form: str, settings: Any) -> None:
    card = world.card(name="Marie Klein", email="marie@example.com", phone="+352621123442")
    number = card.card_number
    body = {
        "qr_code": {"qr_code": card.qr_code_data},
        "address": {"qr_code": f"{settings.SITE_URL}/c/{card.qr_code_data}"},
        "card_number": {"card_number": number},
        "grouped": {"card_number": f"{number[:4]} {number[4:8]} {number[8:]}"},
        "card_id": {"card_id": str(card.pk)},
    }[form]

    answer = Caller.of(world).post("cards/lookup", body)

    assert answer.status_code == 200
    found = answer.json()
    assert set(found) == CARD | {"can"}
    assert (found["customer"]["name"], found["customer"]["email"], found["customer"]["phone"]) == (
        "M… K.", "m…@example.com", "••• 42",
    )  # fmt: skip
    assert found["can"] == {
        "stamp": {"allowed": True, "code": None, "at": None, "remaining_today": None},
        "earn_points": {"allowed": False, "code": "wrong_program_type", "at": None},
        "redeem": {"allowed": False, "code": "insufficient_stamps", "at": None},
    }


def can(world: World, card: Card, **headers: str) -> dict[str, Any]:
    answer = Caller.of(world).post("cards/lookup", {"card_id": str(card.pk)}, **headers)
    assert answer.status_code == 200, answer.content
    return dict(answer.json()["can"])


@time_machine.travel(NOON, tick=False)
def test_lookup_names_the_time_of_the_next_stamp(world: World) -> None:
    world.change(cooldown_minutes=15)
    card = world.card()
    world.stamp(card)

    assert can(world, card)["stamp"] == {
        "allowed": False, "code": "cooldown_active", "at": "2026-03-10T12:15:00Z", "remaining_today": None,
    }  # fmt: skip


@time_machine.travel(NOON, tick=False)
def test_lookup_names_the_end_of_the_day(world: World) -> None:
    world.change(max_daily_stamps=1)
    card = world.card()
    world.stamp(card)

    assert can(world, card)["stamp"] == {
        "allowed": False, "code": "daily_limit_reached", "at": "2026-03-10T23:00:00Z", "remaining_today": 0,
    }  # fmt: skip


@time_machine.travel(NOON, tick=False)
def test_lookup_says_how_many_stamps_the_day_still_allows(world: World) -> None:
    world.change(max_daily_stamps=3)
    card = world.card()
    for left in (3, 2, 1):
        found = can(world, card)
        assert (found["stamp"]["allowed"], found["stamp"]["remaining_today"]) == (True, left)
        assert "remaining_today" not in found["earn_points"] | found["redeem"]
        world.stamp(card)

    assert can(world, card)["stamp"]["remaining_today"] == 0


def test_lookup_says_when_a_stamp_reward_is_ready(world: World) -> None:
    card = world.card()
    world.stamp(card, 10)

    assert can(world, card)["redeem"] == {"allowed": True, "code": None, "at": None}


def test_lookup_says_which_points_can_be_spent() -> None:
    world = World.make(loyalty_type="points")
    card = world.card()
    assert can(world, card)["redeem"]["code"] == "insufficient_points"
    with tenancy.scope(world.merchant_id):
        RewardFactory(program=world.program, points_cost=250)
        RewardFactory(program=world.program, points_cost=100)
    assert can(world, card)["redeem"]["code"] == "insufficient_points"

    world.sale(card, 1000)

    found = can(world, card)
    assert found["redeem"]["allowed"] is True
    assert found["earn_points"]["allowed"] is True
    assert found["stamp"]["code"] == "wrong_program_type"


def test_lookup_of_a_hybrid_card_with_points_only() -> None:
    world = World.make(loyalty_type="hybrid")
    card = world.card()
    with tenancy.scope(world.merchant_id):
        RewardFactory(program=world.program, points_cost=100)
    assert can(world, card)["redeem"]["code"] == "insufficient_stamps"

    world.sale(card, 1000)

    assert can(world, card)["redeem"]["allowed"] is True


def test_lookup_while_the_program_pauses(world: World) -> None:
    card = world.card()
    world.stamp(card, 10)
    world.change(status="paused")

    found = can(world, card)

    assert found["stamp"]["code"] == "program_not_active"
    assert found["redeem"]["allowed"] is True


def test_lookup_of_a_frozen_card(world: World) -> None:
    [card] = make_cards(world, 1, status="frozen")

    assert {answer["code"] for answer in can(world, card).values()} == {"card_not_active"}


def test_lookup_at_a_store_of_another_program(world: World) -> None:
    card = world.card()
    with tenancy.scope(world.merchant_id):
        store = Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")
    Caller.of(world).post("program", {"name": "Other", "loyalty_type": "stamps"}, X_Store_Code=store.code)

    found = can(world, card, X_Store_Code=store.code)

    assert {answer["code"] for answer in found.values()} == {"store_not_in_program"}


def test_lookup_follows_a_merged_card(world: World) -> None:
    new = world.card()
    [old] = make_cards(world, 1, status="merged", merged_into=new)

    assert Caller.of(world).post("cards/lookup", {"qr_code": old.qr_code_data}).json()["id"] == str(new.pk)


def test_lookup_writes_nothing(world: World) -> None:
    card = world.card()

    can(world, card)

    assert world.assert_adds_up(card).seq == 1


def test_lookup_by_query_masks_and_stops_at_twenty(world: World) -> None:
    make_cards(world, 22)
    caller = Caller.of(world)

    body = caller.post("cards/lookup", {"query": "marie"}).json()

    assert set(body) == {"results"}
    assert len(body["results"]) == 20
    assert {row["customer"]["name"][:2] for row in body["results"]} == {"M…"}
    assert caller.post("cards/lookup", {"query": "nobody"}).json() == {"results": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "non_field_errors"),
        ({"qr_code": "a", "card_number": "b"}, "non_field_errors"),
        ({"qr_code": ""}, "qr_code"),
        ({"qr_code": None}, "qr_code"),
        ({"qr_code": 5}, "qr_code"),
        ({"qr_code": "x" * 501}, "qr_code"),
        ({"card_number": ["1"]}, "card_number"),
        ({"card_id": "not-an-id"}, "card_id"),
        ({"query": "\0"}, "query"),
        ({"query": "  "}, "query"),
        ({"card": "x"}, "card"),
        ("[]", "non_field_errors"),
    ],
)
def test_bad_lookups_name_the_field(world: World, body: Any, field: str) -> None:
    assert_problem(Caller.of(world).post("cards/lookup", body), 400, "validation_error", field)


@pytest.mark.parametrize(
    "body",
    [{"qr_code": "unknown"}, {"qr_code": "http://[::1/c/x"}, {"card_number": "123"}, {"card_id": str(uuid7())}],
)
def test_unknown_cards_are_not_found(world: World, body: Any) -> None:
    assert_problem(Caller.of(world).post("cards/lookup", body), 404, "not_found")


def test_looking_up_is_reading_and_speaks_of_the_card(world: World) -> None:
    card, caller = world.card(), Caller.with_scopes(world, ["read"])

    assert caller.post("cards/lookup", {"card_id": str(card.pk)}).json()["can"] == can(world, card)


def test_lookup_needs_a_store(world: World) -> None:
    with tenancy.scope(world.merchant_id):
        Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")
    card, caller = world.card(), Caller.of(world)

    assert_problem(caller.post("cards/lookup", {"card_id": str(card.pk)}), 400, "store_required")
    assert caller.get(f"cards/{card.pk}").status_code == 200
