"""The operations over HTTP: shapes, order of refusals, replays, bad input, other tenants."""

from typing import Any

import pytest
from django.test import Client

from core import tenancy
from core.ids import uuid7
from loyalty.models import Card, RefusedAttempt, Transaction
from merchants.models import MerchantSettings
from stores.models import Store
from stores.services import api_keys
from tests.support.api import Caller
from tests.support.world import World

pytestmark = pytest.mark.django_db
BASE = "/api/v1/store/loyalty/"


class Till:
    """A POS with an API key."""

    def __init__(self, world: World, scopes: list[str] | None = None, store: Store | None = None) -> None:
        self.world, self.client, self.text = world, Client(), world.key_text
        if scopes is not None or store is not None:
            made = api_keys.create(
                merchant_id=world.merchant_id, name="Till", scopes=scopes or ["read", "earn", "redeem", "manage"],
                at=world.at, store_id=store.id if store else None,
            )  # fmt: skip
            self.text = made.text

    def post(self, path: str, body: Any = None, *, key: str = "", store: str = "", **headers: str) -> Any:
        """POST JSON."""
        sent = {"Authorization": f"Bearer {self.text}", **headers}
        if key:
            sent["Idempotency-Key"] = key
        if store:
            sent["X-Store-Code"] = store
        return self.client.post(BASE + path, body or {}, content_type="application/json", headers=sent)


@pytest.fixture
def world(db: None) -> World:
    return World.make(loyalty_type="hybrid", points_per_euro="10", stamps_target=10)


def test_it_works(world: World) -> None:
    card = world.card()

    answer = Till(world).post("stamp", {"card_number": card.card_number})

    assert answer.status_code == 201
    body = answer.json()
    expected = {
        "transaction_id", "card_id", "card_number", "stamps_added", "stamp_count", "stamps_target",
        "stamps_until_reward", "reward_earned", "rewards_available", "reward_description", "stamps_today",
        "stamps_remaining_today", "next_stamp_available_at", "void_until",
    }  # fmt: skip
    assert expected <= set(body)
    assert body["stamp_count"] == 1


@pytest.mark.parametrize("form", ["{code}", "http://127.0.0.1:8000/c/{code}"])
def test_qr_code_is_the_code_or_its_address(world: World, form: str) -> None:
    card = world.card()

    assert Till(world).post("stamp", {"qr_code": form.format(code=card.qr_code_data)}).status_code == 201


def test_card_number_may_be_typed_in_groups(world: World) -> None:
    number = world.card().card_number

    assert Till(world).post("stamp", {"card_number": f"{number[:4]} {number[4:8]} {number[8:]}"}).status_code == 201


def test_points_and_their_redemption_void_and_refund(world: World) -> None:
    till, card = Till(world), world.card()
    body = {"card_id": str(card.id), "purchase_amount_cents": 2340, "order_reference": "R-1"}
    sale = till.post("points", body).json()
    assert (sale["points_earned"], sale["stamp"]["given"]) == (234, True)

    refund = till.post(f"transactions/{sale['transaction_id']}/refund", {"amount_cents": 1000})
    assert (refund.status_code, refund.json()["points_taken_back"]) == (201, 100)
    void = till.post(f"transactions/{sale['transaction_id']}/void", {"reason": "typed twice"})
    assert (void.status_code, void.json()["code"]) == (409, "void_not_allowed")


def test_replay_is_the_same_to_the_letter_and_says_so(world: World) -> None:
    till, card = Till(world), world.card()
    body = {"card_id": str(card.id), "purchase_amount_cents": 500}

    first = till.post("points", body, key="k-1")
    second = till.post("points", body, key="k-1")

    assert first.content == second.content
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first.headers
    assert world.fresh(card).points_balance == 50


def test_a_key_used_otherwise_is_422(world: World) -> None:
    till, card = Till(world), world.card()
    till.post("stamp", {"card_id": str(card.id)}, key="k-1")

    other_body = till.post("stamp", {"card_id": str(card.id), "quantity": 2}, key="k-1")
    other_operation = till.post("points", {"card_id": str(card.id), "purchase_amount_cents": 5}, key="k-1")

    for answer in (other_body, other_operation):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert world.fresh(card).stamp_count == 1


@pytest.mark.parametrize("key", ["x" * 129, "k\x01", "clé"])
def test_a_bad_key_is_refused(world: World, key: str) -> None:
    answer = Till(world).post("stamp", {"card_id": str(world.card().id)}, key=key)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


