"""A manager's corrections over the store API: adjust, freeze, merge, and the ways back."""

from typing import Any

import pytest

from core import tenancy
from core.models import AuditEntry
from loyalty.models import Card, CardMerge
from loyalty.queries import verification
from merchants.enums import Role
from merchants.models import MerchantSettings
from tests.support.api import Caller, assert_problem
from tests.support.world import World

pytestmark = pytest.mark.django_db
REASONED = ["freeze", "unfreeze", "merge", "unmerge", "adjust"]


@pytest.fixture
def world() -> World:
    return World.make(loyalty_type="hybrid", points_per_euro="1/50", stamps_target=5)


@pytest.fixture
def pos(world: World) -> Caller:
    return Caller.of(world)


def post(caller: Caller, card: Card, verb: str, body: Any, **headers: str) -> Any:
    return caller.send("post", f"cards/{card.pk}/{verb}", body, **headers)


def good(verb: str, other: Card) -> dict[str, Any]:
    more = {"merge": {"into": str(other.pk)}, "adjust": {"stamps_delta": 1}}
    return {"reason": "typed twice", **more.get(verb, {})}


def in_state(world: World, card: Card, other: Card, verb: str) -> None:
    """Bring the card where the verb works."""
    pos = Caller.of(world)
    if verb == "unfreeze":
        assert post(pos, card, "freeze", good("freeze", other)).status_code == 200
    if verb == "unmerge":
        assert post(pos, card, "merge", good("merge", other)).status_code == 201


def test_it_works(world: World, pos: Caller) -> None:
    lost, new = world.card(name="Marie"), world.card(name="Marie")
    world.stamp(lost, 3)
    world.sale(new, 2500)

    answer = post(pos, lost, "merge", {"into": str(new.pk), "reason": "lost phone"})

    body = answer.json()
    assert answer.status_code == 201
    assert (body["source"]["card_number"], body["target"]["card_id"]) == (lost.card_number, str(new.pk))
    assert body["moved"] == {"stamps": 3, "points": 0, "debt": 0, "rewards": 0}
    assert (body["card"]["id"], body["card"]["stamp_count"], body["back"]) == (str(new.pk), 4, None)
    back = post(pos, lost, "unmerge", {"reason": "two persons"}).json()
    assert (back["card"]["id"], back["card"]["status"], back["card"]["stamp_count"]) == (str(lost.pk), "active", 3)
    assert back["back"]["missing_stamps"] == 0
    assert back["undone_at"] is not None
    assert verification.verify().differences == ()


def test_every_code_of_both_cards_leads_to_the_one_that_goes_on(world: World, pos: Caller) -> None:
    lost, new = world.card(), world.card()
    post(pos, lost, "merge", good("merge", new))
    for reference in ({"qr_code": lost.qr_code_data}, {"card_number": lost.card_number}, {"card_id": str(lost.pk)}):
        assert pos.send("post", "stamp", reference).json()["card_id"] == str(new.pk)
        assert pos.send("post", "cards/lookup", reference).json()["id"] == str(new.pk)
    assert pos.get(f"cards/{lost.pk}").json()["status"] == "merged"
    found = pos.send("post", "cards/lookup", {"query": lost.card_number}).json()["results"]
    assert [card["id"] for card in found] == [str(new.pk)]


def test_history_explains_a_merge_in_plain_words(world: World, pos: Caller) -> None:
    lost, new = world.card(), world.card()
    world.stamp(lost, 2)
    post(pos, lost, "merge", good("merge", new))
    post(pos, lost, "unmerge", good("unmerge", new))
    words = {
        card.pk: [row["explanation"] for row in pos.get(f"cards/{card.pk}/transactions").json()["results"]]
        for card in (lost, new)
    }
    end = lost.card_number[-4:], new.card_number[-4:]
    assert words[lost.pk][:2] == [
        f"Merge undone: back from card •• {end[1]}", f"Merged into card •• {end[1]}"
    ]  # fmt: skip
    assert words[new.pk][:2] == [
        f"Merge undone: back to card •• {end[0]}", f"Merged in from card •• {end[0]}"
    ]  # fmt: skip


