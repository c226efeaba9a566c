"""Rule 22: own cards, and PINs that are asked for again; and where a reward is handed out."""

from typing import Any

import pytest
from django.utils import timezone

from core import tenancy
from core.models import AuditEntry
from customers.models import Customer
from loyalty.models import Card, RefusedAttempt, Reward
from merchants.models import MerchantSettings
from stores.models import Store
from stores.queries import devices
from stores.queries.devices import TERMINAL_COOKIE
from stores.services import pins, staff
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db
PIN, OTHER_PIN = "482193", "739518"


@pytest.fixture
def world() -> World:
    return World.make(at=timezone.now(), loyalty_type="hybrid", points_per_euro="10", require_staff_pin=True)


def allow(world: World, **settings: Any) -> None:
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(**settings)


def own_card(world: World, pin: str = PIN) -> tuple[Card, Any]:
    """A card that is Anna's own, and Anna."""
    staff_id, _proof = world.staff(pin=pin)
    card = world.card()
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=card.customer_id).update(staff_pin_id=staff_id)
    return card, staff_id


def audited(world: World) -> list[AuditEntry]:
    with tenancy.scope(world.merchant_id):
        return list(AuditEntry.objects.filter(action="own_card"))


def session(world: World, till: Caller, staff_id: Any) -> str:
    credential = devices.terminal_credential(till.client.cookies[TERMINAL_COOKIE].value)
    assert credential is not None
    answer = till.post("pins/verify", {"staff_id": str(staff_id), "staff_pin": PIN})
    assert answer.status_code == 200, answer.content
    return str(answer.json()["staff_session"])


@pytest.mark.parametrize(("path", "more"), [("stamp", {}), ("points", {"purchase_amount_cents": 500})])
def test_rule_22_staff_may_not_give_to_their_own_card(world: World, path: str, more: dict[str, Any]) -> None:
    card, staff_id = own_card(world)
    world.staff("Ben", OTHER_PIN)
    caller = Caller.of(world)
    body = {"card_id": str(card.pk), **more}

    refused = caller.post(path, {**body, "staff_pin": PIN})
    by_name = caller.post(path, {**body, "staff_pin": PIN, "staff_id": str(staff_id)})

    assert_problem(refused, 409, "own_card")
    assert_problem(by_name, 409, "own_card")
    assert world.fresh(card).seq == 1
    assert audited(world) == []
    with tenancy.scope(world.merchant_id):
        kept = RefusedAttempt.objects.first()
    assert kept is not None
    assert (kept.code, kept.staff_pin_id, kept.card_id) == ("own_card", staff_id, card.pk)
    assert caller.post(path, {**body, "staff_pin": OTHER_PIN}).status_code == 201, "a colleague may"


def test_rule_22_it_is_asked_after_the_pin_and_with_a_session_too(world: World) -> None:
    card, staff_id = own_card(world)
    till = Caller.terminal(world)
    body = {"card_id": str(card.pk)}

    assert_problem(
        till.post("stamp", {**body, "staff_id": str(staff_id), "staff_pin": "111222"}), 403, "staff_pin_invalid"
    )
    assert_problem(till.post("stamp", {**body, "staff_session": session(world, till, staff_id)}), 409, "own_card")


def test_rule_22_allowed_it_is_logged(world: World) -> None:
    card, staff_id = own_card(world)
    allow(world, own_card_policy="allow")

    answer = Caller.of(world).post("stamp", {"card_id": str(card.pk), "staff_pin": PIN}).json()

    [entry] = audited(world)
    assert entry.target == f"card {card.pk}"
    assert entry.facts == {"staff": str(staff_id), "operation": "stamp", "transaction": answer["transaction_id"]}
    assert world.assert_adds_up(card).stamp_count == 1


def test_rule_22_a_strangers_card_leaves_no_log(world: World) -> None:
    world.staff()
    card = world.card()
    allow(world, own_card_policy="allow")

    assert Caller.of(world).post("stamp", {"card_id": str(card.pk), "staff_pin": PIN}).status_code == 201
    assert audited(world) == []