BAD = [
    ("stamp", {}, "qr_code"),
    ("stamp", {"qr_code": "x", "card_number": "1"}, "card_number"),
    ("stamp", {"card_id": "not-a-uuid"}, "card_id"),
    ("stamp", {"card_id": 12}, "card_id"),
    ("stamp", {"qr_code": 12}, "qr_code"),
    ("stamp", {"qr_code": "x" * 301}, "qr_code"),
    ("stamp", {"qr_code": "x", "quantity": 0}, "quantity"),
    ("stamp", {"qr_code": "x", "quantity": 51}, "quantity"),
    ("stamp", {"qr_code": "x", "quantity": True}, "quantity"),
    ("stamp", {"qr_code": "x", "quantity": "1"}, "quantity"),
    ("stamp", {"qr_code": "x", "quantity": 1.5}, "quantity"),
    ("stamp", {"qr_code": "x", "quantity": 2**70}, "quantity"),
    ("stamp", {"qr_code": "x", "quantity": None}, "quantity"),
    ("stamp", {"qr_code": "x", "qty": 1}, "qty"),
    ("stamp", {"qr_code": "x\x00y"}, "qr_code"),
    ("stamp", {"qr_code": "x", "staff_pin": 1234}, "staff_pin"),
    ("stamp", {"qr_code": "x", "confirm": "yes"}, "confirm"),
    ("stamp", [1, 2], "non_field_errors"),
    ("stamp", "text", "non_field_errors"),
    ("points", {"qr_code": "x"}, "purchase_amount_cents"),
    ("points", {"qr_code": "x", "purchase_amount_cents": 0}, "purchase_amount_cents"),
    ("points", {"qr_code": "x", "purchase_amount_cents": -5}, "purchase_amount_cents"),
    ("points", {"qr_code": "x", "purchase_amount_cents": 10**8 + 1}, "purchase_amount_cents"),
    ("points", {"qr_code": "x", "purchase_amount_cents": "12"}, "purchase_amount_cents"),
    ("points", {"qr_code": "x", "purchase_amount_cents": 1, "currency": "EURO"}, "currency"),
    ("points", {"qr_code": "x", "purchase_amount_cents": 1, "order_reference": "x" * 65}, "order_reference"),
    ("points/redeem", {"qr_code": "x"}, "reward_id"),
    ("points/redeem", {"qr_code": "x", "reward_id": "x"}, "reward_id"),
    ("preview", {"qr_code": "x", "op": "steal"}, "op"),
    ("preview", {"qr_code": "x", "op": "points"}, "purchase_amount_cents"),
]


@pytest.mark.parametrize(("path", "body", "field"), BAD)
def test_bad_input_names_the_field_and_changes_nothing(world: World, path: str, body: Any, field: str) -> None:
    answer = Till(world).post(path, body)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "validation_error"
    assert field in {error["field"] for error in problem["errors"]}
    with tenancy.scope(world.merchant_id):
        assert not Transaction.objects.exists()
        assert not RefusedAttempt.objects.exists()


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b'{"qr_code": NaN}', b"[" * 5000, b""])
def test_what_is_not_json_is_refused(world: World, raw: bytes) -> None:
    answer = Client().generic(
        "POST", BASE + "stamp", raw, content_type="application/json",
        headers={"Authorization": f"Bearer {world.key_text}"},
    )  # fmt: skip

    assert answer.status_code == 400
    assert answer.json()["code"] == "validation_error"


OPERATIONS = [
    ("stamp", "earn", {}),
    ("stamp/redeem", "redeem", {}),
    ("points", "earn", {"purchase_amount_cents": 100}),
    ("points/redeem", "redeem", {"reward_id": str(uuid7())}),
    ("preview", "read", {"op": "stamp"}),
]


@pytest.mark.parametrize(("path", "_scope", "extra"), OPERATIONS)
def test_other_tenants_card_is_404_and_nothing_changes(
    world: World, path: str, _scope: str, extra: dict[str, Any]
) -> None:
    other = World.make(loyalty_type="hybrid")
    card = other.card()

    for reference in ({"card_id": str(card.id)}, {"card_number": card.card_number}, {"qr_code": card.qr_code_data}):
        answer = Till(world).post(path, {**reference, **extra})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert len(other.rows(card)) == 1


@pytest.mark.parametrize(("path", "scope", "extra"), OPERATIONS)
def test_a_key_without_the_scope_is_403_before_the_body_is_looked_at(
    world: World, path: str, scope: str, extra: dict[str, Any]
) -> None:
    others = [name for name in ("read", "earn", "redeem") if name != scope]

    for body in ({"card_id": str(world.card().id), **extra}, {"rubbish": 1}):
        answer = Till(world, others).post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_void_and_refund_of_another_tenant_are_404_before_the_body(world: World) -> None:
    other = World.make(loyalty_type="points")
    sale = other.sale(other.card(), 1000)["transaction_id"]

    for path in (f"transactions/{sale}/void", f"transactions/{sale}/refund"):
        assert Till(world).post(path, {"rubbish": 1}).status_code == 404
        assert Till(world).post(path, {"amount_cents": 1} if "refund" in path else {}).status_code == 404


