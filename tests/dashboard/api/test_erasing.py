"""Erasing a customer for them: over the merchant API, on the card's page; and what the figures say then (rule 24)."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from core import tenancy
from core.ids import uuid7
from core.models import AuditEntry, IdempotencyRecord
from customers.models import Customer
from dashboard.services import rollups
from loyalty.models import Card
from loyalty.queries import verification
from merchants.enums import Role
from tests.dashboard.conftest import Shop, furnish, open_shop, picture
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db
BASE = "/api/v1/merchant/customers"
MARIE: dict[str, Any] = {"name": "Marie Klein", "email": "marie@example.com", "phone": "+352621123456"}
WHY = "letter of 3 May"
YES = {"confirm": True, "reason": WHY}


@pytest.fixture
def world() -> World:
    return World.make(loyalty_type="hybrid", points_per_euro="10", stamps_target=2)


@pytest.fixture
def caller(world: World) -> Caller:
    return Caller.of(world)


@pytest.fixture
def shop(db: None) -> Shop:
    return furnish(open_shop(loyalty_type="hybrid", points_per_euro="1", stamps_target=10))


def path(card: Card) -> str:
    return f"{BASE}/{card.customer_id}/erase"


def fresh(world: World, card: Card) -> Customer:
    with tenancy.scope(world.merchant_id):
        return Customer.objects.get(pk=card.customer_id)


def notes(world: World) -> list[AuditEntry]:
    with tenancy.scope(world.merchant_id):
        return list(AuditEntry.objects.filter(action="customer_erased"))


def test_it_works(world: World, caller: Caller) -> None:
    card = world.card(**MARIE)
    world.stamp(card)

    answer = caller.post(path(card), YES)

    assert answer.status_code == 200
    who = fresh(world, card)
    assert answer.json()["id"] == str(who.pk)
    assert (answer.json()["records"], who.name, who.email) == (1, "", "")
    assert caller.get(f"{BASE}/{card.customer_id}").status_code == 404
    assert caller.get(BASE).json()["results"] == []
    (noted,) = notes(world)
    assert (noted.reason, noted.facts["by"]) == (WHY, "merchant")
    assert "arie" not in f"{noted.reason}{noted.facts}{noted.target}"
    assert verification.verify(world.merchant_id).differences == ()


def test_twice_is_once(world: World, caller: Caller) -> None:
    card = world.card(**MARIE)
    first = caller.post(path(card), YES).json()
    version = world.fresh(card).version

    again = caller.post(path(card), {"confirm": True, "reason": "once more"})

    assert (again.status_code, again.json()) == (200, first)
    assert len(notes(world)) == 1
    assert world.fresh(card).version == version


def test_the_same_key_is_answered_the_same_and_the_other_body_is_refused(world: World, caller: Caller) -> None:
    card = world.card(**MARIE)

    first, again = (caller.post(path(card), YES, Idempotency_Key="e1") for _ in range(2))

    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert ("Idempotent-Replay" in first, again["Idempotent-Replay"]) == (False, "true")
    other = caller.post(path(card), {**YES, "reason": "another letter"}, Idempotency_Key="e1")
    assert_problem(other, 422, "idempotency_key_reused")
    with tenancy.scope(world.merchant_id):
        assert "arie" not in IdempotencyRecord.objects.get(key="e1").body
    assert len(notes(world)) == 1


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"reason": WHY}, "confirm", "required"),
        ({"confirm": False, "reason": WHY}, "confirm", "required"),
        ({"confirm": "true", "reason": WHY}, "confirm", "invalid"),
        ({"confirm": True}, "reason", "required"),
        ({"confirm": True, "reason": ""}, "reason", "blank"),
        ({"confirm": True, "reason": "  x  "}, "reason", "required"),
        ({"confirm": True, "reason": 7}, "reason", "invalid"),
        ({"confirm": True, "reason": "x" * 301}, "reason", "max_length"),
        ({"confirm": True, "reason": "nul\x00byte"}, "reason", "null_characters_not_allowed"),
        ({"confirm": True, "reason": "marie@example.com wrote"}, "reason", "personal_data"),
        ({"confirm": True, "reason": "KLEIN, by phone"}, "reason", "personal_data"),
        ({"confirm": True, "reason": "from +352 621 123 456"}, "reason", "personal_data"),
        ({"confirm": True, "reason": "mail of marie"}, "reason", "personal_data"),
        ({**YES, "why": "x"}, "why", "unknown_field"),
    ],
)
def test_bad_bodies_are_refused(world: World, caller: Caller, body: Any, field: str, code: str) -> None:
    card = world.card(**MARIE)

    problem = assert_problem(caller.post(path(card), body), 400, "validation_error", field)

    assert problem["errors"][0]["code"] == code
    assert fresh(world, card).name == "Marie Klein"
    assert notes(world) == []


def test_another_merchants_customer_is_404_and_stays(caller: Caller) -> None:
    other = World.make()
    card = other.card(**MARIE)

    assert_problem(caller.post(path(card), YES), 404, "not_found")
    assert_problem(caller.post(path(card), {}), 404, "not_found")
    assert_problem(caller.post(f"{BASE}/{uuid7()}/erase", YES), 404, "not_found")

    assert fresh(other, card).name == "Marie Klein"


@pytest.mark.parametrize(("role", "status"), [(Role.OWNER, 200), (Role.MANAGER, 200), (Role.STAFF, 403)])
def test_who_may(world: World, role: str, status: int) -> None:
    card = world.card(**MARIE)

    answer = Caller.person(world, role).post(path(card), YES)

    assert answer.status_code == status
    assert (fresh(world, card).erased_at is not None) == (status == 200)
    if status == 200:
        assert notes(world)[0].actor_id is not None


def test_keys_without_the_right_and_tills_may_not(world: World) -> None:
    card = world.card(**MARIE)

    for nobody in (Caller.with_scopes(world, ["read", "earn", "redeem"]), Caller.terminal(world)):
        assert_problem(nobody.post(path(card), YES), 403, "permission_denied")
    assert fresh(world, card).name == "Marie Klein"


def test_the_card_page_offers_it_and_does_it(shop: Shop) -> None:
    card = shop.card(name="Tom Weber", email="tom@example.com")
    page, client = shop.page(f"cards/{card.pk}"), shop.client()

    assert f'href="{page}/erase"' in client.get(page).content.decode()
    assert "Tom Weber" in client.get(f"{page}/erase").content.decode()
    refused = [client.post(f"{page}/erase", {"reason": text}) for text in ("", "x", "Tom asked", "a" * 201)]
    done = client.post(f"{page}/erase", {"reason": WHY})

    assert [answer.status_code for answer in refused] == [400] * 4
    assert done.url == page
    after = client.get(page).content.decode()
    assert "Tom" not in after
    assert f"{page}/erase" not in after
    assert "Nothing here leads to a person any more" in after
    assert client.get(f"{page}/erase").status_code == 404
    assert verification.verify(shop.world.merchant_id).differences == ()


def test_the_page_of_another_merchant_is_404_and_changes_nothing(shop: Shop) -> None:
    other = furnish(open_shop())
    card = other.card(name="Paul")
    before = picture(other)

    for method in ("get", "post"):
        answer = getattr(shop.client(), method)(shop.page(f"cards/{card.pk}/erase"), {"reason": WHY})
        assert answer.status_code == 404

    assert picture(other) == before


def outstanding(world: World, caller: Caller) -> tuple[Any, ...]:
    day = timezone.now().date()
    figures = caller.get(f"/api/v1/merchant/analytics?from={day}&to={day}").json()["outstanding"]
    stats = caller.get("stats").json()
    return (
        figures["stamps"], figures["points"], figures["rewards_ready"] if "rewards_ready" in figures else
        figures["rewards"], stats["merchant"]["points_outstanding"], stats["store"]["points_outstanding"],
        stats["merchant"]["members"],
    )  # fmt: skip


def test_what_is_on_closed_cards_is_outstanding_no_more() -> None:
    with time_machine.travel(timezone.now().replace(hour=12), tick=False):
        world = World.make(at=timezone.now(), loyalty_type="hybrid", points_per_euro="10", stamps_target=2)
        caller = Caller.of(world)
        stays, goes = world.card(), world.card(**MARIE)
        for card, cents in ((stays, 1000), (goes, 500)):
            world.sale(card, cents)
            world.stamp(card, 2)
        rollups.refresh(merchant_id=world.merchant_id, at=world.at + timedelta(minutes=2))
        before = outstanding(world, caller)

        caller.post(path(goes), YES)

        after = outstanding(world, caller)
    assert before == (2, 150, 2, 150, 150, 2)
    assert after == (1, 100, 1, 100, 100, 1)
