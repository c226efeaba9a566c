"""The life of a program (rule 4), and of a merchant who is late or suspended (rule 5), with time moved."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.errors import DomainError, ValidationFailed
from loyalty.models import Card, Program, ProgramVersion, Reward
from loyalty.queries import verification
from loyalty.queries.hot import CardRef
from loyalty.rules import expiry
from loyalty.services import cards, lookups, points, programs, stamps
from loyalty.services.cards import EnrollmentClosed
from loyalty.services.operations import MerchantSuspended, ProgramNotActive
from merchants.models import Merchant, MerchantSettings
from tests.support.api import Caller, assert_problem
from tests.support.world import NOON, World

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


def today() -> date:
    """The merchant's date, which is tomorrow's for an hour or two of each evening of UTC."""
    return expiry.local_date(timezone.now(), "Europe/Luxembourg")


def update(world: World, **data: Any) -> programs.Changed:
    return programs.update(
        merchant_id=world.merchant_id, program_id=world.program.pk, data=data, user_id=None, at=world.at
    )


def end(world: World, **data: Any) -> Program:
    update(world, status="paused")
    return update(world, status="ended", **data).program


def code(refused: pytest.ExceptionInfo[ValidationFailed]) -> str:
    return refused.value.errors["ends_on"][0][0]


# --- rule 4


def test_rule_4_an_end_without_a_day_runs_off_in_thirty_days() -> None:
    world = World.make()
    update(world, status="paused")

    changed = update(world, status="ended")

    assert changed.program.ends_on == TODAY + timedelta(days=30)
    assert [(effect.field, effect.old, effect.new, effect.applies_to) for effect in changed.effects] == [
        ("status", "paused", "ended", "now"), ("ends_on", None, "2026-04-09", "now"),
    ]  # fmt: skip
    with tenancy.scope(world.merchant_id):
        assert ProgramVersion.objects.get(number=3).rules["ends_on"] == "2026-04-09"


def test_rule_4_the_day_of_the_end_is_the_merchants() -> None:
    world = World.make(at=datetime(2026, 3, 10, 12, 0, tzinfo=UTC))
    with tenancy.scope(world.merchant_id):
        Merchant.objects.update(time_zone="Pacific/Auckland")
    assert end(world).ends_on == date(2026, 4, 10)


@pytest.mark.parametrize(
    ("day", "problem"),
    [("2026-03-09", "in_the_past"), ("1999-01-01", "in_the_past"), ("2036-04-01", "max_value"), ("soon", "invalid"),
     (7, "invalid"), ("", "invalid"), (True, "invalid"), ("2026-02-30", "invalid"), ("\x00", "invalid"),
     ("9" * 400, "invalid")],
)  # fmt: skip
def test_rule_4_a_last_day_that_cannot_be_is_refused(day: Any, problem: str) -> None:
    world = World.make()
    update(world, status="paused")
    with pytest.raises(ValidationFailed) as refused:
        update(world, status="ended", ends_on=day)
    assert code(refused) == problem
    with tenancy.scope(world.merchant_id):
        assert Program.objects.get().status == "paused"


def test_rule_4_the_last_day_may_move_but_not_vanish() -> None:
    world = World.make()
    end(world, ends_on="2026-03-10")
    assert update(world, ends_on="2026-12-31").program.ends_on == date(2026, 12, 31)
    with pytest.raises(ValidationFailed) as refused:
        update(world, ends_on=None)
    assert code(refused) == "required"
    world.tick(days=400)
    # The same past day again is no change, and no mistake.
    assert update(world, ends_on="2026-12-31").effects == ()


def test_rule_4_a_day_planned_long_ago_does_not_end_a_program_in_the_past() -> None:
    world = World.make()
    update(world, ends_on="2026-03-20")
    world.tick(days=30)
    assert end(world).ends_on == date(2026, 5, 9)


def test_rule_4_a_new_program_does_not_end_in_the_past() -> None:
    world = World.make()
    with pytest.raises(ValidationFailed) as refused:
        World.make(ends_on="2026-03-09")
    assert code(refused) == "in_the_past"
    assert verification.verify(world.merchant_id).differences == ()


def test_rule_4_pause_stops_earning_and_joining_and_redeeming_goes_on() -> None:
    world = World.make(stamps_target=2)
    card = world.card()
    world.stamp(card, 2)
    update(world, status="paused")
    with pytest.raises(ProgramNotActive):
        world.stamp(card)
    with pytest.raises(EnrollmentClosed) as refused:
        world.card()
    assert refused.value.facts["reason"] == "program_not_active"
    assert world.redeem(card)["stamps_redeemed"] == 2
    update(world, status="active")
    world.stamp(card)
    assert verification.verify(world.merchant_id).differences == ()


def test_rule_4_the_end_lets_redeem_through_the_last_day_and_not_after() -> None:
    world = World.make(loyalty_type="hybrid", stamps_target=2, points_per_euro="1")
    with tenancy.scope(world.merchant_id):
        voucher = Reward.objects.create(program=world.program, name="Voucher", points_cost=10).pk
    card = world.card()
    for _ in range(4):
        world.sale(card, 1_000)
    end(world, ends_on="2026-03-12")
    with pytest.raises(ProgramNotActive):
        world.sale(card, 1_000)
    world.at = datetime(2026, 3, 12, 22, 59, 59, tzinfo=UTC)
    world.redeem(card)
    world.spend(card, voucher)
    world.tick(seconds=1)
    for refused in (lambda: world.redeem(card), lambda: world.spend(card, voucher)):
        with pytest.raises(ProgramNotActive):
            refused()
    # What is left stays as it was.
    assert (world.fresh(card).points_balance, world.fresh(card).rewards_ready) == (30, 1)
    assert verification.verify(world.merchant_id).differences == ()


def test_rule_4_a_running_card_keeps_its_target() -> None:
    world = World.make(stamps_target=3)
    card = world.card()
    world.stamp(card)
    changed = update(world, stamps_target=5)
    assert [effect.applies_to for effect in changed.effects] == ["new_cycles"]
    done = world.stamp(card, 2)
    assert (done["reward_earned"], done["stamps_target"]) == (True, 5)
    assert [row.program_version for row in world.rows(card)] == [1, 1, 2, 2]


@pytest.mark.parametrize("status", ["paused", "ended"])
def test_rule_4_the_customer_sees_that_it_rests_and_until_when(status: str) -> None:
    world = World.make(at=timezone.now())
    client, card = holder(world)
    update(world, status="paused")
    if status == "ended":
        update(world, status="ended", ends_on=(today() + timedelta(days=9)).isoformat())
    page = client.get(f"/loyalty/{world.store.code}/dashboard").content.decode()
    assert ("Your rewards stay" in page) is (status == "paused")
    assert ("Collect your rewards until" in page) is (status == "ended")
    assert client.get(f"/loyalty/{world.store.code}/dashboard").status_code == 200
    stranger = Client(headers={"Accept-Language": "en"}).get(f"/loyalty/{world.store.code}/enroll")
    assert (stranger.status_code, b"<form" in _main(stranger.content)) == (200, False)
    answer = Caller().post("/api/v1/storefront/loyalty/enroll", {"store_code": world.store.code})
    assert_problem(answer, 409, "enrollment_closed")
    assert world.fresh(card).status == "active"


def test_the_customer_sees_which_points_expire_soon() -> None:
    world = World.make(at=timezone.now(), loyalty_type="points", points_per_euro="1", points_expiration_days=100)
    client, card = holder(world)
    world.sale(card, 2_500)
    page = client.get(f"/loyalty/{world.store.code}/dashboard").content.decode()
    assert "valid until" not in page
    with tenancy.scope(world.merchant_id):
        Card.objects.update(last_activity_on=today() - timedelta(days=80))
    page = client.get(f"/loyalty/{world.store.code}/dashboard").content.decode()
    assert "Your 25 points are valid until" in page
    shown = client.get("/api/v1/storefront/loyalty/card", {"store_code": world.store.code}).json()
    assert shown["points_expire_on"] == (world.fresh(card).last_activity_on + timedelta(days=100)).isoformat()


def holder(world: World) -> tuple[Client, Card]:
    """A browser that holds a card."""
    client = Client(headers={"Accept-Language": "en"})
    assert client.post(f"/loyalty/{world.store.code}/enroll", {"language": "en"}).status_code == 303
    with tenancy.scope(world.merchant_id):
        return client, Card.objects.get()


def _main(page: bytes) -> bytes:
    return page.split(b"<main")[1].split(b"</main>")[0]


def test_rule_4_over_the_api() -> None:
    world = World.make()
    caller = Caller.of(world)
    assert_problem(caller.patch("program", {"status": "ended"}), 409, "status_change_refused")
    assert caller.patch("program", {"status": "paused"}).status_code == 200
    yesterday = (today() - timedelta(days=1)).isoformat()
    problem = caller.patch("program", {"status": "ended", "ends_on": yesterday})
    assert_problem(problem, 400, "validation_error")
    assert problem.json()["errors"][0]["field"] == "ends_on"
    ended = caller.patch("program", {"status": "ended"}).json()
    assert {effect["field"] for effect in ended["effects"]} == {"status", "ends_on"}
    assert date.fromisoformat(ended["ends_on"]) == today() + timedelta(days=30)
    assert_problem(caller.patch("program", {"status": "active"}), 409, "status_change_refused")
    assert_problem(caller.post("cards/enroll", {}), 409, "enrollment_closed")


@pytest.mark.parametrize(
    ("change", "applies_to"),
    [
        ({"points_expiration_days": 90}, "now"),
        ({"cooldown_minutes": 30}, "now"),
        ({"max_daily_stamps": 3}, "now"),
        ({"minimum_redemption_points": 50}, "now"),
        ({"stamps_reward_valid_days": 30}, "now"),
        ({"void_window_minutes": 20}, "now"),
        ({"status": "paused"}, "now"),
        ({"stamps_target": 12}, "new_cycles"),
        ({"stamps_reward_description": "Cake"}, "new_cycles"),
        ({"points_per_euro": "1/50"}, "new_sales"),
        ({"rounding": "per_purchase"}, "new_sales"),
        ({"minimum_purchase_cents": 500}, "new_sales"),
        ({"welcome_bonus_points": 5}, "new_sales"),
    ],
)
def test_rule_4_effects_say_to_whom_a_change_applies(change: dict[str, Any], applies_to: str) -> None:
    world = World.make(loyalty_type="hybrid")
    changed = update(world, **change)
    assert [(effect.field, effect.applies_to) for effect in changed.effects] == [(next(iter(change)), applies_to)]
    assert changed.program.version == 2


# --- rule 5


def stop(world: World, status: str = "suspended") -> None:
    with tenancy.scope(world.merchant_id):
        Merchant.objects.update(status=status, status_since=world.at)


def busy(**rules: Any) -> tuple[World, Card, UUID]:
    """A shop with a card that has everything on it."""
    world = World.make(loyalty_type="hybrid", stamps_target=2, points_per_euro="1", **rules)
    with tenancy.scope(world.merchant_id):
        voucher = Reward.objects.create(program=world.program, name="Voucher", points_cost=10).pk
    card = world.card()
    for _ in range(6):
        world.sale(card, 1_000)
    return world, card, voucher


@pytest.mark.parametrize("status", ["late", "suspended"])
def test_rule_5_for_sixty_days_only_new_cards_stop(status: str) -> None:
    world, card, voucher = busy()
    stop(world, status)
    for moved in (timedelta(0), timedelta(days=60)):
        world.at += moved
        with pytest.raises(EnrollmentClosed):
            world.card()
        world.stamp(card)
        sale = world.sale(card, 1_000)
        world.redeem(card)
        world.spend(card, voucher)
        world.void(sale["transaction_id"])
    assert verification.verify(world.merchant_id).differences == ()


@pytest.mark.parametrize("status", ["late", "suspended"])
def test_rule_5_after_sixty_days_earning_and_redeeming_stop_and_looking_does_not(status: str) -> None:
    world, card, voucher = busy()
    sale = world.sale(card, 1_000)
    stop(world, status)
    world.tick(days=60, seconds=1)
    before = world.fresh(card)
    refused: list[Any] = [
        lambda: world.stamp(card), lambda: world.sale(card, 1_000), lambda: world.redeem(card),
        lambda: world.spend(card, voucher),
    ]  # fmt: skip
    for work in refused:
        with pytest.raises(MerchantSuspended):
            work()
    assert world.fresh(card).seq == before.seq
    answers = lookups.can(world.call(), card_id=card.pk, cheapest=voucher)
    assert {answer.code for answer in answers.values()} == {"merchant_suspended"}
    # What was sold can be brought back still.
    assert world.refund(sale["transaction_id"], 1_000)["refunded_cents"] == 1_000
    stop(world, "active")
    world.stamp(card)
    assert verification.verify(world.merchant_id).differences == ()


def test_rule_5_a_closed_merchant_takes_nothing_at_once() -> None:
    world, card, _ = busy()
    stop(world, "closed")
    with pytest.raises(MerchantSuspended):
        world.stamp(card)


def test_rule_5_over_the_api_look_ups_and_lists_go_on() -> None:
    world, card, voucher = busy()
    with tenancy.scope(world.merchant_id):
        Merchant.objects.update(status="suspended", status_since=timezone.now() - timedelta(days=61))
    caller, ref = Caller.of(world), {"card_id": str(card.pk)}
    assert_problem(caller.post("stamp", ref), 409, "merchant_suspended")
    assert_problem(caller.post("points", {**ref, "purchase_amount_cents": 500}), 409, "merchant_suspended")
    assert_problem(caller.post("stamp/redeem", ref), 409, "merchant_suspended")
    assert_problem(caller.post("points/redeem", {**ref, "reward_id": str(voucher)}), 409, "merchant_suspended")
    assert_problem(caller.post("cards/enroll", {}), 409, "enrollment_closed")
    found = caller.post("cards/lookup", ref)
    assert (found.status_code, found.json()["can"]["stamp"]["code"]) == (200, "merchant_suspended")
    for path in ("cards", f"cards/{card.pk}", f"cards/{card.pk}/transactions", "stats", "program"):
        assert caller.get(path).status_code == 200


@pytest.mark.parametrize("by_staff", [True, False])
def test_rule_5_the_platform_stops_new_cards_alone(by_staff: bool) -> None:
    world = World.make()
    card = world.card()
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(enrollment_suspended=True)
    with pytest.raises(EnrollmentClosed) as refused:
        cards.enroll(
            merchant_id=world.merchant_id, store_id=world.store.pk, at=world.at,
            source="staff" if by_staff else "storefront",
        )  # fmt: skip
    assert refused.value.facts["reason"] == "merchant_suspended"
    world.stamp(card)
    page = Client(headers={"Accept-Language": "en"}).get(f"/loyalty/{world.store.code}/enroll")
    assert (page.status_code, b"<form" in _main(page.content)) == (200, False)
    public = Client().get(f"/api/v1/loyalty/programs/{world.store.code}").json()
    assert public["enrollment"]["open"] is False


def test_a_preview_says_what_the_operation_would() -> None:
    world, card, voucher = busy()
    stop(world)
    world.tick(days=61)
    ref = CardRef("card_id", card.pk)
    asked: list[Any] = [
        lambda: stamps.preview(world.call(), card=ref), lambda: points.preview(world.call(), card=ref, cents=100),
        lambda: stamps.preview_redeem(world.call(), card=ref),
        lambda: points.preview_redeem(world.call(), card=ref, reward_id=voucher),
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises(DomainError) as refused:
            ask()
        assert refused.value.code == "merchant_suspended"