@pytest.mark.parametrize("text", ["", "lk_wrong", "lk_aaaaaaaa_bbbb", "x" * 5000])
def test_no_key_no_entry(world: World, text: str) -> None:
    headers = {"Authorization": f"Bearer {text}"} if text else {}
    answer = Client().post(BASE + "stamp", {}, content_type="application/json", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_who_manages_undoes_what_others_did_rule_11(world: World) -> None:
    card, manager = world.card(), Till(world, ["manage"])
    given = [Till(world).post("stamp", {"card_number": card.card_number}).json()["transaction_id"] for _ in range(10)]
    redeemed = Till(world).post("stamp/redeem", {"card_number": card.card_number}).json()["transaction_id"]
    earner, redeemer = Till(world, ["earn"]), Till(world, ["redeem"])

    assert earner.post(f"transactions/{given[0]}/void").status_code == 403
    assert redeemer.post(f"transactions/{redeemed}/void").status_code == 403
    assert manager.post(f"transactions/{redeemed}/void").status_code == 201
    assert manager.post(f"transactions/{given[-1]}/void").status_code == 201
    assert world.fresh(card).stamp_count == 9


def test_a_terminal_is_its_own_till_whatever_it_names_rule_21(world: World) -> None:
    world.change(require_staff_pin=True)
    card, till = world.card(), Caller.terminal(world)
    anna, _proof = world.staff()
    opened = till.post("pins/verify", {"staff_id": str(anna), "staff_pin": "482193"}, X_Terminal="7").json()

    session = {"card_number": card.card_number, "staff_session": opened["staff_session"]}
    answer = till.post("stamp", session, X_Terminal="7")
    wrong = [till.post("stamp", {**session, "staff_session": "x"}), *(_guess(till, card, name) for name in "123456")]

    assert answer.status_code == 201, answer.content
    assert [refused.status_code for refused in wrong] == [403, 403, 403, 403, 403, 403, 423]


def _guess(till: Caller, card: Card, name: str) -> Any:
    return till.post("stamp", {"card_number": card.card_number, "staff_pin": "909192"}, X_Terminal=name)


def test_a_revoked_key_is_out_at_once(world: World) -> None:
    till, card = Till(world), world.card()
    assert till.post("stamp", {"card_id": str(card.id)}).status_code == 201
    api_keys.revoke(merchant_id=world.merchant_id, api_key_id=world.key.id, at=world.at)

    assert till.post("stamp", {"card_id": str(card.id)}).status_code == 401
    assert world.fresh(card).stamp_count == 1


def test_which_store(world: World) -> None:
    with tenancy.scope(world.merchant_id):
        second = Store.objects.create(code=f"{world.store.code}-2", name="Second")
    other = World.make()
    card = {"card_id": str(world.card().id)}
    free, bound = Till(world), Till(world, store=world.store)

    assert (free.post("stamp", card).status_code, free.post("stamp", card).json()["code"]) == (400, "store_required")
    assert free.post("stamp", card, store=second.code).status_code == 201
    assert free.post("stamp", card, store=other.store.code).status_code == 404
    assert free.post("stamp", card, store="nowhere").status_code == 404
    assert bound.post("stamp", card).status_code == 201
    assert bound.post("stamp", card, store=second.code).status_code == 403
    assert bound.post("stamp", card, store=other.store.code).status_code == 404


def test_pin_policy_required_wins_over_the_program(world: World) -> None:
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(staff_pin_policy="required")
    staff_id, _ = world.staff("Anna", "482193")
    till, card = Till(world), world.card()
    body = {"card_id": str(card.id)}

    missing = till.post("stamp", body)
    wrong = till.post("stamp", {**body, "staff_id": str(staff_id), "staff_pin": "999111"})
    right = till.post("stamp", {**body, "staff_pin": "482193"})

    assert (missing.status_code, missing.json()["code"]) == (403, "staff_pin_required")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "staff_pin_invalid")
    assert wrong.json()["attempts_remaining"] == 4
    assert right.status_code == 201
    assert world.rows(card)[-1].staff_pin_id == staff_id


def test_refusals_speak_the_callers_language(world: World) -> None:
    answer = Till(world).post("stamp", {"card_number": "0"}, **{"Accept-Language": "de"})

    assert answer.headers["Content-Language"] == "de"


def test_preview_gives_nothing(world: World) -> None:
    till, card = Till(world), world.card()

    body = till.post("preview", {"op": "points", "card_id": str(card.id), "purchase_amount_cents": 2340}).json()

    assert body["points_earned"] == 234
    assert "transaction_id" not in body
    assert len(world.rows(card)) == 1
