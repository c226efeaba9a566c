"""The till when something is in the way: a wrong PIN, a lock, a limit, a lost connection."""

from typing import Any

import pytest

from core import tenancy
from customers.models import Customer
from loyalty.services.operations import StaffProof
from merchants.models import MerchantSettings
from stores.models import StaffPin
from tests.support.till import CLOCK, PIN, hook, make_world

pytestmark = pytest.mark.browser


def test_wrong_pin_tells_the_tries_left_and_then_locks(open_till: Any) -> None:
    world = make_world()
    till = open_till(world)
    till.page.click(f"{hook('staff-tile')}:has-text('Anna')")
    for left in (4, 3, 2, 1):
        till.press_pin("111222")
        till.page.wait_for_selector(f"#pin-error:has-text('Wrong PIN. {left} tr')")
    till.press_pin("111222")
    till.page.wait_for_selector("#pin-error:has-text('No tries left for now')")
    till.press_pin(PIN)
    till.page.wait_for_selector(f"#pin-error :text-matches('Locked until {CLOCK}')")
    assert till.page.locator("#person").is_hidden()


def test_cooldown_is_told_with_the_time(open_till: Any) -> None:
    world = make_world(cooldown_minutes=15)
    card = world.card()
    till = open_till(world)
    till.sign_in()
    till.open(card)
    till.gives()
    till.open(card)
    till.page.wait_for_selector(f"{hook('card-sheet')} :text-matches('Next stamp possible at {CLOCK}')")
    till.page.click(hook("give"))
    till.page.wait_for_selector(f"{hook('refusal')} :text-matches('Next stamp possible at {CLOCK}')")
    till.says("Nothing was given.")
    till.enter()
    till.sees_card(card)
    assert world.assert_adds_up(card).stamp_count == 1


def test_scan_before_the_pin_opens_after_it(open_till: Any) -> None:
    world = make_world()
    card = world.card()
    till = open_till(world)
    till.page.fill(hook("scan-input"), card.card_number)
    till.page.press(hook("scan-input"), "Enter")
    till.says("The card is read.")
    till.sign_in()
    till.sees_card(card)


def test_revoked_session_asks_for_the_pin_and_goes_on(open_till: Any) -> None:
    world = make_world()
    card = world.card()
    till = open_till(world)
    till.sign_in()
    till.open(card)
    till.page.evaluate(
        "import('/static/dashboard/terminal/state.js').then(({state}) => { state.staff.token = 'old'; })"
    )
    till.page.click(hook("give"))
    till.sign_in("Ben", "735912")
    till.succeeded()
    assert world.assert_adds_up(card).stamp_count == 1
    assert till.page.inner_text("#person .person-name") == "Ben"


def test_lost_answer_is_asked_for_again_under_the_same_key(open_till: Any) -> None:
    world = make_world()
    card = world.card()
    till = open_till(world)
    till.sign_in()
    till.open(card)
    keys: list[str] = []

    def note(sent: Any) -> None:
        if sent.url.endswith("/stamp"):
            keys.append(sent.headers["idempotency-key"])
        elif sent.url.endswith("/terminal/batch"):
            keys.extend(item["key"] for item in sent.post_data_json["operations"])

    till.page.on("request", note)
    # The answer of the first try is lost after the server booked it.
    lost: list[int] = []

    def lose(route: Any) -> None:
        lost.append(route.fetch().status)
        route.abort("connectionreset")

    till.page.route("**/api/v1/store/loyalty/stamp", lose, times=1)
    till.page.click(hook("give"))
    till.page.wait_for_selector(f"{hook('done')}:has-text('1 stamp saved')")
    assert lost == [201]
    # It may have been booked: it cannot be taken out of the queue, only off the card.
    assert till.page.locator(hook("undo")).is_hidden()
    till.page.wait_for_selector("#live :text('is sent and given')")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert world.assert_adds_up(card).stamp_count == 1
    till.complaints[:] = [text for text in till.complaints if "ERR_CONNECTION_RESET" not in text]


def test_unknown_number_says_what_to_do(open_till: Any) -> None:
    world = make_world()
    till = open_till(world)
    till.sign_in()
    till.page.fill(hook("scan-input"), "123456789015")
    till.page.press(hook("scan-input"), "Enter")
    till.says("No card here by that")
    till.enter()
    assert till.focus() == "scan-input"


def test_without_a_pin_policy_nobody_is_asked(open_till: Any) -> None:
    world = make_world()
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(staff_pin_policy="disabled")
    card = world.card()
    till = open_till(world)
    till.open(card)
    till.gives()
    assert world.assert_adds_up(card).stamp_count == 1


def test_idle_till_locks_and_forgets_the_card(open_till: Any) -> None:
    world = make_world()
    card = world.card(name="Marie Kieffer")
    till = open_till(world)
    till.page.clock.install()
    till.page.reload()
    till.page.wait_for_selector("[data-ready=yes]")
    till.sign_in()
    till.open(card)
    till.page.clock.run_for(106_000)
    till.page.wait_for_selector("#locks-in:has-text('Locks in')")
    till.page.clock.run_for(20_000)
    till.says("Locked after a quiet while.")
    assert till.page.locator(hook("card-sheet")).count() == 0
    assert "Marie" not in till.page.content()
    assert till.page.evaluate("import('/static/dashboard/terminal/state.js').then(({state}) => state.staff)") is None


def test_rule_22_a_redemption_and_its_undo_ask_for_the_pin_again(open_till: Any) -> None:
    world = make_world(stamps_target=2)
    card = world.card()
    world.stamp(card, 2, staff=StaffProof(pin=PIN))
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(ask_pin_again=True)
    till = open_till(world)
    till.sign_in()
    till.open(card)
    till.page.click(f"{hook('redeem')}:has-text('Free coffee')")
    till.page.click(f"{hook('redeem')}:has-text('Hand it out')")
    till.page.wait_for_selector("#pin-error:has-text('enter your PIN once more')")
    till.press_pin("111222")
    till.page.wait_for_selector("#pin-error:has-text('Wrong PIN. 4 tr')")
    till.press_pin(PIN)
    till.succeeded()
    assert world.assert_adds_up(card).rewards_ready == 0
    till.page.click(hook("undo"))
    till.page.wait_for_selector("#pin-error:has-text('enter your PIN once more')")
    till.press_pin(PIN)
    till.page.wait_for_selector("#sheet :text('Taken back')")
    assert world.assert_adds_up(card).rewards_ready == 1
    assert till.page.locator("#person").is_visible()


def test_rule_22_the_own_card_is_refused_in_plain_words(open_till: Any) -> None:
    world = make_world()
    card = world.card()
    with tenancy.scope(world.merchant_id):
        anna = StaffPin.objects.get(name="Anna")
        Customer.objects.filter(pk=card.customer_id).update(staff_pin=anna)
    till = open_till(world)
    till.sign_in()
    till.open(card)
    till.page.click(hook("give"))
    till.page.wait_for_selector(f"{hook('refusal')} :text('This is your own card.')")
    till.says("Nothing was given.")
    assert world.fresh(card).stamp_count == 0
