"""The customer's own card and history over the API, and the public face of a program."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import tenancy
from customers.models import Customer
from loyalty import card_cookie, extensions
from loyalty.api.card_serializers import CardSerializer
from loyalty.models import Card, Reward
from loyalty.queries import access, card_faces
from merchants.models import MerchantSettings
from tests.support.world import World

pytestmark = pytest.mark.django_db
CARD = "/api/v1/storefront/loyalty/card"
TRANSACTIONS = "/api/v1/storefront/loyalty/transactions"
TRANSACTION_FIELDS = {
    "id", "type", "stamps_delta", "points_delta", "debt_delta", "stamps_after", "points_after",
    "purchase_amount_cents", "currency", "order_reference", "reward", "reverses", "reversed_by", "program_version",
    "store", "staff", "channel", "explanation", "idempotency_key", "occurred_at", "recorded_at",
}  # fmt: skip


def get(client: Client, url: str, card: Card, **headers: str) -> Any:
    return client.get(url, headers={"Authorization": f"Card {access.secret_of(card)}", **headers})


def test_it_works(client: Client) -> None:
    world = World.make()
    card = world.card(name="Marie")
    answer = world.stamp(card, 12)

    body = get(client, CARD, card).json()

    assert body["id"] == str(card.id)
    assert (body["stamp_count"], body["rewards_available"]) == (2, 1)
    (reward,) = body["rewards"]
    assert (reward["name"], reward["source"], reward["state"]) == ("Free coffee", "stamps", "issued")
    assert reward["issued_at"] is not None
    assert body["wallet"] == {
        "apple_devices": 0, "google_saved": False, "out_of_date_since": None, "google_url": None, "apple_url": None,
    }  # fmt: skip
    assert answer["rewards_available"] == body["rewards_available"]


def test_a_redeemed_reward_is_gone(client: Client) -> None:
    world = World.make()
    card = world.card()
    world.stamp(card, 10)
    world.redeem(card)

    assert get(client, CARD, card).json()["rewards"] == []


def test_an_expired_reward_is_not_offered(client: Client) -> None:
    world = World.make(stamps_reward_valid_days=1)
    card = world.card()
    world.stamp(card, 10)

    body = get(client, CARD, card).json()

    assert (body["rewards"], body["rewards_available"]) == ([], 0)


def test_points_show_what_they_afford_and_what_is_missing(client: Client) -> None:
    world = World.make(loyalty_type="points", points_per_euro="1/50")
    with tenancy.scope(world.merchant_id):
        for name, cost in (("Scarf", 5), ("Tote bag", 1)):
            Reward.objects.create(program=world.program, name=name, points_cost=cost)
        Reward.objects.create(program=world.program, name="Gone", points_cost=1, is_active=False)
    card = world.card()
    world.sale(card, 3000)
    assert get(client, CARD, card).json()["to_next_point_cents"] == 2000
    answer = world.sale(card, 2000)

    body = get(client, CARD, card).json()

    assert (body["points_balance"], body["to_next_point_cents"]) == (1, 5000)
    assert (body["stamps_target"], body["stamps_until_reward"]) == (None, None)
    assert [(reward["name"], reward["source"]) for reward in body["rewards"]] == [("Tote bag", "points")]
    assert body["rewards_available"] == answer["rewards_available"] == 1


def test_the_fewest_points_to_redeem_hold_back_cheaper_rewards(client: Client) -> None:
    world = World.make(loyalty_type="points", points_per_euro=1, minimum_redemption_points=50)
    with tenancy.scope(world.merchant_id):
        Reward.objects.create(program=world.program, name="Tote bag", points_cost=10)
    card = world.card()
    world.sale(card, 2000)

    assert get(client, CARD, card).json()["rewards_available"] == 0


def test_masks_who_holds_the_card_where_staff_only_recognise() -> None:
    world = World.make()
    card = world.card(name="Marie Klein", email="marie@example.com", phone="621 123 442")

    with tenancy.scope(world.merchant_id):
        face = card_faces.face(card.id, timezone.now())
        shown = CardSerializer(face, context={"masked": True}).data["customer"]

    assert (shown["name"], shown["email"], shown["phone"]) == ("M… K.", "m…@example.com", "••• 42")
    assert shown["id"] == str(card.customer_id)


@pytest.mark.parametrize("url", [CARD, TRANSACTIONS])
@pytest.mark.parametrize(
    "proof", ["", "Card", "Card nonsense", "Card  ", "Bearer lk_x", "Card \u00e9", f"Card {'x' * 5000}"]
)
def test_without_the_secret_there_is_nothing(client: Client, url: str, proof: str) -> None:
    response = client.get(url, headers={"Authorization": proof} if proof else {})

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("url", [CARD, TRANSACTIONS])
def test_the_code_of_the_card_is_not_its_secret(client: Client, url: str) -> None:
    world = World.make()
    card = world.card()

    assert client.get(url, headers={"Authorization": f"Card {card.qr_code_data}"}).status_code == 401
    assert client.get(url, headers={"Authorization": f"Card {card.access_hash}"}).status_code == 401


@pytest.mark.parametrize("url", [CARD, TRANSACTIONS])
def test_an_erased_customers_secret_is_dead(client: Client, url: str) -> None:
    world = World.make()
    card = world.card()
    with tenancy.scope(world.merchant_id):
        Customer.objects.update(erased_at=timezone.now())

    assert get(client, url, card).status_code == 401


def keep(client: Client, card: Card) -> None:
    from django.http import HttpResponse
    from django.test import RequestFactory

    response = HttpResponse()
    card_cookie.write(RequestFactory().get("/"), response, card.program_id, access.secret_of(card))
    client.cookies.update(response.cookies)


def test_a_browser_reads_by_its_cookie(client: Client) -> None:
    world = World.make()
    card = world.card()
    keep(client, card)

    assert client.get(CARD).json()["id"] == str(card.id)


def test_a_browser_with_cards_of_several_programs_names_the_store(client: Client) -> None:
    one, other, third = World.make(), World.make(), World.make()
    cards = [world.card() for world in (one, other)]
    for card in cards:
        keep(client, card)

    asked = client.get(CARD)
    found = client.get(CARD, {"store_code": other.store.code})

    assert (asked.status_code, asked.json()["code"]) == (400, "store_required")
    assert found.json()["id"] == str(cards[1].id)
    assert client.get(CARD, {"store_code": third.store.code}).status_code == 404
    assert client.get(CARD, {"store_code": "nowhere\x00"}).status_code == 404


def test_shows_the_history_with_its_reasons(client: Client) -> None:
    world = World.make(loyalty_type="hybrid", stamps_target=2)
    card = world.card()
    world.sale(card, 2340, key="sale-1", order_reference="A-7")
    answer = world.stamp(card)
    world.void(answer["transaction_id"])

    body = get(client, TRANSACTIONS, card, **{"Accept-Language": "en"}).json()

    assert (body["next"], body["previous"]) == (None, None)
    rows = body["results"]
    assert all(set(row) == TRANSACTION_FIELDS for row in rows)
    assert [row["type"] for row in rows] == [
        "void", "void", "reward_issued", "stamp_earned", "stamp_earned", "points_earned", "card_enrolled",
    ]  # fmt: skip
    void, sale = rows[1], rows[5]
    stamp = rows[3]
    assert (sale["explanation"], sale["points_delta"]) == ("23.40\u00a0€ × 10 = 234 points", 234)
    assert (sale["idempotency_key"], sale["order_reference"], sale["purchase_amount_cents"]) == ("sale-1", "A-7", 2340)
    assert sale["store"] == {"code": world.store.code, "name": "Gare"}
    assert stamp["id"] == answer["transaction_id"]
    assert stamp["idempotency_key"] is None
    reversals = {row["id"]: row for row in rows if row["type"] == "void"}
    assert reversals[stamp["reversed_by"]]["reverses"] == stamp["id"]
    assert reversals[stamp["reversed_by"]]["explanation"] == "Undone: 1 stamp"
    assert void["reversed_by"] is None


def test_says_the_reasons_in_the_callers_language_when_it_is_read(client: Client) -> None:
    world = World.make(loyalty_type="points", points_per_euro=10)
    card = world.card()
    world.sale(card, 2340)
    world.change(points_per_euro=1)

    texts = [
        get(client, TRANSACTIONS, card, **{"Accept-Language": language}).json()["results"][0]["explanation"]
        for language in ("en", "de")
    ]

    assert texts[0] == "23.40\u00a0€ × 10 = 234 points"
    assert texts[1].startswith("23,40\u00a0€ × 10 = 234")


def test_pages_by_cursor_and_never_repeats_a_row(client: Client) -> None:
    world = World.make()
    card = world.card()
    for _ in range(4):
        world.stamp(card)

    found, url = [], f"{TRANSACTIONS}?page_size=2"
    while url:
        body = get(client, url, card).json()
        found += [row["stamps_after"] for row in body["results"]]
        url = body["next"]

    assert found == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("query", ["page_size=0", "page_size=101", "page_size=x", "page_size=-1", "cursor=nonsense"])
def test_refuses_a_page_that_is_none(client: Client, query: str) -> None:
    world = World.make()

    response = get(client, f"{TRANSACTIONS}?{query}", world.card())

    assert (response.status_code, response.json()["code"]) == (400, "validation_error")


@pytest.mark.parametrize("stamps", [1, 3])
def test_a_page_of_history_costs_the_same_however_long_it_is(client: Client, stamps: int) -> None:
    world = World.make()
    card = world.card()
    for _ in range(stamps):
        world.void(world.stamp(card)["transaction_id"])

    with CaptureQueriesContext(connection) as queries:
        rows = get(client, TRANSACTIONS, card).json()["results"]

    assert len(rows) == 2 * stamps + 1
    assert len([query for query in queries if 'FROM "loyalty_' in query["sql"]]) == 4


@pytest.mark.parametrize("number", [1, 3])
def test_a_list_of_cards_costs_the_same_however_long_it_is(number: int) -> None:
    world = World.make(loyalty_type="hybrid")
    for _ in range(number):
        world.sale(world.card(), 1000)

    with tenancy.scope(world.merchant_id), CaptureQueriesContext(connection) as queries:
        shown = CardSerializer(card_faces.faces(card_faces.cards(), timezone.now()), many=True).data

    assert len(shown) == number
    assert len(queries) == 4


def test_another_app_answers_for_wallets(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World.make()
    card = world.card()
    # Only the registry's content is restored; what is registered is a real answer.
    monkeypatch.setattr(extensions, "_states", [])
    monkeypatch.setattr(extensions, "_links", [])
    state = extensions.WalletState(apple_devices=2, google_saved=True, out_of_date_since=None)
    extensions.register_wallets(
        states=lambda ids: dict.fromkeys(ids, state),
        links=lambda card: extensions.WalletLinks(google_url="https://pay.google.com/x", apple_url=f"/{card.pk}"),
    )

    wallet = get(client, CARD, card).json()["wallet"]

    assert wallet == {**state, "google_url": "https://pay.google.com/x", "apple_url": f"/{card.pk}"}


def program(client: Client, code: str) -> Any:
    return client.get(f"/api/v1/loyalty/programs/{code}", headers={"Accept-Language": "en"})


def test_shows_everyone_what_the_enrolment_page_needs(client: Client) -> None:
    world = World.make(loyalty_type="hybrid", points_per_euro="0.02", terms={"en": "Be kind."})
    with tenancy.scope(world.merchant_id):
        Reward.objects.create(program=world.program, name="Tote bag", points_cost=100)

    body = program(client, world.store.code).json()

    assert (body["loyalty_type"], body["stamps_target"], body["points_per_euro"]) == ("hybrid", 10, "1/50")
    assert body["merchant"]["name"] == "CoffeeLux"
    assert body["store"] == {"code": world.store.code, "name": "Gare"}
    assert body["terms"] == {"en": "Be kind."}
    assert [reward["name"] for reward in body["rewards"]] == ["Tote bag"]
    assert body["enrollment"]["open"] is True
    assert body["enrollment"]["url"].endswith(f"/loyalty/{world.store.code}/enroll")


def test_says_that_joining_is_closed(client: Client) -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(allow_self_enrollment=False)

    enrollment = program(client, world.store.code).json()["enrollment"]

    assert (enrollment["open"], enrollment["reason"]) == (False, "self_enrollment_off")
    assert enrollment["detail"] == "Ask at the till: the team makes your card."


@pytest.mark.parametrize("code", ["nowhere", "x" * 200, "a%00b", "%F0%9F%92%A9"])
def test_an_unknown_store_has_no_program(client: Client, code: str) -> None:
    assert program(client, code).status_code == 404
