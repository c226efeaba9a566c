"""Kept items and their keys: several bodies under one key, decisions that stay, whose store (rules 18, 19, 22)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core import tenancy
from core.models import AuditEntry
from loyalty.models import Card, ReviewItem
from loyalty.queries import verification
from merchants.models import User
from stores.models import Store
from tests.loyalty.api.test_batch import ago, codes, item, open_items, send, session, till_with_pins
from tests.loyalty.api.test_reviews import accept, audited, dismiss, kept
from tests.loyalty.api.test_staff_rules import own_card
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World.make(at=timezone.now() - timedelta(days=10), loyalty_type="hybrid", points_per_euro="10")


def items(world: World, key: str = "K") -> list[ReviewItem]:
    with tenancy.scope(world.merchant_id):
        return list(ReviewItem.objects.filter(key=key).order_by("id"))


def put(world: World, card: Card, status: str) -> None:
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status=status)


def second_store(world: World) -> Store:
    with tenancy.scope(world.merchant_id):
        return Store.objects.create(code=f"{world.store.code}-two", name="Kirchberg")


# One key, several bodies


def test_rule_19_a_replay_closes_nothing_that_was_refused_under_its_key(world: World) -> None:
    card, at = world.card(), ago(hours=2)
    first = item(card, at, "K")

    results = send(
        Caller.of(world), first, item(card, at, "K", op="points", purchase_amount_cents=500),
        item(card, at, "K", quantity=2), first,
    )  # fmt: skip

    assert codes(results) == [201, "idempotency_key_reused", "idempotency_key_reused", 201]
    found = items(world)
    assert [(row.op, row.body.get("quantity"), row.state) for row in found] == [
        ("points", None, "open"), ("stamp", 2, "open"),
    ]  # fmt: skip
    assert [accept(Caller.of(world), str(row.pk)).status_code for row in found] == [201, 201]
    after = world.assert_adds_up(card)
    assert (after.stamp_count, after.points_balance) == (4, 50), "each is booked: 1, the sale's own 1, and 2"
    assert verification.verify().differences == ()


def test_rule_19_another_body_that_is_booked_leaves_the_refused_one_open(world: World) -> None:
    card, caller = world.card(), Caller.of(world)

    results = send(caller, item(card, ago(hours=80), "K", quantity=4), item(card, ago(hours=1), "K", quantity=1))

    assert codes(results) == ["too_old", 201]
    [row] = items(world)
    assert (row.state, row.transaction_id) == ("open", None)
    booked = accept(caller, str(row.pk))
    assert booked.status_code == 201, booked.content
    assert booked.json()["transaction_id"] != results[1]["body"]["transaction_id"]
    assert world.assert_adds_up(card).stamp_count == 5


def test_rule_19_the_original_sent_again_closes_no_other_item(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    caller.post("stamp", {"card_id": str(card.pk)}, Idempotency_Key="K")
    assert codes(send(caller, item(card, ago(hours=1), "K", quantity=3))) == ["idempotency_key_reused"]

    assert codes(send(caller, item(card, ago(hours=1), "K"))) == [201]

    assert [(row.body["quantity"], row.state) for row in items(world)] == [(3, "open")]


def test_rule_19_each_refused_body_of_a_key_is_kept_once(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    sent = [item(card, ago(hours=80), "K", quantity=count) for count in (2, 3)]

    for _ in range(2):
        assert codes(send(caller, *sent)) == ["too_old", "too_old"]

    assert [row.body["quantity"] for row in items(world)] == [2, 3]


def test_an_item_of_before_fingerprints_is_known_by_its_body(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    sent = item(card, ago(hours=80), "K", quantity=2)
    send(caller, sent)
    with tenancy.scope(world.merchant_id):
        ReviewItem.objects.update(fingerprint="")

    send(caller, sent)

    assert len(items(world)) == 1


# What somebody has decided stays decided


def test_rule_19_a_dismissed_item_is_not_booked_by_the_till(world: World) -> None:
    card, caller = world.card(), Caller.person(world, "manager")
    till, sent = Caller.of(world), item(card, ago(hours=3), "K")
    put(world, card, "frozen")
    assert codes(send(till, sent)) == ["card_not_active"]
    dismissed = dismiss(caller, str(items(world)[0].pk), note="rung up twice").json()
    put(world, card, "active")

    [result] = send(till, sent)

    assert (result["status"], result["body"]["code"]) == (409, "already_resolved")
    assert result["body"]["state"] == "dismissed"
    assert result["body"]["resolved_at"] == dismissed["resolved_at"]
    assert result["body"]["resolved_by"] == dismissed["resolved_by"]
    [row] = items(world)
    assert (row.state, row.note, row.transaction_id) == ("dismissed", "rung up twice", None)
    assert world.assert_adds_up(card).stamp_count == 0
    assert codes(send(till, item(card, ago(hours=3), "K", quantity=2))) == [201], "another body is another item"


def test_rule_19_a_dismissed_body_under_a_used_key_is_told_so(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    send(caller, item(card, ago(hours=1), "K"), item(card, ago(hours=1), "K", quantity=2))
    dismiss(caller, str(items(world)[0].pk))

    again = send(caller, item(card, ago(hours=1), "K"), item(card, ago(hours=1), "K", quantity=2))

    assert codes(again) == [201, "already_resolved"]
    assert [row.state for row in items(world)] == ["dismissed"]


def test_a_dismissal_outlives_a_booking_of_the_same_request(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    dismiss(caller, kept(world, card, "K"))
    caller.post("stamp", {"card_id": str(card.pk)}, Idempotency_Key="K")

    assert codes(send(caller, item(card, ago(hours=1), "K"))) == [201], "it was answered before: the same answer"
    [row] = items(world)
    assert (row.state, row.note) == ("dismissed", "rung up twice")


def test_already_resolved_says_who(world: World) -> None:
    boss = Caller.person(world, "manager")
    review_id = kept(world, world.card())
    with tenancy.scope(world.merchant_id):
        User.objects.filter(email__startswith="manager@").update(name="Marie")
    by = dismiss(boss, review_id).json()["resolved_by"]
    by_key = kept(world, world.card())
    dismiss(Caller.of(world), by_key)

    refused = assert_problem(accept(boss, review_id), 409, "already_resolved")
    nobody = assert_problem(accept(boss, by_key), 409, "already_resolved")

    assert by is not None
    assert (refused["resolved_by"], refused["resolved_by_name"]) == (by, "Marie")
    assert (nobody["resolved_by"], nobody["resolved_by_name"]) == (None, None)


# Whose store it is


def test_an_early_refusal_keeps_the_store_of_the_sender(world: World) -> None:
    card, other = world.card(), second_store(world)
    pos = Caller({**Caller.of(world).headers, "X-Store-Code": other.code})
    send(pos, item(card, ago(hours=1), "K"), item(card, ago(hours=1), "K", quantity=2))

    [row] = items(world)

    assert (row.store_id, row.card_id) == (other.pk, card.pk)
    boss = Caller.person(world, "manager")
    boss.headers = {}
    assert accept(boss, str(row.pk)).status_code == 201
    assert world.rows(card)[-1].store_id == other.pk


def test_an_item_without_a_store_is_booked_at_the_one_of_the_header(world: World) -> None:
    card, other = world.card(), second_store(world)
    send(Caller({**Caller.of(world).headers, "X-Store-Code": other.code}), item(card, ago(hours=80), "K"))
    with tenancy.scope(world.merchant_id):
        ReviewItem.objects.update(store=None)
    review_id = str(items(world)[0].pk)

    assert_problem(accept(Caller.of(world), review_id), 400, "store_required")
    answer = Caller.of(world).post(f"reviews/{review_id}/accept", {}, X_Store_Code=other.code)

    assert answer.status_code == 201, answer.content
    assert world.rows(card)[-1].store_id == other.pk


def test_a_key_of_one_store_sees_and_decides_its_own_items(world: World) -> None:
    card = world.card()
    mine = kept(world, card)
    other = second_store(world)
    here = Caller.with_scopes(world, ["read", "manage"], world.store)
    there = Caller.with_scopes(world, ["read", "manage"], other)

    assert [row["id"] for row in here.get("reviews").json()["results"]] == [mine]
    assert there.get("reviews").json()["results"] == []
    assert there.get(f"reviews?store={world.store.code}").json()["results"] == []
    for decide in (accept, dismiss):
        assert_problem(decide(there, mine), 403, "permission_denied")
    assert [str(row.pk) for row in open_items(world)] == [mine]
    assert accept(here, mine).status_code == 201
    assert_problem(accept(there, mine), 403, "permission_denied")


# A decision under a key


def test_rule_18_accepting_under_a_key_is_answered_the_same_again(world: World) -> None:
    card, boss = world.card(), Caller.person(world, "manager")
    review_id, left = kept(world, card), kept(world, card)

    def ask(target: str, verb: str = "accept", **body: Any) -> Any:
        return boss.post(f"reviews/{target}/{verb}", body, Idempotency_Key="d-1")

    first, second = ask(review_id, note="seen"), ask(review_id, note="seen")

    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    assert ("Idempotent-Replay" in first, second["Idempotent-Replay"]) == (False, "true")
    for other in (ask(review_id, note="x"), ask(left, note="seen"), ask(review_id, "dismiss", note="seen")):
        assert_problem(other, 422, "idempotency_key_reused")
    assert [str(row.pk) for row in open_items(world)] == [left]
    assert world.assert_adds_up(card).stamp_count == 1
    assert audited(world) == ["review_accepted"]


def test_rule_18_dismissing_under_a_key_is_answered_the_same_again(world: World) -> None:
    caller = Caller.of(world)
    review_id, left = kept(world, world.card()), kept(world, world.card())

    def ask(target: str, verb: str = "dismiss", note: str = "twice") -> Any:
        return caller.post(f"reviews/{target}/{verb}", {"note": note}, Idempotency_Key="d-1")

    first, second = ask(review_id), ask(review_id)

    assert (first.status_code, second.status_code, first.json()) == (200, 200, second.json())
    assert second["Idempotent-Replay"] == "true"
    for other in (ask(review_id, note="x"), ask(left), ask(left, "accept")):
        assert_problem(other, 422, "idempotency_key_reused")
    assert [str(row.pk) for row in open_items(world)] == [left]
    assert audited(world) == ["review_dismissed"]


def test_rule_18_a_decision_does_not_take_the_key_of_the_item(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    review_id = kept(world, card, "K")

    for verb in ("accept", "dismiss"):
        answer = caller.post(f"reviews/{review_id}/{verb}", {"note": "x"}, Idempotency_Key="K")
        assert_problem(answer, 422, "idempotency_key_reused")
    assert world.fresh(card).stamp_count == 0
    bad = caller.post(f"reviews/{review_id}/accept", {}, Idempotency_Key="x" * 129)
    assert_problem(bad, 400, "validation_error", "Idempotency-Key")
    assert accept(caller, review_id).status_code == 201


def test_rule_18_a_refused_decision_may_be_sent_again_with_its_key(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    review_id = kept(world, card)
    put(world, card, "frozen")
    ask = f"reviews/{review_id}/accept"
    assert_problem(caller.post(ask, {}, Idempotency_Key="d"), 409, "card_not_active")
    put(world, card, "active")

    assert caller.post(ask, {}, Idempotency_Key="d").status_code == 201


# Own cards


@pytest.mark.parametrize("own", [True, False])
def test_rule_22_accepting_staff_at_their_own_card_is_logged(world: World, own: bool) -> None:
    till = till_with_pins(world)
    card, staff_id = own_card(world)
    if not own:
        card = world.card()
    opened = timezone.now() - timedelta(hours=80 if not own else 2)
    sent = item(card, opened, "K", staff_session=session(world, till, staff_id, opened))
    assert codes(send(till, sent)) == ["own_card" if own else "too_old"]
    boss = Caller.person(world, "manager")

    answer = accept(boss, str(items(world)[0].pk))

    assert answer.status_code == 201, answer.content
    with tenancy.scope(world.merchant_id):
        facts = [entry.facts for entry in AuditEntry.objects.filter(action="own_card")]
    logged = {"staff": str(staff_id), "operation": "stamp", "transaction": answer.json()["transaction_id"]}
    assert facts == ([logged] if own else [])
