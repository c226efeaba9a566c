"""Rule 22: what a PIN looks like, where it works, how long it is not asked for again, and whose card it may stamp."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from core import tenancy
from core.models import AuditEntry
from tests.support.api import Caller, assert_problem
from tests.support.shop import MERCHANT, Phone, Shop, done

Open = Callable[..., Shop]
ANNA, BEN = "482193", "735912"


def staffed(shop: Open) -> tuple[Shop, Phone, Caller, str]:
    cafe = shop(require_staff_pin=True, stamps_target=2)
    anna = done(cafe.pos.post("pins", {"name": "Anna", "pin": ANNA}))["id"]
    done(cafe.pos.post("pins", {"name": "Ben", "pin": BEN}))
    return cafe, cafe.joins(), Caller.terminal(cafe.world), anna


def links(cafe: Shop, phone: Phone, staff_id: str) -> None:
    """Let a manager note on the card's page that it is a colleague's own."""
    page = f"/store/{cafe.code}/loyalty/cards/{phone.card['id']}/owner"
    assert cafe.manager.client.post(page, {"staff": staff_id}).status_code == 302


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "", "1234", "0000", "1111", "4321", "12345678", "112233"])
def test_a_pin_has_4_to_8_digits_and_is_not_trivial(shop: Open, pin: str) -> None:
    cafe = shop()

    assert_problem(cafe.pos.post("pins", {"name": "Anna", "pin": pin}), 400, "validation_error", "pin")

    assert done(cafe.pos.get("pins"), 200)["results"] == []


def test_one_of_six_digits_is_offered_and_shown_once(shop: Open) -> None:
    cafe = shop(require_staff_pin=True)
    made = done(cafe.pos.post("pins", {"name": "Anna"}, Idempotency_Key="k"))

    assert (len(made["pin"]), made["pin"].isdigit()) == (6, True)
    assert cafe.asks("stamp", cafe.joins(), staff_pin=made["pin"]).status_code == 201
    assert made["pin"] not in cafe.pos.get("pins").content.decode()
    assert done(cafe.pos.post("pins", {"name": "Anna"}, Idempotency_Key="k"))["pin"] is None


def test_no_two_people_of_a_merchant_have_the_same(shop: Open) -> None:
    cafe, other = shop(), shop()
    done(cafe.pos.post("pins", {"name": "Anna", "pin": ANNA}))

    assert cafe.pos.post("pins", {"name": "Ben", "pin": ANNA}).status_code == 400
    assert other.pos.post("pins", {"name": "Ben", "pin": ANNA}).status_code == 201


def test_a_pin_works_only_through_what_a_manager_let_in(shop: Open) -> None:
    cafe, marie, screen, anna = staffed(shop)
    body = {"card_id": marie.card["id"], "staff_id": anna, "staff_pin": ANNA}

    assert_problem(Caller().post("stamp", body), 401, "not_authenticated")
    own = {"pass_id": marie.card["id"], "staff_pin": ANNA}
    phone = {"Authorization": f"Card {marie.secret}"}
    assert_problem(Caller(phone).post(f"/stamp/{cafe.code}", own), 409, "own_device_off")
    store = done(cafe.pos.get(f"{MERCHANT}/stores"), 200)["results"][0]
    done(cafe.pos.patch(f"{MERCHANT}/stores/{store['id']}", {"own_device_enabled": True}), 200)
    assert Caller(phone).post(f"/stamp/{cafe.code}", own).status_code == 201
    assert screen.post("stamp", {**body, "confirm": True}).status_code == 201
    cafe.adds_up()


def test_a_session_spares_typing_for_fifteen_minutes(shop: Open) -> None:
    cafe, marie, screen, anna = staffed(shop)
    opened = done(screen.post("pins/verify", {"staff_id": anna, "staff_pin": ANNA}), 200)
    token = opened["staff_session"]
    assert opened["expires_at"].startswith("2026-03-10T12:15:00")

    cafe.later(minutes=14, seconds=59)
    assert cafe.asks("stamp", marie, by=screen, staff_session=token).status_code == 201
    cafe.later(seconds=30)

    assert_problem(cafe.asks("stamp", marie, by=screen, staff_session=token, confirm=True), 403, "staff_pin_required")
    other = Caller.terminal(cafe.world)
    assert other.post("stamp", {"card_id": marie.card["id"], "staff_session": token}).status_code == 403


def test_redeem_and_void_may_ask_again(shop: Open) -> None:
    cafe, marie, screen, anna = staffed(shop)
    cafe.allows(ask_pin_again=True)
    token = done(screen.post("pins/verify", {"staff_id": anna, "staff_pin": ANNA}), 200)["staff_session"]
    given = cafe.stamps(marie, 2, by=screen, staff_session=token)

    for path in ("stamp/redeem", f"transactions/{given['transaction_id']}/void"):
        body: dict[str, Any] = {"card_id": marie.card["id"]} if path == "stamp/redeem" else {}
        refused = screen.post(path, {**body, "staff_session": token})
        assert_problem(refused, 403, "staff_pin_required")
    assert cafe.hands_out(marie, by=screen, staff_id=anna, staff_pin=ANNA)["stamps_redeemed"] == 2
    cafe.adds_up()


def test_nobody_stamps_their_own_card(shop: Open) -> None:
    cafe, own, screen, anna = staffed(shop)
    links(cafe, own, anna)

    assert_problem(cafe.asks("stamp", own, by=screen, staff_id=anna, staff_pin=ANNA), 409, "own_card")
    assert_problem(cafe.asks("stamp", own, staff_pin=ANNA), 409, "own_card")

    assert own.shows()["stamp_count"] == 0
    assert cafe.asks("stamp", own, staff_pin=BEN).status_code == 201, "a colleague may"
    cafe.adds_up()


def test_where_it_is_allowed_it_is_logged(shop: Open) -> None:
    cafe, own, screen, anna = staffed(shop)
    links(cafe, own, anna)
    cafe.allows(own_card_policy="allow")

    given = done(cafe.asks("stamp", own, by=screen, staff_id=anna, staff_pin=ANNA))

    with tenancy.scope(cafe.world.merchant_id):
        [entry] = AuditEntry.objects.filter(action="own_card")
    assert (entry.facts["staff"], entry.facts["transaction"]) == (anna, given["transaction_id"])
    cafe.adds_up()


def test_a_pin_is_free_again_when_its_holder_has_left(shop: Open) -> None:
    cafe = shop()
    anna = done(cafe.pos.post("pins", {"name": "Anna", "pin": ANNA}))
    assert cafe.pos.delete(f"pins/{anna['id']}").status_code == 204

    assert cafe.pos.post("pins", {"name": "Ben", "pin": ANNA}).status_code == 201


def test_a_pin_is_in_no_table_and_no_log(shop: Open, caplog: pytest.LogCaptureFixture) -> None:
    cafe, marie, screen, anna = staffed(shop)
    with caplog.at_level("DEBUG"):
        cafe.asks("stamp", marie, by=screen, staff_id=anna, staff_pin=ANNA, Idempotency_Key="k")
        cafe.asks("stamp", marie, by=screen, staff_id=anna, staff_pin="604817")
        cafe.asks("stamp", marie, staff_pin="604817")

    with tenancy.scope(cafe.world.merchant_id), connection.cursor() as cursor:
        for model in apps.get_models():
            cursor.execute(f"SELECT t::text FROM {model._meta.db_table} t")
            for [row] in cursor.fetchall():
                assert not re.search(rf"(?<![0-9a-f.-])({ANNA}|604817)(?![0-9a-f])", row), model
    said = [record.getMessage() for record in caplog.records if not record.name.startswith("django.db")]
    assert [line for line in said if ANNA in line or "604817" in line] == []