def test_a_frozen_card_neither_earns_nor_redeems_and_the_reason_is_for_managers(world: World, pos: Caller) -> None:
    card = world.card()
    sale = world.sale(card, 10_000)
    answer = post(pos, card, "freeze", {"reason": "under review: Ben"})
    assert answer.status_code == 200
    assert answer.json()["status"] == "frozen"
    assert "Ben" not in answer.content.decode()
    for path, body in (("stamp", {}), ("points", {"purchase_amount_cents": 100}), ("stamp/redeem", {})):
        refused = pos.send("post", path, {"card_id": str(card.pk), **body})
        assert "Ben" not in assert_problem(refused, 409, "card_not_active")["detail"]
    # A manager puts things right on it all the same.
    refund = f"transactions/{sale['transaction_id']}/refund"
    assert pos.send("post", refund, {"amount_cents": 10_000}).status_code == 201
    assert post(pos, card, "adjust", {"points_delta": 3, "reason": "kindness"}).status_code == 201
    with tenancy.scope(world.merchant_id):
        assert Card.objects.get(pk=card.pk).status_reason == "under review: Ben"
        entry = AuditEntry.objects.get(action="card_frozen")
    assert (entry.target, entry.reason) == (f"card {card.pk}", "")
    assert post(pos, card, "unfreeze", {"reason": "all well"}).json()["status"] == "active"
    assert pos.send("post", "stamp", {"card_id": str(card.pk)}).status_code == 201


def test_a_till_cannot_undo_on_a_frozen_card(world: World, pos: Caller) -> None:
    card, till = world.card(), Caller.with_scopes(world, ["earn"])
    given = till.send("post", "stamp", {"card_id": str(card.pk)}).json()
    post(pos, card, "freeze", {"reason": "lost"})
    refused = till.send("post", f"transactions/{given['transaction_id']}/void", {})
    assert_problem(refused, 409, "card_not_active")


@pytest.mark.parametrize(
    ("verb", "before", "code"),
    [("freeze", "freeze", "card_not_active"), ("unfreeze", "", "status_change_refused"),
     ("unmerge", "", "card_not_active"), ("merge", "merge", "card_not_active"), ("freeze", "merge", "card_not_active"),
     ("unfreeze", "merge", "card_not_active"), ("merge", "freeze", "card_not_active")],
)  # fmt: skip
def test_what_does_not_fit_the_cards_state_is_409(
    world: World, pos: Caller, verb: str, before: str, code: str
) -> None:  # fmt: skip
    card, other = world.card(), world.card()
    if before:
        post(pos, card, before, good(before, other))
    assert_problem(post(pos, card, verb, good(verb, other)), 409, code)


def test_a_card_cannot_be_merged_into_itself_or_another_program(world: World, pos: Caller) -> None:
    card = world.card()
    assert_problem(post(pos, card, "merge", {"into": str(card.pk), "reason": "x"}), 400, "validation_error", "into")
    second = World.make()
    foreign = second.card()
    assert_problem(post(pos, card, "merge", {"into": str(foreign.pk), "reason": "x"}), 404, "not_found")
    from tests.factories.loyalty import CardFactory, ProgramFactory

    with tenancy.scope(world.merchant_id):
        elsewhere = CardFactory(program=ProgramFactory(), enrolled_store=world.store)
    answer = post(pos, card, "merge", {"into": str(elsewhere.pk), "reason": "x"})
    assert assert_problem(answer, 400, "validation_error", "into")["errors"][0]["code"] == "other_program"
    assert world.rows(card)[-1].type == "card_enrolled"


@pytest.mark.parametrize("verb", REASONED)
@pytest.mark.parametrize("reason", [None, "", "   ", "a\x00b", "x" * 201, 5, [], {}])
def test_a_reason_is_needed(world: World, pos: Caller, verb: str, reason: Any) -> None:
    card, other = world.card(), world.card()
    in_state(world, card, other, verb)
    before = len(world.rows(card))
    assert_problem(post(pos, card, verb, {**good(verb, other), "reason": reason}), 400, "validation_error", "reason")
    assert len(world.rows(card)) == before


@pytest.mark.parametrize("into", [None, "", "x", 5, [], {"a": 1}, "a\x00", "00000000-0000-0000-0000-00000000000"])
def test_into_is_an_id(world: World, pos: Caller, into: Any) -> None:
    answer = post(pos, world.card(), "merge", {"into": into, "reason": "x"})
    assert_problem(answer, 400, "validation_error", "into")


@pytest.mark.parametrize(
    "body",
    [{}, {"stamps_delta": 0, "points_delta": 0}, {"stamps_delta": 51}, {"stamps_delta": -51}, {"stamps_delta": "1"},
     {"stamps_delta": True}, {"stamps_delta": 1.5}, {"points_delta": 2**31}, {"points_delta": -(2**40)},
     {"points_delta": None}],
)  # fmt: skip
def test_an_adjustment_is_a_bounded_whole_number_and_not_nothing(
    world: World, pos: Caller, body: dict[str, Any]
) -> None:  # fmt: skip
    card = world.card()
    answer = post(pos, card, "adjust", {"reason": "x", **body})
    assert_problem(answer, 400, "validation_error")
    assert len(world.rows(card)) == 1


