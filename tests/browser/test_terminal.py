"""The till's sheets in a real browser, each inspected: names, PIN, scan, card, success, refusal, history, help."""

from typing import Any

import pytest

from tests.browser.conftest import clean
from tests.support.inspector import HEIGHTS, PHONE, Inspector
from tests.support.till import Till, hook, make_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def open_till(site: Any, inspector: Any) -> Any:
    """Return a function that pairs a phone with the till of a new merchant."""

    def make(**rules: Any) -> tuple[Till, Inspector]:
        seen = inspector()
        seen.expects_refusals = True
        till = Till(seen.page, site, make_world(**rules))
        seen.page.set_viewport_size({"width": PHONE, "height": HEIGHTS[PHONE]})
        till.pair()
        return till, seen

    return make


def test_each_sheet(open_till: Any) -> None:
    till, seen = open_till(cooldown_minutes=15)
    card = till.world.card(name="Marie Kieffer")
    seen.inspect("names")
    seen.page.click(hook("staff-tile"))
    seen.inspect("PIN")
    till.press_pin("482193")
    seen.page.wait_for_selector("#person:has-text('Anna')")
    seen.inspect("scan")
    till.open(card)
    seen.inspect("card")
    till.gives()
    seen.inspect("done")
    till.open(card)
    seen.page.click(hook("give"))
    seen.page.wait_for_selector(hook("refusal"))
    seen.inspect("refusal")
    till.open(card)
    seen.page.click("text=Correct")
    seen.page.wait_for_selector("#sheet .row-line")
    seen.inspect("history")
    seen.page.keyboard.press("Escape")
    seen.page.click("[data-opens=till-help]")
    seen.inspect("help")
    clean(seen, at_least=8)


def test_the_amount_pad_and_a_reward(open_till: Any) -> None:
    till, seen = open_till(loyalty_type="hybrid", points_per_euro="10", stamps_target=2)
    card = till.world.card(name="Paul Weber")
    _, carla = till.world.staff("Carla", "735913")
    till.world.stamp(card, 2, staff=carla)
    till.sign_in()
    till.open(card)
    seen.inspect("card with a pad and a reward")
    seen.page.click(f"{hook('redeem')}:has-text('Free coffee')")
    seen.page.wait_for_selector(f"{hook('redeem')}:has-text('Hand it out')")
    seen.inspect("hand it out")
    clean(seen, at_least=2)
