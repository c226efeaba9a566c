"""Rule 5: a merchant who is late or suspended gets no new members and sends nothing; its customers keep everything."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.support.api import assert_problem
from tests.support.shop import EN, STOREFRONT, Phone, Shop, done

Open = Callable[..., Shop]
MARIE = "marie@example.com"


def enroll(cafe: Shop) -> Any:
    return Client().post(
        f"{STOREFRONT}enroll", {"store_code": cafe.code}, content_type="application/json", headers=EN
    )  # fmt: skip


def cafe_with_marie(shop: Open) -> tuple[Shop, Phone, str]:
    cafe = shop(loyalty_type="hybrid", points_per_euro="1", stamps_target=2)
    return cafe, cafe.proven(MARIE), cafe.reward(5)


@pytest.mark.parametrize("standing", ["late", "suspended"])
@pytest.mark.parametrize("days", [0, 16, 59])
def test_customers_go_on_for_sixty_days(shop: Open, standing: str, days: int) -> None:
    cafe, marie, voucher = cafe_with_marie(shop)
    cafe.stands(standing)
    cafe.later(days=days)

    cafe.stamps(marie, 2)
    cafe.sells(marie, 1000)
    cafe.hands_out(marie)
    cafe.hands_out(marie, voucher)

    assert cafe.asks("cards/lookup", marie).status_code == 200
    assert marie.shows()["points_balance"] == 5
    assert marie.history()
    export = cafe.pos.get("/api/v1/merchant/exports/customers.csv")
    assert (export.status_code, MARIE in b"".join(export.streaming_content).decode()) == (200, True)
    cafe.adds_up()


@pytest.mark.parametrize("standing", ["late", "suspended"])
def test_nobody_new_joins(shop: Open, standing: str) -> None:
    cafe, _marie, _voucher = cafe_with_marie(shop)
    cafe.stands(standing)

    assert_problem(enroll(cafe), 409, "enrollment_closed")
    assert_problem(cafe.pos.post("cards/enroll", {"name": "Nora"}), 409, "enrollment_closed")
    page = Client(headers=EN).get(f"/loyalty/{cafe.code}/enroll")
    assert (page.status_code, b"<form" in page.content.split(b"<main")[1].split(b"</main")[0]) == (200, False)
    cafe.stands("active")
    assert enroll(cafe).status_code == 201


@pytest.mark.parametrize("standing", ["late", "suspended"])
def test_no_message_goes_out(shop: Open, standing: str) -> None:
    cafe, marie, _voucher = cafe_with_marie(shop)
    done(marie.ask("post", "consents", {"purpose": "service", "channel": "email", "granted": True}))
    cafe.mails()
    cafe.stands(standing)
    cafe.stamps(marie, 2)
    cafe.mails()

    cafe.later(hours=25)

    assert cafe.mails() == []


def test_the_same_message_goes_out_where_the_bill_is_paid(shop: Open) -> None:
    cafe, marie, _voucher = cafe_with_marie(shop)
    done(marie.ask("post", "consents", {"purpose": "service", "channel": "email", "granted": True}))
    cafe.stamps(marie, 2)
    cafe.mails()

    cafe.later(hours=25)

    assert [letter.to for letter in cafe.mails()] == [[MARIE]]


def test_after_sixty_days_a_suspended_merchant_earns_no_more(shop: Open) -> None:
    cafe, marie, _voucher = cafe_with_marie(shop)
    cafe.stands("suspended")
    cafe.later(days=60, seconds=1)

    assert_problem(cafe.asks("stamp", marie), 409, "merchant_suspended")
    assert marie.shows()["stamp_count"] == 0, "the card itself is not invalidated"
    cafe.adds_up()


def test_the_sixty_days_go_on_when_late_becomes_suspended(shop: Open) -> None:
    cafe, marie, _voucher = cafe_with_marie(shop)
    cafe.stands("late")
    cafe.later(days=50)
    cafe.stands("suspended")
    cafe.later(days=10)
    cafe.stamps(marie)

    cafe.later(seconds=1)

    assert_problem(cafe.asks("stamp", marie), 409, "merchant_suspended")
    cafe.adds_up()
