"""Rule 24: who asks is forgotten while the ledger still adds up; who asks takes all away, as data and to read."""

import json
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.core import mail
from django.db import connection
from django.test import Client

from core import tenancy
from tests.support.api import assert_problem
from tests.support.shop import EN, STOREFRONT, Phone, Shop, click, done

Open = Callable[..., Shop]
EMAIL, ADDRESS = "xqcanary@example.com", "203.0.113.77"
CANARIES = ("xqcanary", "621777123", ADDRESS)


def known(shop: Open) -> tuple[Shop, Phone]:
    """A café and a customer who left a trace wherever one can be left."""
    cafe = shop(loyalty_type="hybrid", points_per_euro="1", stamps_target=5)
    body = {"store_code": cafe.code, "name": "Xqcanary Klein", "email": EMAIL, "phone": "621 777 123",
            "birthday": "1956-03-21", "service_email_consent": True}  # fmt: skip
    headers = {**EN, "User-Agent": "XqCanary/1.0", "Idempotency-Key": "join"}
    visitor = Client(REMOTE_ADDR=ADDRESS)
    made = done(visitor.post(f"{STOREFRONT}enroll", body, content_type="application/json", headers=headers))
    marie = Phone(made["card"], made["access_secret"])
    click(cafe.mails()[-1])
    cafe.stamps(marie, 6)
    cafe.sells(marie, 2000)
    done(cafe.on_card("adjust", marie, points_delta=3, reason="Xqcanary called"))
    done(cafe.on_card("freeze", marie, reason="Xqcanary lost it"), 200)
    done(cafe.on_card("unfreeze", marie, reason="Xqcanary found it"), 200)
    done(marie.ask("patch", "profile", {"name": "Xqcanary K"}, Idempotency_Key="profile"), 200)
    cafe.mails()
    return cafe, marie


def traces(cafe: Shop) -> dict[str, int]:
    """Return in which tables one of the canaries is still to be found."""
    found = {}
    with tenancy.scope(cafe.world.merchant_id), connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            likes = " OR ".join(["t::text ILIKE %s"] * len(CANARIES))
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE {likes}", [f"%{word}%" for word in CANARIES])
            [count] = cursor.fetchone() or [0]
            if count:
                found[table] = count
    return found


def erase(phone: Phone) -> Any:
    return phone.ask("post", "erase", {"confirm": True})


def test_nothing_that_names_the_person_is_left_in_any_table(shop: Open) -> None:
    cafe, marie = known(shop)
    assert {"customers_customer", "loyalty_transactiondetail", "core_idempotencyrecord"} <= set(traces(cafe))

    assert erase(marie).status_code == 200

    assert traces(cafe) == {}


def test_the_ledger_stays_and_adds_up(shop: Open) -> None:
    cafe, marie = known(shop)
    before = cafe.ledger(marie)

    done(erase(marie), 200)

    after = cafe.ledger(marie)
    figures = ("id", "type", "stamps_delta", "points_delta", "stamps_after", "points_after", "purchase_amount_cents")
    assert [[row[name] for name in figures] for row in after] == [[row[name] for name in figures] for row in before]
    assert "canary" not in json.dumps(after).lower()
    cafe.adds_up()


def test_the_card_is_closed_for_everybody_at_once(shop: Open) -> None:
    cafe, marie = known(shop)
    done(erase(marie), 200)

    assert_problem(marie.ask("get", "card"), 401, "not_authenticated")
    for name, field in (("qr_code", "qr_code_data"), ("card_number", "card_number")):
        assert_problem(cafe.asks("stamp", **{name: marie.card[field]}), 404, "not_found")
    assert_problem(cafe.asks("stamp", marie), 409, "card_not_active")
    for page in ("/api/v1/merchant/exports/customers.csv", "/api/v1/merchant/exports/cards.csv"):
        assert "canary" not in b"".join(cafe.pos.get(page).streaming_content).decode().lower()
    assert done(cafe.pos.post("cards/lookup", {"query": "Xqcanary"}), 200)["results"] == []


def test_no_mail_follows_and_a_new_card_is_a_new_one(shop: Open) -> None:
    cafe, marie = known(shop)
    cafe.stamps(marie, 5)
    done(erase(marie), 200)
    mail.outbox.clear()

    cafe.later(days=2)
    assert cafe.mails() == []
    again = cafe.joins(email=EMAIL)
    click(cafe.mails()[-1])

    assert (again.shows()["stamp_count"], again.shows()["customer"]["name"]) == (0, None)
    assert again.card["customer"]["id"] != marie.card["customer"]["id"]
    cafe.adds_up()


def test_it_is_not_done_by_accident(shop: Open) -> None:
    cafe, marie = known(shop)

    for body in ({}, {"confirm": False}, {"confirm": "yes"}):
        assert marie.ask("post", "erase", body).status_code == 400
    assert_problem(Client().post(f"{STOREFRONT}erase", {"confirm": True}, content_type="application/json"), 401,
                   "not_authenticated")  # fmt: skip
    assert marie.shows()["customer"]["name"] == "Xqcanary K"
    cafe.adds_up()


def test_everything_can_be_taken_away_by_oneself_as_data_and_to_read(shop: Open) -> None:
    cafe, marie = known(shop)

    answer = marie.ask("get", "export")
    text = b"".join(answer.streaming_content).decode()
    page = marie.page(f"/loyalty/{cafe.code}/privacy/export")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert isinstance(json.loads(text), dict)
    for held in ("Xqcanary K", EMAIL, "+352621777123", "1956-03-21", marie.card["card_number"], "stamp_earned"):
        assert held in text
    for shown in ("Xqcanary K", EMAIL):
        assert shown in page
    with tenancy.scope(cafe.world.merchant_id):
        assert marie.secret not in text


def test_deactivating_is_not_erasing(shop: Open) -> None:
    cafe, marie = known(shop)
    anna = done(cafe.pos.post("pins", {"name": "Anna", "pin": "482193"}))
    done(cafe.asks("stamp", marie, staff_id=anna["id"], staff_pin="482193"))

    done(cafe.on_card("freeze", marie, reason="lost"), 200)
    assert cafe.pos.delete(f"pins/{anna['id']}").status_code == 204

    assert marie.shows()["customer"]["name"] == "Xqcanary K", "a frozen card's customer stays known"
    assert cafe.ledger(marie)[-1]["staff"]["name"] == "Anna", "and who gave a stamp, too"
    cafe.adds_up()