@pytest.mark.parametrize("verb", REASONED)
def test_unknown_fields_are_refused(world: World, pos: Caller, verb: str) -> None:
    card, other = world.card(), world.card()
    in_state(world, card, other, verb)
    answer = post(pos, card, verb, {**good(verb, other), "stamp_count": 9})
    assert assert_problem(answer, 400, "validation_error", "stamp_count")["errors"][0]["code"] == "unknown_field"


@pytest.mark.parametrize("verb", REASONED)
def test_a_key_has_one_effect_and_its_replay_the_same_answer(world: World, pos: Caller, verb: str) -> None:
    card, other = world.card(), world.card()
    in_state(world, card, other, verb)
    first = post(pos, card, verb, good(verb, other), Idempotency_Key="k-1")
    rows = len(world.rows(card)) + len(world.rows(other))
    again = post(pos, card, verb, good(verb, other), Idempotency_Key="k-1")
    assert (again.status_code, again.json(), again["Idempotent-Replay"]) == (first.status_code, first.json(), "true")
    assert len(world.rows(card)) + len(world.rows(other)) == rows
    changed = post(pos, card, verb, {**good(verb, other), "reason": "other"}, Idempotency_Key="k-1")
    assert_problem(changed, 422, "idempotency_key_reused")
    assert_problem(post(pos, card, verb, good(verb, other), Idempotency_Key="x" * 129), 400, "validation_error")


def test_a_key_that_the_ledger_knows_is_refused_whole(world: World, pos: Caller) -> None:
    card, other = world.card(), world.card()
    world.stamp(card, key="used")
    with tenancy.scope(world.merchant_id):
        from core.models import IdempotencyRecord

        IdempotencyRecord.objects.all().delete()
    assert_problem(
        post(pos, card, "merge", good("merge", other), Idempotency_Key="used"), 422, "idempotency_key_reused"
    )
    assert world.fresh(card).status == "active"


@pytest.mark.parametrize("verb", REASONED)
@pytest.mark.parametrize("who", ["staff", "terminal", "earn"])
def test_it_takes_a_manager(world: World, verb: str, who: str) -> None:
    card, other = world.card(), world.card()
    in_state(world, card, other, verb)
    caller = {
        "staff": lambda: Caller.person(world, Role.STAFF), "terminal": lambda: Caller.terminal(world),
        "earn": lambda: Caller.with_scopes(world, ["read", "earn", "redeem"]),
    }[who]()  # fmt: skip
    assert_problem(post(caller, card, verb, good(verb, other)), 403, "permission_denied")


@pytest.mark.parametrize("verb", REASONED)
def test_another_merchants_card_is_not_there_and_nothing_changes(world: World, verb: str) -> None:
    card, other = world.card(), world.card()
    in_state(world, card, other, verb)
    stranger = World.make()
    before = [row.pk for row in (*world.rows(card), *world.rows(other))]
    assert_problem(post(Caller.of(stranger), card, verb, good(verb, stranger.card())), 404, "not_found")
    assert [row.pk for row in (*world.rows(card), *world.rows(other))] == before


def test_a_person_is_named_by_the_rows_and_the_merge(world: World) -> None:
    card, other = world.card(), world.card()
    manager = Caller.person(world, Role.MANAGER)
    assert post(manager, card, "merge", good("merge", other)).status_code == 201
    row = world.rows(other)[-1]
    assert (row.channel, row.user_id is not None, row.store_id) == ("dashboard", True, world.store.pk)
    with tenancy.scope(world.merchant_id):
        assert CardMerge.objects.get().merged_by_id == row.user_id


@pytest.mark.parametrize("policy", ["optional", "required"])
def test_who_manages_adjusts_without_a_pin(world: World, policy: str) -> None:
    world.change(require_staff_pin=True)
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(staff_pin_policy=policy)
    card = world.card()
    for caller in (Caller.person(world, Role.MANAGER), Caller.of(world)):
        answer = post(caller, card, "adjust", good("adjust", card))
        assert (answer.status_code, world.rows(card)[-1].staff_pin_id) == (201, None)


def test_a_pin_sent_with_an_adjustment_is_checked_and_kept(world: World) -> None:
    card, manager = world.card(), Caller.person(world, Role.MANAGER)
    staff_id, proof = world.staff("Anna", "482193")
    body = {**good("adjust", card), "staff_id": str(staff_id)}
    assert_problem(post(manager, card, "adjust", {**body, "staff_pin": "482194"}), 403, "staff_pin_invalid")
    assert post(manager, card, "adjust", {**body, "staff_pin": proof.pin}).status_code == 201
    assert world.rows(card)[-1].staff_pin_id == staff_id
