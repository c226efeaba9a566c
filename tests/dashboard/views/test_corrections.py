"""Corrections in the back office: undo of today, and refunds."""

from typing import Any
from uuid import UUID

import pytest

from core.ids import uuid7
from tests.dashboard.conftest import Shop, open_shop, picture


@pytest.fixture
def sold(db: None) -> tuple[Shop, Any, str]:
    """A shop with points, a card, and the address of the page about its sale of 20 €."""
    shop = open_shop(loyalty_type="points", points_per_euro="1/10")
    card = shop.card(name="Tom")
    sale = shop.world.sale(card, 2000)
    return shop, card, shop.page(f"cards/{card.pk}/refund/{sale['transaction_id']}")


def correct(shop: Shop, url: str, **data: str) -> Any:
    return shop.client().post(url, {"reason": "typed twice", "key": str(uuid7()), **data})


def test_an_operation_is_undone_with_its_reason(shop: Shop) -> None:
    card = shop.card(name="Tom")
    given = shop.world.stamp(card, quantity=2)
    url = shop.page(f"cards/{card.pk}/void/{given['transaction_id']}")
    assert shop.client().get(url).status_code == 200
    assert correct(shop, url).url == shop.page(f"cards/{card.pk}")
    assert shop.world.assert_adds_up(card).stamp_count == 0
    shown = shop.client().get(shop.page(f"cards/{card.pk}"))
    assert "typed twice" in shown.content.decode()
    voided = [line for line in shown.context["history"].lines if line.undone]
    assert [line.id for line in voided] == [UUID(str(given["transaction_id"]))]
    assert not any(line.can_void for line in shown.context["history"].lines)


def test_a_second_click_undoes_once_and_a_second_form_is_refused(shop: Shop) -> None:
    card = shop.card(name="Tom")
    given = shop.world.stamp(card, quantity=2)
    url, key = shop.page(f"cards/{card.pk}/void/{given['transaction_id']}"), str(uuid7())
    for _ in range(2):
        assert correct(shop, url, key=key).status_code == 302
    assert len(shop.world.rows(card)) == 3
    answer = correct(shop, url)
    assert answer.status_code == 409
    assert "undone already" in str(answer.context["form"].non_field_errors())
    assert shop.world.assert_adds_up(card).stamp_count == 0


def test_money_that_went_back_takes_its_points(sold: tuple[Shop, Any, str]) -> None:
    shop, card, url = sold
    assert "20.00" in shop.client().get(url).content.decode()
    for _ in range(2):
        assert correct(shop, url, amount="5").status_code == 302
    assert shop.world.assert_adds_up(card).points_balance == 1


def test_more_than_the_sale_is_refused(sold: tuple[Shop, Any, str]) -> None:
    shop, card, url = sold
    answer = correct(shop, url, amount="20.01")
    assert answer.status_code == 409
    assert answer.context["form"].non_field_errors()
    assert answer.context["form"]["reason"].value() == "typed twice"
    assert shop.world.assert_adds_up(card).points_balance == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", "0"), ("amount", ""), ("amount", "-5"), ("amount", "five"), ("amount", "1.001"), ("reason", ""),
     ("reason", "x" * 201)],
)  # fmt: skip
def test_a_bad_value_is_said_at_its_field(field: str, value: str, sold: tuple[Shop, Any, str]) -> None:
    shop, _card, url = sold
    before = picture(shop)
    answer = correct(shop, url, **{"amount": "5", field: value})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert picture(shop) == before


def test_a_row_of_another_card_is_not_found_under_this_one(sold: tuple[Shop, Any, str]) -> None:
    shop, _card, url = sold
    stranger = shop.card(name="Eve")
    wrong = shop.page(f"cards/{stranger.pk}/refund/{url.rsplit('/', 1)[1]}")
    assert shop.client().get(wrong).status_code == 404
    assert correct(shop, wrong, amount="5").status_code == 404


def test_a_manager_needs_no_pin_in_the_back_office(sold: tuple[Shop, Any, str]) -> None:
    shop, card, url = sold
    shop.world.change(require_staff_pin=True)
    assert shop.client("manager").post(url, {"reason": "came back", "amount": "20"}).status_code == 302
    assert shop.world.assert_adds_up(card).points_balance == 0
    row = shop.world.rows(card)[-1]
    assert (row.channel, row.user_id) == ("dashboard", shop.people["manager"].pk)
