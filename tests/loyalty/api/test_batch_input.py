"""What the terminal's batch refuses: bad items, bad batches, other merchants' cards, callers without the right."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core import tenancy
from merchants.models import MerchantSettings
from tests.loyalty.api.test_batch import ago, codes, item, open_items, send
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World.make(at=timezone.now() - timedelta(days=10), loyalty_type="hybrid", points_per_euro="10")


BAD = [
    ({"key": None}, "key"), ({"key": ""}, "key"), ({"key": "x" * 129}, "key"), ({"key": 12}, "key"),
    ({"key": "clé"}, "key"), ({"key": "a\nb"}, "key"),
    ({"op": "redeem"}, "op"), ({"op": None}, "op"), ({"op": ["stamp"]}, "op"), ({"op": {}}, "op"),
    ({"occurred_at": None}, "occurred_at"), ({"occurred_at": 1764000000}, "occurred_at"),
    ({"occurred_at": "yesterday"}, "occurred_at"), ({"occurred_at": "2026-11-21T09:30:00"}, "occurred_at"),
    ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
    ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at"),
    ({"occurred_at": "2026-13-41T09:30:00Z"}, "occurred_at"),
    ({"card_id": "x"}, "card_id"), ({"card_id": 5}, "card_id"), ({"card_number": "1"}, "card_id"),
    ({"quantity": 0}, "quantity"), ({"quantity": 51}, "quantity"), ({"quantity": 2**70}, "quantity"),
    ({"quantity": "1"}, "quantity"), ({"quantity": True}, "quantity"), ({"quantity": 1.5}, "quantity"),
    ({"staff_pin": 1234}, "staff_pin"), ({"staff_session": []}, "staff_session"), ({"staff_id": "x"}, "staff_id"),
    ({"purchase_amount_cents": 100}, "purchase_amount_cents"), ({"whatever": 1}, "whatever"),
    ({"op": "points"}, "purchase_amount_cents"),
    ({"op": "points", "purchase_amount_cents": -1}, "purchase_amount_cents"),
    ({"op": "points", "purchase_amount_cents": 10**9}, "purchase_amount_cents"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field"), BAD)
def test_a_bad_item_is_its_own_400(world: World, change: dict[str, Any], field: str) -> None:
    card = world.card()

    results = send(Caller.of(world), {**item(card, ago(hours=1)), **change}, item(card, ago(hours=1)))

    assert [result["status"] for result in results] == [400, 201], results
    assert results[0]["body"]["code"] == "validation_error"
    assert field in [error["field"] for error in results[0]["body"]["errors"]]
    assert world.fresh(card).stamp_count == 1


@pytest.mark.parametrize(
    "body",
    [
        {}, [], "x", None, {"operations": None}, {"operations": {}}, {"operations": "x"}, {"operations": 5},
        {"operations": [], "more": 1}, {"operations": [1] * 101},
    ],
)  # fmt: skip
def test_a_bad_batch_is_400_as_a_whole(world: World, body: Any) -> None:
    assert_problem(Caller.of(world).post("terminal/batch", body), 400, "validation_error")


@pytest.mark.parametrize("mark", ["\x00", "\ud800"])
@pytest.mark.parametrize("field", ["card_number", "order_reference", "staff_session", "key", "op", "whatever"])
def test_what_cannot_be_stored_refuses_its_own_item_only(world: World, field: str, mark: str) -> None:
    card, caller = world.card(), Caller.of(world)
    sale = item(card, ago(hours=1), op="points", purchase_amount_cents=500)

    results = send(caller, item(card, ago(hours=2)), {**sale, field: f"a{mark}b"}, item(card, ago(hours=1)))

    assert [result["status"] for result in results] == [201, 400, 201], results
    [error] = results[1]["body"]["errors"]
    assert (error["field"], error["code"]) == (field, "null_characters_not_allowed")
    assert world.fresh(card).stamp_count == 2
    assert open_items(world) == []


@pytest.mark.parametrize("odd", ["a\x00", "\ud800", ["\x00"], {"a\x00": 1}, {"key": {"b": "\x00"}}])
def test_an_odd_item_that_cannot_be_stored_is_its_own_400(world: World, odd: Any) -> None:
    card = world.card()

    results = send(Caller.of(world), odd, item(card, ago(hours=1)))

    assert [result["status"] for result in results] == [400, 201]


@pytest.mark.parametrize(
    "body",
    [{"operations": [], "more": "\x00"}, {"operations": "\x00"}, {"operations": [], "a\x00": 1}, ["\x00"], "\x00"],
)
def test_what_cannot_be_stored_beside_the_items_refuses_the_batch(world: World, body: Any) -> None:
    assert_problem(Caller.of(world).post("terminal/batch", body), 400, "validation_error")


def test_another_merchants_card_is_404_and_nothing_changes(world: World) -> None:
    other = World.make(at=world.at)
    foreign = other.card()

    results = send(
        Caller.of(world), item(foreign, ago(hours=1)),
        {"key": "n", "op": "stamp", "occurred_at": ago(hours=1), "card_number": foreign.card_number},
    )  # fmt: skip

    assert codes(results) == ["not_found", "not_found"]
    assert other.fresh(foreign).stamp_count == 0
    assert [kept.card_id for kept in open_items(world)] == [None, None]
    assert open_items(other) == []


def test_tenants_have_keys_of_their_own(world: World) -> None:
    other = World.make(at=world.at, loyalty_type="hybrid")
    mine, theirs = world.card(), other.card()

    assert codes(send(Caller.of(world), item(mine, ago(hours=1), "same"))) == [201]
    assert codes(send(Caller.of(other), item(theirs, ago(hours=1), "same"))) == [201]


def test_the_right_to_earn_is_needed(world: World) -> None:
    card = world.card()
    reader = Caller.with_scopes(world, ["read", "redeem"])

    assert_problem(reader.post("terminal/batch", {"operations": [item(card, ago(hours=1))]}), 403, "permission_denied")
    assert_problem(reader.post("terminal/batch", []), 403, "permission_denied")
    assert world.fresh(card).stamp_count == 0
    assert codes(send(Caller.with_scopes(world, ["earn"]), item(card, ago(hours=1)))) == [201]


def test_staff_policy_disabled_ignores_sessions(world: World) -> None:
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(staff_pin_policy="disabled")

    assert codes(send(Caller.of(world), item(world.card(), ago(hours=1), staff_session="old"))) == [201]
