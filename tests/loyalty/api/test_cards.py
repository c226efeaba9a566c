"""Cards over HTTP: the list, one card, its history."""

from datetime import timedelta
from typing import Any

import pytest

from core import tenancy
from loyalty.models import Card
from stores.models import Store
from tests.factories.loyalty import CardFactory
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

    with django_assert_num_queries(11):
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

    with django_assert_num_queries(9):
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


@pytest.mark.parametrize("who", ["terminal", "staff", "manager", "key"])
def test_tills_and_their_staff_see_customers_masked(world: World, who: str) -> None:
    card = world.card(name="Marie Klein", email="marie@example.com", phone="+352621123442")
    makers = {"terminal": Caller.terminal, "key": Caller.of}
    caller = makers[who](world) if who in makers else Caller.person(world, who)

    shown = [caller.get(f"cards/{card.pk}").json(), caller.get("cards?search=marie").json()["results"][0]]

    whole, masked = ("Marie Klein", "marie@example.com", "+352621123442"), ("M… K.", "m…@example.com", "••• 42")
    for found in shown:
        person = found["customer"]
        expected = masked if who in ("terminal", "staff") else whole
        assert (person["name"], person["email"], person["phone"]) == expected


def test_reading_needs_the_right_to_read(world: World) -> None:
    card, caller = world.card(), Caller.with_scopes(world, ["earn", "redeem", "manage"])

    for path in ("cards", f"cards/{card.pk}", f"cards/{card.pk}/transactions", "stats", "rewards"):
        assert_problem(caller.get(path), 403, "permission_denied")
    assert_problem(caller.post("cards/lookup", {"card_id": str(card.pk)}), 403, "permission_denied")
    assert_problem(caller.post("cards/lookup", {"nonsense": 1}), 403, "permission_denied")
