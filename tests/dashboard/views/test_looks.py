"""The colour of the card and the sheet to print."""

import pytest

from core import tenancy
from merchants.models import Merchant
from tests.dashboard.conftest import Shop


def merchant(shop: Shop) -> Merchant:
    with tenancy.scope(shop.merchant_id):
        return Merchant.objects.get()


def test_a_colour_is_kept_and_makes_a_new_version(shop: Shop) -> None:
    browser, before = shop.client(), merchant(shop).branding_version
    assert browser.post(shop.page("branding"), {"name": "CoffeeLux", "card_color": "#5A2D1A"}).status_code == 302
    assert merchant(shop).card_color == "#5A2D1A"
    assert merchant(shop).branding_version == before + 1
    shown = browser.get(shop.page("branding"))
    sheet = browser.get(shown.context["theme_css"])
    assert "#5A2D1A" in sheet.content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("card_color", "brown"), ("card_color", "#12"), ("card_color", ""), ("card_color", "#GGGGGG"), ("name", ""),
     ("name", "x" * 81)],
)  # fmt: skip
def test_a_bad_value_is_said_at_its_field(field: str, value: str, shop: Shop) -> None:
    data = {"name": "CoffeeLux", "card_color": "#5A2D1A", field: value}
    answer = shop.client().post(shop.page("branding"), data)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert merchant(shop).branding_version == 1


def test_the_poster_leads_to_the_enrolment(shop: Shop) -> None:
    answer = shop.client().get(shop.page("posters"))
    assert answer.context["enroll_url"].endswith(f"/loyalty/{shop.code}/enroll")
    assert "10 tampons, Free coffee" in answer.content.decode()
