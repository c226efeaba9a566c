"""The till in a real browser: the main job, by hand, by keys and by scanner."""

from typing import Any

import pytest
from django.test import Client

from core import tenancy
from loyalty.models import Card, Reward
from merchants.models import Membership
from tests.support.till import CLOCK, PIN, hook, make_world

pytestmark = pytest.mark.browser


def test_ten_stamps_reward_redeem_and_refused_void(open_till: Any) -> None:
    world = make_world(stamps_target=10)
    card = world.card(name="Marie Kieffer")
    till = open_till(world)
    till.sign_in()
    for count in range(1, 10):
        till.open(card)
        assert f"{count - 1} of 10" in till.page.inner_text(hook("card-sheet"))
        if count > 1:
            till.page.click("[data-act=give]")
            till.page.wait_for_selector(f"{hook('done')}:not([data-pending]) {hook('undo')}, {hook('confirm')}")
            if till.page.locator(hook("confirm")).count():
                till.says("Once more?")
                till.page.click(hook("confirm"))
            till.succeeded()
        else:
            till.gives()
        till.says(f"{count} of 10")
        assert till.focus() == "scan-input"
    till.open(card)
    till.page.click(hook("give"))
    till.page.click(hook("confirm"))
    till.succeeded()
    till.says("Free coffee is ready")
    tenth = world.rows(card)[-2]
    assert tenth.type == "stamp_earned"

    till.open(card)
    till.page.click(f"{hook('redeem')}:has-text('Free coffee')")
    till.page.click(f"{hook('redeem')}:has-text('Hand it out')")
    till.succeeded()
    till.says("Handed out to M… K.")

    till.open(card)
    assert till.page.locator(hook("redeem")).count() == 0
    till.page.click("text=Correct")
    till.page.click(".row-line:has-text('Free coffee is ready') button")
    till.says("Handed out already")
    fresh = world.assert_adds_up(card)
    assert (fresh.stamp_count, fresh.rewards_ready) == (0, 0)
    assert [row.type for row in world.rows(card)].count("void") == 0


def test_undo_takes_the_stamp_back(open_till: Any) -> None:
    world = make_world()
    card = world.card()
    till = open_till(world)
    till.sign_in()
    till.open(card)
    till.page.click("[data-act=more]")
    till.page.click("[data-act=more]")
    assert till.page.inner_text(hook("give")) == "Give 3 stamps"
    till.gives()
    till.page.click(hook("undo"))
    till.says("Taken back from")
    assert world.assert_adds_up(card).stamp_count == 0
    assert till.focus() == "scan-input"


def test_success_shrinks_to_a_bar_that_can_undo(open_till: Any) -> None:
    world = make_world()
    card = world.card()
    till = open_till(world)
    till.sign_in()
    till.open(card)
    till.gives()
    till.page.wait_for_selector(hook("done"), state="detached")
    assert "1 of 10" in till.page.inner_text("#sheet")
    till.page.click(f"#sheet {hook('undo')}")
    till.says("Taken back from")
    assert world.assert_adds_up(card).stamp_count == 0


def test_points_of_30_and_20_euro_give_one_point(open_till: Any) -> None:
    world = make_world(loyalty_type="points", points_per_euro="1/50")
    card = world.card(name="Paul Weber")
    till = open_till(world)
    till.sign_in()
    till.open(card)
    till.amount("3000")
    till.says("= 0 points · €20.00 to the next")
    till.gives()
    till.says("+0 points")
    till.open(card)
    till.amount("2000")
    till.says("= 1 point")
    assert till.page.inner_text(hook("give")) == "Give 1 point"
    till.gives()
    till.says("+1 point")
    assert world.assert_adds_up(card).points_balance == 1
    assert [row.purchase_amount_cents for row in world.rows(card) if row.type == "points_earned"] == [3000, 2000]


def test_points_reward_is_handed_out_in_two_taps(open_till: Any) -> None:
    world = make_world(loyalty_type="points", points_per_euro=10)
    card = world.card()
    with tenancy.scope(world.merchant_id):
        Reward.objects.create(program=world.program, name="Tote bag", points_cost=100)
    till = open_till(world)
    till.sign_in()
    till.open(card)
    till.amount("1000")
    till.gives()
    till.open(card)
    till.page.click(f"{hook('redeem')}:has-text('Tote bag')")
    till.page.click(hook("redeem"))
    till.succeeded()
    till.says("Tote bag")
    assert world.assert_adds_up(card).points_balance == 0


def test_hybrid_sale_gives_points_and_the_stamp_once_per_cooldown(open_till: Any) -> None:
    world = make_world(loyalty_type="hybrid", points_per_euro=10, cooldown_minutes=15)
    card = world.card()
    till = open_till(world)
    till.sign_in()
    till.open(card)
    till.amount("2500")
    till.page.wait_for_selector(f"{hook('give')}:has-text('Give a stamp and 250 points')")
    till.gives()
    till.says("1 of 10 stamps")
    till.open(card)
    till.amount("500")
    till.page.wait_for_selector(f"#sheet :text-matches('Points only. Next stamp possible at {CLOCK}')")
    till.gives()
    fresh = world.assert_adds_up(card)
    assert (fresh.stamp_count, fresh.points_balance) == (1, 300)


