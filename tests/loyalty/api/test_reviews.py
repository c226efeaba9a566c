"""What tills kept and could not book: kept once, listed, booked by a manager or dismissed (rule 19)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core import tenancy
from core.ids import uuid7
from core.models import AuditEntry
from loyalty.models import Card, ReviewItem
from loyalty.queries import verification
from stores.models import Store
from tests.loyalty.api.test_batch import ago, codes, credential_of, item, open_items, send, session, till_with_pins
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db
SHAPE = {
    "id", "key", "op", "body", "code", "facts", "state", "occurred_at", "received_at", "store", "staff", "terminal",
    "card", "transaction_id", "resolved_by", "resolved_at", "note",
}  # fmt: skip


@pytest.fixture
def world() -> World:
    return World.make(at=timezone.now() - timedelta(days=10), loyalty_type="hybrid", points_per_euro="10")


def kept(world: World, card: Card, key: str = "", **fields: Any) -> str:
    """An item that came 80 hours late; return its id."""
    [result] = send(Caller.of(world), item(card, ago(hours=80), key, **fields))
    assert result["body"]["code"] == "too_old"
    return str(open_items(world)[-1].pk)


def accept(caller: Caller, review_id: str, **body: Any) -> Any:
    return caller.post(f"reviews/{review_id}/accept", body)


def dismiss(caller: Caller, review_id: str, **body: Any) -> Any:
    return caller.post(f"reviews/{review_id}/dismiss", body or {"note": "rung up twice"})


def audited(world: World) -> list[str]:
    with tenancy.scope(world.merchant_id):
        return list(AuditEntry.objects.filter(action__startswith="review_").values_list("action", flat=True))


def test_it_works(world: World) -> None:
    card, boss = world.card(), Caller.person(world, "manager")
    review_id = kept(world, card, "old", quantity=2)

    [listed] = boss.get("reviews?state=open").json()["results"]
    answer = accept(boss, review_id, note="Anna was there")

    assert set(listed) == SHAPE
    assert listed["body"] == {"card_id": str(card.pk), "quantity": 2}
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["state"], body["note"], body["resolved_by"] is not None) == ("accepted", "Anna was there", True)
    row = world.rows(card)[1]
    assert str(row.pk) == body["transaction_id"]
    assert (row.idempotency_key, row.channel, row.user_id is not None) == ("old", "dashboard", True)
    assert timezone.now() - row.occurred_at > timedelta(hours=79), "as of when it happened"
    assert world.assert_adds_up(card).stamp_count == 2
    assert audited(world) == ["review_accepted"]
    assert boss.get("reviews?state=open").json()["results"] == []
    assert verification.verify().differences == ()


def test_rule_19_refused_twice_is_kept_once(world: World) -> None:
    card = world.card()
    for _ in range(2):
        kept(world, card, "same")

    assert len(open_items(world)) == 1


def test_the_newest_reason_is_told(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="frozen")
    assert codes(send(caller, item(card, ago(hours=1), "k"))) == ["card_not_active"]
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="active")

    assert codes(send(caller, item(card, ago(hours=73), "k"))) == ["too_old"]
    assert [(row.key, row.code) for row in open_items(world)] == [("k", "too_old")]


def test_booked_it_replays_to_the_till_that_sends_it_again(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    sent = item(card, ago(hours=80), "again", quantity=3)
    send(caller, sent)
    accept(caller, str(open_items(world)[0].pk))

    [result] = send(caller, sent)

    assert (result["status"], result["body"]["stamps_added"]) == (201, 3)
    assert world.assert_adds_up(card).stamp_count == 3


def test_sent_again_and_accepted_by_the_rules_it_closes_by_itself(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="frozen")
    sent = item(card, ago(hours=3), "later")
    send(caller, sent)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="active")

    [result] = send(caller, sent)

    with tenancy.scope(world.merchant_id):
        row = ReviewItem.objects.get(key="later")
    assert (row.state, str(row.transaction_id)) == ("accepted", result["body"]["transaction_id"])


def test_a_manager_answers_for_limits_age_and_pin(world: World) -> None:
    world.change(cooldown_minutes=60, max_daily_stamps=1)
    till, card = till_with_pins(world), world.card()
    staff_id, _proof = world.staff()
    opened = timezone.now() - timedelta(hours=30)
    token = session(world, till, staff_id, opened)
    send(
        till, item(card, opened, staff_session=token), item(card, opened + timedelta(minutes=1), staff_session=token),
        item(card, opened + timedelta(minutes=2)), item(card, ago(hours=90), staff_session=token),
    )  # fmt: skip
    assert [row.code for row in open_items(world)] == ["cooldown_active", "staff_pin_required", "too_old"]

    for row in open_items(world):
        assert (
            accept(Caller.person(world, "owner") if row.code == "x" else Caller.of(world), str(row.pk)).status_code
            == 201
        )

    rows = [row for row in world.rows(card) if row.type == "stamp_earned"]
    assert [row.staff_pin_id for row in rows] == [staff_id, staff_id, None, staff_id]
    after = world.assert_adds_up(card)
    assert after.stamp_count == 4
    assert after.last_stamp_at == opened + timedelta(minutes=2)


def test_what_nobody_can_waive_leaves_it_open(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    review_id = kept(world, card)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="frozen")

    assert_problem(accept(caller, review_id), 409, "card_not_active")
    assert [str(row.pk) for row in open_items(world)] == [review_id]
    assert audited(world) == []
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="active")
    assert accept(caller, review_id).status_code == 201


def test_a_purchase_is_booked_with_its_amount_and_reference(world: World) -> None:
    card = world.card()
    review_id = kept(world, card, op="points", purchase_amount_cents=1000, order_reference="R-9", currency="EUR")

    assert accept(Caller.of(world), review_id).status_code == 201
    row = world.rows(card)[1]
    assert (row.points_delta, row.purchase_amount_cents, row.order_reference) == (100, 1000, "R-9")


def test_an_unknown_card_stays_unknown(world: World) -> None:
    send(Caller.of(world), {"key": "n", "op": "stamp", "occurred_at": ago(hours=1), "card_number": "123456789012"})
    [row] = open_items(world)

    assert (row.code, row.card_id) == ("not_found", None)
    assert_problem(accept(Caller.of(world), str(row.pk)), 404, "not_found")
    assert dismiss(Caller.of(world), str(row.pk)).status_code == 200


def test_a_key_used_for_something_else_is_booked_under_a_new_one(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    caller.post("stamp", {"card_id": str(card.pk)}, Idempotency_Key="k")
    assert codes(send(caller, item(card, ago(hours=1), "k", quantity=2))) == ["idempotency_key_reused"]

    answer = accept(caller, str(open_items(world)[0].pk))

    assert answer.status_code == 201
    assert world.assert_adds_up(card).stamp_count == 3


def test_deciding_twice_is_deciding_once(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    booked, left = kept(world, card), kept(world, card)

    first, second = accept(caller, booked), accept(caller, booked, note="other")
    dismissed = [dismiss(caller, left), dismiss(caller, left)]

    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    assert [answer.json()["state"] for answer in dismissed] == ["dismissed"] * 2
    assert_problem(dismiss(caller, booked), 409, "already_resolved")
    assert_problem(accept(caller, left), 409, "already_resolved")
    assert world.assert_adds_up(card).stamp_count == 1
    assert sorted(audited(world)) == ["review_accepted", "review_dismissed"]


def test_dismissed_it_stays_dismissed_when_it_is_refused_again(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    dismiss(caller, kept(world, card, "k"))

    assert codes(send(caller, item(card, ago(hours=80), "k"))) == ["already_resolved"]
    assert open_items(world) == []


def test_who_may(world: World) -> None:
    card = world.card()
    review_id = kept(world, card)
    for caller in (
        Caller.terminal(world), Caller.person(world, "staff"), Caller.with_scopes(world, ["read", "earn", "redeem"]),
    ):  # fmt: skip
        assert caller.get("reviews").status_code == 200, "what was refused is reported to staff"
        assert_problem(accept(caller, review_id), 403, "permission_denied")
        assert_problem(dismiss(caller, review_id), 403, "permission_denied")
    assert_problem(Caller.with_scopes(world, ["earn"]).get("reviews"), 403, "permission_denied")
    assert_problem(Caller().get("reviews"), 401, "not_authenticated")
    assert len(open_items(world)) == 1


def test_a_key_of_another_store_books_nothing_here(world: World) -> None:
    card = world.card()
    review_id = kept(world, card)
    with tenancy.scope(world.merchant_id):
        other = Store.objects.create(code=f"{world.store.code}-two", name="Kirchberg")
    bound = Caller.with_scopes(world, ["read", "manage"], other)

    assert_problem(accept(bound, review_id), 403, "permission_denied")
    assert world.fresh(card).stamp_count == 0


def test_another_merchants_items_are_404_and_nothing_changes(world: World) -> None:
    other = World.make(at=world.at)
    review_id = kept(world, world.card())
    stranger = Caller.of(other)

    assert stranger.get("reviews").json()["results"] == []
    for answer in (accept(stranger, review_id), dismiss(stranger, review_id), accept(stranger, str(uuid7()))):
        assert_problem(answer, 404, "not_found")
    assert [row.state for row in open_items(world)] == ["open"]


@pytest.mark.parametrize(
    "body", [{"note": 5}, {"note": "x" * 201}, {"note": "a\x00b"}, {"nope": 1}, [], "x", {"note": None}]
)
def test_bad_input_is_400_and_nothing_changes(world: World, body: Any) -> None:
    review_id, caller = kept(world, world.card()), Caller.of(world)

    for verb in ("accept", "dismiss"):
        assert_problem(caller.post(f"reviews/{review_id}/{verb}", body), 400, "validation_error")
    assert len(open_items(world)) == 1


@pytest.mark.parametrize("body", [{}, {"note": ""}, {"note": "   "}])
def test_dismissing_says_why(world: World, body: dict[str, str]) -> None:
    review_id, caller = kept(world, world.card()), Caller.of(world)

    assert_problem(caller.post(f"reviews/{review_id}/dismiss", body), 400, "validation_error", "note")
    assert len(open_items(world)) == 1


def test_the_list_is_filtered_and_paged(world: World) -> None:
    card, caller = world.card(), Caller.of(world)
    ids = [kept(world, card) for _ in range(3)]
    dismiss(caller, ids[0])

    first = caller.get("reviews?page_size=2").json()
    rest = caller.get(first["next"]).json()

    assert [row["id"] for row in first["results"] + rest["results"]] == ids[::-1]
    assert [row["id"] for row in caller.get("reviews?state=dismissed").json()["results"]] == ids[:1]
    assert len(caller.get(f"reviews?store={world.store.code}&state=open").json()["results"]) == 2
    assert_problem(caller.get("reviews?store=nowhere"), 404, "not_found")
    assert_problem(caller.get("reviews?state=lost"), 400, "validation_error", "state")
    assert_problem(caller.get("reviews?cursor=x"), 400, "validation_error")


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long(world: World, count: int, django_assert_num_queries: Any) -> None:
    card, caller = world.card(name="Marie"), Caller.of(world)
    for _ in range(count):
        kept(world, card)
    caller.get("reviews")

    with django_assert_num_queries(6):
        caller.get("reviews")


def test_the_till_that_kept_it_is_named(world: World) -> None:
    till, card = Caller.terminal(world), world.card()
    send(till, item(card, ago(hours=80)))

    [row] = Caller.of(world).get("reviews").json()["results"]

    assert row["terminal"] == {"id": str(credential_of(till).id), "name": "Till 1"}
    assert (row["store"]["code"], row["card"]["card_number"]) == (world.store.code, card.card_number)
