"""A lost phone, over the API: a second card made meanwhile, the way back, one card again, and what the ledger says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.support.api import assert_problem
from tests.support.shop import EN, STOREFRONT, Phone, Shop, click, done

pytestmark = pytest.mark.django_db
FEBRUARY, MARCH = datetime(2026, 2, 10, 9, 0, tzinfo=UTC), datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
MARIE = "marie@example.com"


@pytest.fixture
def cafe() -> Iterator[Shop]:
    """A café that counts stamps and points, in February, when a euro was worth ten points."""
    with time_machine.travel(FEBRUARY, tick=False) as clock:
        yield Shop.open(clock, at=FEBRUARY, loyalty_type="hybrid", points_per_euro="10", stamps_target=10)


def lost(cafe: Shop) -> tuple[Phone, dict[str, Any]]:
    """Marie joins with her address, proves it, collects in February, and loses the phone in March."""
    old = cafe.proven(MARIE, name="Marie Klein", language="en")
    sale = cafe.sells(old, 4000, order_reference="R-17")
    cafe.stamps(old, 7)
    assert (old.shows()["points_balance"], old.shows()["stamp_count"]) == (400, 8)
    cafe.move_to(MARCH)
    cafe.changes(points_per_euro="1")
    return old, sale


def joined_again(cafe: Shop) -> tuple[Phone, Any]:
    """She joins on the new phone with the same address, collects, and gets a mail; return the phone and the mail."""
    new = cafe.joins(email=MARIE, language="en")
    [letter] = cafe.mails()
    assert letter.to == [MARIE]
    assert cafe.sells(new, 2500)["points_balance"] == 25
    cafe.stamps(new, 3)
    return new, letter


def test_the_new_card_is_empty_and_tells_nothing_of_the_old_one(cafe: Shop) -> None:
    old, _sale = lost(cafe)
    said = []

    for email in (MARIE, "nadia@example.com"):
        body = {"store_code": cafe.code, "email": email}
        answer = Client().post(f"{STOREFRONT}enroll", body, content_type="application/json", headers=EN)
        card = done(answer)["card"]
        said.append((sorted(answer.json()), sorted(card), card["stamp_count"], card["points_balance"], card["rewards"]))
        assert card["id"] != old.card["id"]
        assert "Klein" not in answer.content.decode()

    assert said[0] == said[1]
    assert said[0][2:] == (0, 0, [])


def test_the_link_makes_two_cards_one_and_shuts_the_lost_phone_out(cafe: Shop) -> None:
    old, _sale = lost(cafe)
    new, letter = joined_again(cafe)

    browser = click(letter, lock_out="yes")

    assert browser.get(f"/loyalty/{cafe.code}/dashboard").status_code == 200
    card = done(cafe.asks("cards/lookup", new), 200)
    assert card["id"] == old.card["id"]
    assert (card["points_balance"], card["stamp_count"], card["rewards_available"]) == (425, 2, 1)
    assert_problem(old.ask("get", "card"), 401, "not_authenticated")
    cafe.adds_up()


def test_the_way_back_alone_opens_the_old_card(cafe: Shop) -> None:
    old, _sale = lost(cafe)

    answers = [cafe.recovers(email=email) for email in (MARIE, "nadia@example.com")]
    [letter] = cafe.mails()
    browser = click(letter)

    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"")] * 2
    shown = browser.get(f"/loyalty/{cafe.code}/dashboard").content.decode()
    number = old.card["card_number"]
    assert f"{number[:4]} {number[4:8]} {number[8:]}" in shown
    assert "400 points" in shown
    assert_problem(Client().get(f"{STOREFRONT}card"), 401, "not_authenticated")


def test_the_ledger_explains_it_to_the_merchant_and_to_marie(cafe: Shop) -> None:
    old, sale = lost(cafe)
    new, letter = joined_again(cafe)
    click(letter)

    rows, gone = cafe.ledger(old), cafe.ledger(new)

    assert [row["type"] for row in gone][-1] == "merge_out"
    assert (gone[-1]["points_delta"], gone[-1]["stamps_delta"], gone[-1]["points_after"]) == (-25, -4, 0)
    came = next(row for row in rows if row["type"] == "merge_in")
    assert (came["points_delta"], came["stamps_delta"]) == (25, 4)
    assert new.card["card_number"][-4:] in came["explanation"]
    assert old.card["card_number"][-4:] in gone[-1]["explanation"]
    assert sum(row["points_delta"] for row in rows) == 425
    assert sum(row["stamps_delta"] for row in rows) == 2
    assert [row["order_reference"] for row in rows if row["id"] == sale["transaction_id"]] == ["R-17"]
    assert [row["id"] for row in new.history()] == [row["id"] for row in rows], "both phones read the same"
    cafe.adds_up()


def test_both_codes_work_at_the_till(cafe: Shop) -> None:
    old, _sale = lost(cafe)
    new, letter = joined_again(cafe)
    click(letter)

    for phone in (old, new):
        stamped = done(cafe.asks("stamp", qr_code=phone.card["qr_code_data"]))
        assert stamped["card_id"] == old.card["id"]
        looked = done(cafe.asks("cards/lookup", qr_code=f"http://127.0.0.1:8000/c/{phone.card['qr_code_data']}"), 200)
        assert looked["id"] == old.card["id"]
    assert done(cafe.asks("stamp/redeem", card_number=new.card["card_number"]))["stamps_redeemed"] == 10
    assert old.shows()["stamp_count"] == 4
    cafe.adds_up()


def test_a_manager_refunds_half_the_sale_of_last_month_at_the_old_rate(cafe: Shop) -> None:
    old, sale = lost(cafe)
    new, letter = joined_again(cafe)
    click(letter)

    refund = done(cafe.refund(sale, 2000, by=cafe.manager))

    row = cafe.ledger(old)[-1]
    assert (row["id"], row["type"]) == (refund["transaction_id"], "refund")
    assert (row["points_delta"], row["reverses"]) == (-200, sale["transaction_id"]), "20 € at ten points, not at one"
    assert new.shows()["points_balance"] == 425 - 200
    assert_problem(cafe.refund(sale, 2001, by=cafe.manager), 409, "refund_exceeds_sale")
    cafe.adds_up()


def test_the_merge_is_taken_apart_within_thirty_days(cafe: Shop) -> None:
    old, sale = lost(cafe)
    new, letter = joined_again(cafe)
    click(letter)
    done(cafe.refund(sale, 2000, by=cafe.manager))
    cafe.later(days=20)

    apart = done(cafe.on_card("unmerge", new, by=cafe.manager, reason="sisters"))

    assert apart["undone_at"] is not None
    mine, sisters = cafe.ledger(old), cafe.ledger(new)
    assert (mine[-1]["points_after"], mine[-1]["stamps_after"]) == (200, 8)
    assert (sisters[-1]["points_after"], sisters[-1]["stamps_after"]) == (25, 4)
    assert done(cafe.asks("stamp", qr_code=new.card["qr_code_data"]))["card_id"] == new.card["id"]
    assert done(cafe.asks("stamp", qr_code=old.card["qr_code_data"]))["card_id"] == old.card["id"]
    assert new.shows()["id"] == new.card["id"]
    cafe.adds_up()