def test_rule_22_a_reward_of_the_own_card_may_be_handed_out(world: World) -> None:
    world.change(stamps_target=1)
    card, _staff_id = own_card(world)
    world.staff("Ben", OTHER_PIN)
    caller = Caller.of(world)
    caller.post("stamp", {"card_id": str(card.pk), "staff_pin": OTHER_PIN})

    assert caller.post("stamp/redeem", {"card_id": str(card.pk), "staff_pin": PIN}).status_code == 201


def test_rule_22_in_a_batch_it_goes_to_review(world: World) -> None:
    card, staff_id = own_card(world)
    till = Caller.terminal(world)
    item = {
        "key": "a", "op": "stamp", "occurred_at": timezone.now().isoformat(), "card_id": str(card.pk),
        "staff_session": session(world, till, staff_id),
    }  # fmt: skip

    [result] = till.post("terminal/batch", {"operations": [item]}).json()["results"]

    assert (result["status"], result["body"]["code"]) == (409, "own_card")


# ask_pin_again


def corrections(world: World) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every operation that takes something off a card or back, by name."""
    card = world.card()
    caller = Caller.of(world)
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.create(program=world.program, name="Tote", points_cost=5)
    pin = {"staff_pin": PIN}
    caller.post("stamp", {"card_id": str(card.pk), "quantity": 2, **pin})
    sales = [
        caller.post("points", {"card_id": str(card.pk), "purchase_amount_cents": 1000, **pin}).json() for _ in range(2)
    ]
    return {
        "stamp/redeem": ("stamp/redeem", {"card_id": str(card.pk)}),
        "points/redeem": ("points/redeem", {"card_id": str(card.pk), "reward_id": str(reward.pk)}),
        "void": (f"transactions/{sales[0]['transaction_id']}/void", {}),
        "refund": (f"transactions/{sales[1]['transaction_id']}/refund", {"amount_cents": 100}),
    }


def test_rule_22_redeem_void_and_refund_may_ask_for_the_pin_again(world: World) -> None:
    world.change(stamps_target=2)
    staff_id, _proof = world.staff()
    till = Caller.terminal(world)
    token = session(world, till, staff_id)
    asked = corrections(world)
    allow(world, ask_pin_again=True)

    for path, body in asked.values():
        refused = assert_problem(till.post(path, {**body, "staff_session": token}), 403, "staff_pin_required")
        assert refused["fresh"] is True
    for path, body in asked.values():
        answer = till.post(path, {**body, "staff_id": str(staff_id), "staff_pin": PIN})
        assert answer.status_code == 201, (path, answer.content)


def test_rule_22_giving_asks_no_second_time(world: World) -> None:
    staff_id, _proof = world.staff()
    till = Caller.terminal(world)
    token = session(world, till, staff_id)
    allow(world, ask_pin_again=True)
    card = world.card()

    for path, more in (("stamp", {}), ("points", {"purchase_amount_cents": 500})):
        assert till.post(path, {"card_id": str(card.pk), "staff_session": token, **more}).status_code == 201


def test_without_the_setting_a_session_does(world: World) -> None:
    world.change(stamps_target=2)
    staff_id, _proof = world.staff()
    till = Caller.terminal(world)
    token = session(world, till, staff_id)

    for name, (path, body) in corrections(world).items():
        answer = till.post(path, {**body, "staff_session": token})
        assert answer.status_code == (201 if name != "void" else answer.status_code), (name, answer.content)


@pytest.mark.parametrize("again", [True, False])
def test_rule_22_a_pin_beside_a_session_is_what_counts(world: World, again: bool) -> None:
    world.change(stamps_target=2)
    staff_id, _proof = world.staff()
    ben, _proof = world.staff("Ben", OTHER_PIN)
    till = Caller.terminal(world)
    token = session(world, till, staff_id)
    asked = corrections(world)
    allow(world, ask_pin_again=again)
    path, body = asked["stamp/redeem"]
    both = {**body, "staff_session": token}

    wrong = assert_problem(till.post(path, {**both, "staff_pin": "111222"}), 403, "staff_pin_invalid")
    fewer = assert_problem(till.post(path, {**both, "staff_pin": "111333"}), 403, "staff_pin_invalid")
    right = till.post(path, {**both, "staff_pin": OTHER_PIN})

    assert fewer["attempts_remaining"] == wrong["attempts_remaining"] - 1
    assert right.status_code == 201, right.content
    with tenancy.scope(world.merchant_id):
        assert world.rows(Card.objects.get(pk=body["card_id"]))[-1].staff_pin_id == ben
    late = till.post("stamp", {"card_id": body["card_id"], "staff_session": "stale", "staff_pin": PIN})
    assert late.status_code == 201, "a session that is over does not matter beside a PIN"


def test_rule_22_leaving_the_session_out_is_no_way_around(world: World) -> None:
    world.change(stamps_target=2)
    world.staff()
    asked = corrections(world)
    world.change(require_staff_pin=False)
    allow(world, ask_pin_again=True)

    path, body = asked["stamp/redeem"]
    assert_problem(Caller.of(world).post(path, body), 403, "staff_pin_required")


def test_no_pins_at_all_is_no_second_pin(world: World) -> None:
    world.change(stamps_target=2)
    world.staff()
    asked = corrections(world)
    allow(world, ask_pin_again=True, staff_pin_policy="disabled")

    path, body = asked["stamp/redeem"]
    assert Caller.of(world).post(path, body).status_code == 201


# cross-store redemption


def second_store(world: World) -> Store:
    with tenancy.scope(world.merchant_id):
        return Store.objects.create(code=f"{world.store.code}-two", name="Kirchberg")


@pytest.mark.parametrize("allowed", [True, False])
def test_rewards_are_handed_out_elsewhere_only_where_that_is_allowed(world: World, allowed: bool) -> None:
    world.change(stamps_target=2, require_staff_pin=False)
    other, card = second_store(world), world.card()
    allow(world, allow_cross_store_redemption=allowed)
    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.create(program=world.program, name="Tote", points_cost=5)
    here = {"X-Store-Code": world.store.code}
    there = {"X-Store-Code": other.code}
    caller = Caller.of(world)
    ref = {"card_id": str(card.pk)}
    caller.post("stamp", {**ref, "quantity": 4}, **there)
    caller.post("points", {**ref, "purchase_amount_cents": 1000}, **there)
    asked = [
        ("stamp/redeem", ref), ("points/redeem", {**ref, "reward_id": str(reward.pk)}),
        ("preview", {**ref, "op": "redeem"}), ("preview", {**ref, "op": "redeem", "reward_id": str(reward.pk)}),
    ]  # fmt: skip
    before = world.fresh(card).seq

    can = caller.post("cards/lookup", ref, **there).json()["can"]["redeem"]
    answers = [caller.post(path, body, **there) for path, body in asked]

    if allowed:
        assert can["allowed"] is True
        assert [answer.status_code for answer in answers] == [201, 201, 200, 200]
    else:
        assert (can["allowed"], can["code"]) == (False, "cross_store_redemption_off")
        for answer in answers:
            assert_problem(answer, 409, "cross_store_redemption_off")
        assert world.fresh(card).seq == before
        assert caller.post("cards/lookup", ref, **here).json()["can"]["redeem"]["allowed"] is True
        assert [caller.post(path, body, **here).status_code for path, body in asked] == [201, 201, 200, 200]
    world.assert_adds_up(card)


def test_earning_elsewhere_is_never_stopped(world: World) -> None:
    world.change(require_staff_pin=False)
    other, card = second_store(world), world.card()
    allow(world, allow_cross_store_redemption=False)
    there = {"X-Store-Code": other.code}

    for path, more in (("stamp", {}), ("points", {"purchase_amount_cents": 500})):
        assert Caller.of(world).post(path, {"card_id": str(card.pk), **more}, **there).status_code == 201


def test_a_revoked_colleague_proves_nothing(world: World) -> None:
    staff_id, _proof = world.staff()
    till, card = Caller.terminal(world), world.card()
    token = session(world, till, staff_id)
    staff.revoke(merchant_id=world.merchant_id, staff_id=staff_id, at=timezone.now())

    assert_problem(till.post("stamp", {"card_id": str(card.pk), "staff_session": token}), 403, "staff_pin_required")
    assert pins.holder_of(token, merchant_id=world.merchant_id) == staff_id