def test_keyboard_alone_does_the_main_job(open_till: Any) -> None:
    world = make_world()
    card = world.card(name="Marie Kieffer")
    till = open_till(world)
    keys = till.page.keyboard
    till.page.wait_for_selector(hook("staff-tile"))
    till.page.focus(f"{hook('staff-tile')}:has-text('Anna')")
    keys.press("Enter")
    keys.type(PIN)
    keys.press("Enter")
    till.page.wait_for_selector("#person:has-text('Anna')")
    assert till.focus() == "scan-input"
    keys.type("Marie")
    keys.press("Enter")
    till.sees_card(card)
    keys.press("Enter")
    till.succeeded()
    assert world.fresh(card).stamp_count == 1
    keys.press("u")
    till.says("Taken back from")
    assert world.assert_adds_up(card).stamp_count == 0
    keys.type(card.card_number)
    keys.press("Enter")
    till.sees_card(card)
    keys.press("Escape")
    till.page.wait_for_selector(hook("card-sheet"), state="detached")
    keys.press("?")
    till.page.wait_for_selector("#till-help[open]")
    keys.press("Escape")
    till.page.wait_for_selector("#till-help", state="hidden")
    keys.press("l")
    till.page.wait_for_selector(hook("staff-tile"))
    assert till.page.locator("#person").is_hidden()


def test_scanner_types_the_address_anywhere(open_till: Any) -> None:
    world = make_world()
    first, second = world.card(name="Marie Kieffer"), world.card(name="Paul Weber")
    till = open_till(world)
    till.sign_in()
    till.open(first)
    till.page.keyboard.type(f"{till.site.url}/c/{second.qr_code_data}")
    till.page.keyboard.press("Enter")
    till.sees_card(second)
    till.page.keyboard.type(first.qr_code_data)
    till.page.keyboard.press("Enter")
    till.sees_card(first)
    till.page.click("#new-card")
    till.page.focus("#new-name")
    till.page.keyboard.type(second.card_number)
    till.page.keyboard.press("Enter")
    till.sees_card(second)
    with tenancy.scope(world.merchant_id):
        assert Card.objects.count() == 2
    assert world.fresh(first).stamp_count == world.fresh(second).stamp_count == 0


def test_code_opened_on_the_till_opens_the_sheet(open_till: Any) -> None:
    world = make_world()
    card = world.card()
    till = open_till(world)
    till.page.goto(f"{till.site.url}/c/{card.qr_code_data}")
    till.page.wait_for_selector("[data-ready=yes]")
    till.sign_in()
    till.sees_card(card)
    assert card.qr_code_data not in till.page.url


def test_new_card_shows_the_code_and_takes_typed_ones(open_till: Any) -> None:
    world = make_world()
    till = open_till(world)
    till.sign_in()
    till.page.click("#new-card")
    assert till.page.locator(hook("enroll-qr")).is_visible()
    till.page.fill("#new-email", "not an address")
    till.page.click(hook("make-card"))
    till.page.wait_for_selector("#new-email-error:visible")
    till.page.fill("#new-email", "")
    till.page.fill("#new-name", "Jos Schmit")
    till.page.click(hook("make-card"))
    till.page.wait_for_selector(f"{hook('card-sheet')}:has-text('J… S.')")
    with tenancy.scope(world.merchant_id):
        assert Card.objects.get().customer.name == "Jos Schmit"


@pytest.mark.parametrize("kind", ["stamps", "points", "hybrid"])
def test_every_width_holds_the_sheet(open_till: Any, kind: str) -> None:
    world = make_world(loyalty_type=kind, points_per_euro=10)
    card = world.card(name="Marie-Antoinette Kieffer-Weber")
    till = open_till(world)
    till.sign_in()
    till.open(card)
    for width, height in ((1280, 800), (1024, 768), (834, 1194), (768, 1024), (390, 844), (360, 640), (320, 640)):
        till.page.set_viewport_size({"width": width, "height": height})
        assert till.page.evaluate("document.documentElement.scrollWidth") <= width
        for name in ("give", "amount-key"):
            for box in (element.bounding_box() for element in till.page.locator(hook(name)).all()):
                assert min(box["height"], box["width"]) >= 48
        box = till.page.locator(hook("give")).bounding_box()
        if kind == "stamps" or width >= 360:
            assert box["y"] + box["height"] <= height
        # An upright tablet keeps the camera in sight while a card lies open.
        if width >= 700:
            stage = till.page.locator(".till-stage").bounding_box()
            assert stage["height"] >= 300
            assert till.page.locator(hook("scan-input")).is_visible()


def test_manager_opens_the_till_and_follows_the_pin_policy(open_till: Any) -> None:
    world = make_world()
    with tenancy.scope(world.merchant_id):
        Membership.objects.create(user=world.owner, role="owner")
    card = world.card()
    till = open_till(world, pair=False)
    browser = Client()
    browser.force_login(world.owner)
    session = browser.cookies["sessionid"].value
    till.page.context.add_cookies([{"name": "sessionid", "value": session, "url": till.site.url}])
    till.page.goto(f"{till.site.url}/store/{world.store.code}/loyalty/terminal")
    till.sign_in()
    till.open(card)
    till.gives()
    assert world.assert_adds_up(card).stamp_count == 1
