"""Cards over HTTP: the list, one card, its history, the look-up of a till, the figures."""

from datetime import timedelta
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
    "stamps_until_reward", "points_balance", "points_debt", "to_next_point_cents", "rewards_available", "rewards",
    "enrolled_at", "enrolled_store", "last_activity_at", "wallet",
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


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_it_works(world: World) -> None:
    card = world.card(name="Marie Klein", email="marie@example.com")
    world.stamp(card, 3)

    body = Caller.of(world).get(f"cards/{card.pk}").json()

    assert set(body) == CARD
    assert (body["stamp_count"], body["stamps_until_reward"], body["rewards_available"]) == (3, 7, 0)
    assert body["customer"]["name"] == "Marie Klein"
    assert body["program"] == {"id": str(world.program.pk), "name": "CoffeeLux", "loyalty_type": "stamps"}


@pytest.mark.parametrize("count", [1, 3])
def test_list_costs_the_same_for_one_and_for_three(world: World, count: int, django_assert_num_queries: Any) -> None:
    made, caller = make_cards(world, count), Caller.of(world)
    caller.get("cards")

    with django_assert_num_queries(8):
        answer = caller.get("cards")

    assert set(ids(answer)) == {str(card.pk) for card in made}
    assert set(answer.json()["results"][0]) == CARD


def test_list_shows_those_used_last_first_and_pages_through_equal_days(world: World) -> None:
    old = make_cards(world, 1, last_activity_on=NOON.date() - timedelta(days=1))
    same_day = make_cards(world, 5)
    wanted = [str(card.pk) for card in [*reversed(same_day), *old]]
    caller, found, address = Caller.of(world), [], "cards?page_size=2"

    while address:
        page = caller.get(address)
        found.append(ids(page))
        address = page.json()["next"]

    assert found == [wanted[:2], wanted[2:4], wanted[4:]]
    assert ids(caller.get(page.json()["previous"])) == wanted[2:4]


@pytest.mark.parametrize(
    ("ordering", "order"),
    [
        ("-last_activity_at", [2, 1, 0]), ("last_activity_at", [0, 1, 2]), ("-enrolled_at", [0, 1, 2]),
        ("enrolled_at", [2, 1, 0]), ("card_number", [1, 2, 0]), ("-card_number", [0, 2, 1]),
    ],
)  # fmt: skip
def test_list_in_each_order(world: World, ordering: str, order: list[int]) -> None:
    day = timedelta(days=1)
    made = [
        make_cards(
            world, 1, card_number=number, enrolled_at=NOON - index * day, last_activity_on=NOON.date() + index * day
        )[0]
        for index, number in enumerate(["300000000000", "100000000000", "200000000000"])
    ]  # fmt: skip
    caller = Caller.of(world)

    first = caller.get(f"cards?ordering={ordering}&page_size=2")

    assert ids(first) + ids(caller.get(first.json()["next"])) == [str(made[index].pk) for index in order]


def test_search_finds_by_name_number_address_and_phone(world: World) -> None:
    marie = world.card(name="Marie Klein", email="Marie@Example.com", phone="+352 621 123 442")
    maria = world.card(name="Maria Lopes")
    caller = Caller.of(world)

    found = {
        text: ids(caller.get(f"cards?search={text}"))
        for text in ("mari", "MARIE K", "marie@example.com", "marie@", marie.card_number[:6], marie.card_number,
                     "621123442", "%2B352 621 123 442", "klein", "x", "000", "%25", "_")
    }  # fmt: skip

    assert set(found["mari"]) == {str(marie.pk), str(maria.pk)}
    for text in ("MARIE K", "marie@example.com", marie.card_number, "621123442", "%2B352 621 123 442"):
        assert found[text] == [str(marie.pk)], text
    assert str(marie.pk) in found[marie.card_number[:6]]
    for text in ("marie@", "klein", "x", "000", "%25", "_"):
        assert found[text] == [], text


def test_list_filters_by_status_and_store(world: World) -> None:
    with tenancy.scope(world.merchant_id):
        second = Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")
        there = CardFactory(program=world.program, enrolled_store=second)
        frozen = CardFactory(program=world.program, enrolled_store=world.store, status="frozen")
        CardFactory(program=world.program, enrolled_store=world.store, status="merged")
    caller = Caller.of(world)

    assert ids(caller.get(f"cards?store={second.code}")) == [str(there.pk)]
    assert ids(caller.get("cards?status=frozen")) == [str(frozen.pk)]
    assert set(ids(caller.get("cards"))) == {str(there.pk), str(frozen.pk)}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=happy", "status"), ("ordering=name", "ordering"), ("page_size=0", "page_size"),
        ("page_size=101", "page_size"), ("page_size=ten", "page_size"), ("cursor=nonsense", "cursor"),
        ("cursor=WzAsIjIwMjYtMDMtMTAiXQ", "cursor"), ("cursor=WzUsIjIwMjYiLCJ4Il0", "cursor"), ("cursor=W10", "cursor"),
        ("cursor=", "cursor"), ("search=%00", "search"), ("search=" + "x" * 255, "search"), ("store=%00", "store"),
    ],
)  # fmt: skip
def test_bad_parameters_are_named(world: World, query: str, field: str) -> None:
    assert_problem(Caller.of(world).get(f"cards?{query}"), 400, "validation_error", field)


