"""The rules as a form: reviewed before they are saved; the life of a program."""

from typing import Any

import pytest

from core import tenancy
from dashboard.forms import sentences
from loyalty.models import Program, ProgramVersion
from loyalty.services import programs
from tests.dashboard.conftest import Shop, open_shop


def fresh(shop: Shop) -> Program:
    with tenancy.scope(shop.merchant_id):
        return Program.objects.get()


def typed(shop: Shop, **changed: Any) -> dict[str, Any]:
    """Return the form as a browser would send it back, with some fields changed."""
    form = shop.client().get(shop.page("settings")).context["form"]
    data = {name: form[name].value() for name in form.fields}
    data["minimum_purchase"] = str(form["minimum_purchase"].value()) if "minimum_purchase" in form.fields else ""
    return sendable({**data, **changed})


def sendable(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a browser does not send: an empty choice, a box that is not ticked."""
    return {name: value for name, value in data.items() if value is not None and value is not False}


def test_a_change_is_shown_first_and_saved_then(shop: Shop) -> None:
    browser, data = shop.client(), typed(shop, stamps_target="12", cooldown_minutes="30", points="1", per_amount="50")
    shown = browser.post(shop.page("settings"), data)
    assert shown.status_code == 200
    changes = {change.label: change for change in shown.context["changes"]}
    assert (changes["Stamps for a full card"].old, changes["Stamps for a full card"].new) == ("10", "12")
    assert "next card" in changes["Stamps for a full card"].applies
    assert changes["Points"].new == "1 for every 50 EUR"
    assert "purchases from now on" in changes["Points"].applies
    assert fresh(shop).version == 1
    # What the review page sends back is what was typed.
    again = sendable({field.html_name: field.value() for field in shown.context["form"]})
    assert browser.post(shop.page("settings"), {**again, "confirmed": "1"}).status_code == 302
    program = fresh(shop)
    assert (program.stamps_target, program.cooldown_minutes, program.version) == (12, 30, 2)
    assert (program.points_per_euro_num, program.points_per_euro_den) == (1, 50)


def test_nothing_typed_is_lost_on_the_way_back(shop: Shop) -> None:
    answer = shop.client().post(shop.page("settings"), {**typed(shop, stamps_target="12"), "edit": "1"})
    assert answer.status_code == 200
    assert answer.context["form"]["stamps_target"].value() == "12"
    assert fresh(shop).version == 1


def test_the_same_again_makes_no_new_version(shop: Shop) -> None:
    answer = shop.client().post(shop.page("settings"), {**typed(shop), "confirmed": "1"})
    assert answer.status_code == 302
    assert fresh(shop).version == 1
    with tenancy.scope(shop.merchant_id):
        assert ProgramVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("stamps_target", "51"),
        ("stamps_target", "-1"),
        ("stamps_target", "9" * 30),
        ("stamps_reward_description", "x" * 121),
        ("full_card", "explode"),
        ("cooldown_minutes", "10081"),
        ("max_daily_stamps", "1001"),
        ("points", "0"),
        ("per_amount", "0"),
        ("per_amount", "-3"),
        ("per_amount", "NaN"),
        ("minimum_purchase", "ten"),
        ("minimum_purchase", "1.005"),
        ("minimum_purchase", "99999999999"),
        ("welcome_bonus_points", "1000001"),
        ("points_expiration_days", "3651"),
        ("void_window_minutes", ""),
    ],
)
@pytest.mark.parametrize("confirmed", [True, False])
def test_a_bad_value_is_said_at_its_field(field: str, value: str, confirmed: bool, shop: Shop) -> None:
    data = typed(shop, **{field: value}) | {field: value} | ({"confirmed": "1"} if confirmed else {})
    answer = shop.client().post(shop.page("settings"), data)
    assert answer.status_code == 400
    assert field in answer.context["form"].errors
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert fresh(shop).version == 1


def test_a_rate_that_no_program_can_have_is_said_at_the_points(shop: Shop) -> None:
    answer = shop.client().post(shop.page("settings"), typed(shop, points="1000000", per_amount="0.01"))
    assert answer.status_code == 400
    assert "points" in answer.context["form"].errors


def test_money_is_read_in_the_merchants_currency(shop: Shop) -> None:
    data = typed(shop, minimum_purchase="4,50") | {"confirmed": "1"}
    shop.client().post(shop.page("settings"), data)
    assert fresh(shop).minimum_purchase_cents == 450
    assert "4.50" in shop.client().get(shop.page("settings")).content.decode()


def test_a_stamp_program_shows_nothing_of_points(db: None) -> None:
    shop = open_shop(loyalty_type="stamps")
    fields = shop.client().get(shop.page("settings")).context["form"].fields
    assert "stamps_target" in fields
    assert "points" not in fields


def test_a_point_program_shows_nothing_of_stamps(db: None) -> None:
    shop = open_shop(loyalty_type="points")
    fields = shop.client().get(shop.page("settings")).context["form"].fields
    assert "points" in fields
    assert "stamps_target" not in fields


def test_the_life_of_a_program_goes_its_way_and_no_other(shop: Shop) -> None:
    browser = shop.client()
    assert browser.get(shop.page("settings/ended")).status_code == 404
    assert browser.get(shop.page("settings/nonsense")).status_code == 404
    for status in ("paused", "active", "paused", "ended"):
        assert browser.get(shop.page(f"settings/{status}")).status_code == 200
        assert browser.post(shop.page(f"settings/{status}")).status_code == 302
        assert fresh(shop).status == status
    answer = browser.post(shop.page("settings/active"), follow=True)
    assert [message.level_tag for message in answer.context["messages"]][-1] == "error"
    assert fresh(shop).status == "ended"


def test_a_store_with_its_own_program_changes_its_own(shop: Shop) -> None:
    browser = shop.client()
    browser.post("/store/merchant/stores/new", {"name": "Bar", "country": "LU", "time_zone": "Europe/Luxembourg"})
    store = browser.get("/store/merchant/stores").context["desk"].stores[-1]
    data = {"name": "Bar card", "loyalty_type": "stamps", "status": "active"}
    programs.create(merchant_id=shop.merchant_id, store_id=store.pk, data=data, user_id=None, at=shop.world.at)
    url = f"/store/{store.code}/loyalty/settings"
    assert browser.get(url).context["program"].name == "Bar card"
    assert browser.get(shop.page("settings")).context["program"].name == "CoffeeLux"


def test_rules_are_sentences_with_the_value_inside(shop: Shop) -> None:
    page = shop.client().get(shop.page("settings"))
    lines = [*page.context["form"].stamps, *page.context["form"].rate, *page.context["form"].fair]
    by_name = {line.field.name: line for line in lines}

    assert (by_name["stamps_target"].before, by_name["stamps_target"].after) == ("A card is full after", "stamps.")
    assert by_name["per_amount"].after == "EUR they spend."
    assert not by_name["full_card"].is_sentence, "a choice is asked, not told"
    names = set(page.context["form"].fields) - {"name"}
    assert set(by_name) == names, "every rule is on the page"
    for name, line in by_name.items():
        assert f'name="{name}"' in page.content.decode()
        assert name not in sentences.SENTENCES or line.is_sentence
