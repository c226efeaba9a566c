"""What points buy: added, changed, switched off, taken off."""

import pytest

from core import tenancy
from loyalty.models import Reward
from tests.dashboard.conftest import Shop, open_shop, reward


def test_a_reward_works_from_adding_to_taking_off(shop: Shop) -> None:
    browser = shop.client()
    assert browser.post(shop.page("rewards/new"), {"name": "Mug", "points_cost": "50"}).status_code == 302
    assert "Mug" in browser.get(shop.page("rewards")).content.decode()
    url = shop.page(f"rewards/{shop.ids['reward_id']}")
    browser.post(url, {"name": "Big bag", "points_cost": "70", "description": "Of canvas."})
    kept = reward(shop)
    assert (kept.name, kept.points_cost, kept.description) == ("Big bag", 70, "Of canvas.")
    browser.post(f"{url}/switch", {"on_offer": "0"})
    assert not reward(shop).is_active
    browser.post(f"{url}/switch", {"on_offer": "1"})
    assert reward(shop).is_active
    assert "Big bag" in browser.get(f"{url}/remove").content.decode()
    assert browser.post(f"{url}/remove").status_code == 302
    assert browser.get(url).status_code == 404


def test_a_reward_that_was_handed_out_is_archived(shop: Shop) -> None:
    card = shop.card()
    shop.world.sale(card, 1000)
    shop.world.spend(card, shop.ids["reward_id"])
    shop.client().post(shop.page(f"rewards/{shop.ids['reward_id']}/remove"))
    assert reward(shop).archived_at is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "x" * 81), ("points_cost", "0"), ("points_cost", "many"), ("points_cost", str(2**31)),
     ("description", "x" * 301)],
)  # fmt: skip
def test_a_bad_value_is_said_at_its_field(field: str, value: str, shop: Shop) -> None:
    data = {"name": "Mug", "points_cost": "50", "description": "", field: value}
    for url in (shop.page("rewards/new"), shop.page(f"rewards/{shop.ids['reward_id']}")):
        answer = shop.client().post(url, data)
        assert answer.status_code == 400
        assert list(answer.context["form"].errors) == [field]
    with tenancy.scope(shop.merchant_id):
        assert list(Reward.objects.values_list("name", "points_cost")) == [("Tote bag", 5)]


def test_a_stamp_program_says_what_a_full_card_gives(db: None) -> None:
    shop = open_shop(loyalty_type="stamps")
    shown = shop.client().get(shop.page("rewards")).content.decode()
    assert "Free coffee" in shown
    assert "rewards/new" not in shown