@pytest.mark.parametrize("count", [1, 3])
def test_history_costs_the_same_for_one_and_for_three(
    world: World, count: int, django_assert_num_queries: Any
) -> None:  # fmt: skip
    card, caller = world.card(), Caller.of(world)
    for _ in range(count - 1):
        world.stamp(card)
    caller.get(f"cards/{card.pk}")

    with django_assert_num_queries(10):
        answer = caller.get(f"cards/{card.pk}/transactions")

    assert len(ids(answer)) == count
    assert set(answer.json()["results"][0]) == TRANSACTION


def test_history_names_what_reverses_what_and_pages(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    given = world.stamp(card, key="till-7")
    undone = world.void(given["transaction_id"])

    first = caller.get(f"cards/{card.pk}/transactions?page_size=2")
    void, stamp = first.json()["results"]

    assert (void["type"], void["reverses"], void["id"]) == (
        "void",
        str(given["transaction_id"]),
        undone["transaction_id"],
    )
    assert (stamp["id"], stamp["reversed_by"], stamp["idempotency_key"]) == (
        given["transaction_id"], undone["transaction_id"], "till-7",
    )  # fmt: skip
    [made] = caller.get(first.json()["next"]).json()["results"]
    assert (made["type"], made["reversed_by"]) == ("card_enrolled", None)


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
        "stamp": {"allowed": True, "code": None, "at": None},
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

    assert can(world, card)["stamp"] == {"allowed": False, "code": "cooldown_active", "at": "2026-03-10T12:15:00Z"}


@time_machine.travel(NOON, tick=False)
def test_lookup_names_the_end_of_the_day(world: World) -> None:
    world.change(max_daily_stamps=1)
    card = world.card()
    world.stamp(card)

    assert can(world, card)["stamp"] == {"allowed": False, "code": "daily_limit_reached", "at": "2026-03-10T23:00:00Z"}


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


def test_another_tenants_cards_are_nowhere(world: World) -> None:
    other = World.make()
    card = other.card(name="Canary Bird", email="canary@example.com")
    other.stamp(card)
    caller = Caller.of(world)

    for path in (f"cards/{card.pk}", f"cards/{card.pk}/transactions", f"cards?store={other.store.code}"):
        assert_problem(caller.get(path), 404, "not_found")
    for body in ({"qr_code": card.qr_code_data}, {"card_number": card.card_number}, {"card_id": str(card.pk)}):
        assert_problem(caller.post("cards/lookup", body), 404, "not_found")
    for text in ("canary", "canary@example.com", card.card_number):
        assert caller.post("cards/lookup", {"query": text}).json() == {"results": []}
        assert ids(caller.get(f"cards?search={text}")) == []

    assert other.assert_adds_up(card).stamp_count == 1


def test_reading_needs_the_right_to_read(world: World) -> None:
    card, caller = world.card(), Caller.with_scopes(world, ["earn", "redeem", "manage"])

    for path in ("cards", f"cards/{card.pk}", f"cards/{card.pk}/transactions", "stats", "rewards"):
        assert_problem(caller.get(path), 403, "permission_denied")
    assert_problem(caller.post("cards/lookup", {"card_id": str(card.pk)}), 403, "permission_denied")
    assert_problem(caller.post("cards/lookup", {"nonsense": 1}), 403, "permission_denied")


def test_looking_up_is_reading_and_speaks_of_the_card(world: World) -> None:
    card, caller = world.card(), Caller.with_scopes(world, ["read"])

    assert caller.post("cards/lookup", {"card_id": str(card.pk)}).json()["can"] == can(world, card)


def test_lookup_needs_a_store(world: World) -> None:
    with tenancy.scope(world.merchant_id):
        Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")
    card, caller = world.card(), Caller.of(world)

    assert_problem(caller.post("cards/lookup", {"card_id": str(card.pk)}), 400, "store_required")
    assert caller.get(f"cards/{card.pk}").status_code == 200
