"""The back office on a phone: rows of links that are wider than it, and buttons that are tapped twice."""

from typing import Any

import pytest

from core import tenancy
from stores.models import StaffPin
from tests.journeys.test_cards_search import opened
from tests.support.pages import Listener
from tests.support.world import World

pytestmark = pytest.mark.browser
IN_SIGHT = """() => { const strip = document.querySelector(".seg-scroll"), here = strip.querySelector("[aria-current]");
    const [box, at] = [strip.getBoundingClientRect(), here.getBoundingClientRect()];
    return [here.textContent, at.left >= box.left - 1 && at.right <= box.right + 1, strip.className]; }"""


def test_the_link_of_the_page_is_in_sight_and_the_edges_tell_of_more(site: Any, chromium: Any) -> None:
    page = opened(site, chromium, World.make())
    heard = Listener(page)

    page.goto(f"{site.url}/store/merchant/api-keys")
    page.wait_for_selector(".seg-scroll.more-before")

    assert page.evaluate(IN_SIGHT) == ["API keys", True, "seg-scroll more-before"]
    page.evaluate("document.querySelector('.seg-scroll').scrollLeft = 0")
    page.wait_for_selector(".seg-scroll.more-after:not(.more-before)")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_selector(".seg-scroll:not(.more-after)")
    assert heard.complaints == []
    page.context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_double_tap_in_the_wizard_still_shows_the_pin(scripts: bool, site: Any, chromium: Any) -> None:
    world = World.make()
    page = opened(site, chromium, world, java_script_enabled=scripts)
    page.goto(f"{site.url}/store/onboarding/3")
    page.fill("[name=person]", "Anna")

    page.locator("main form button:has-text('Continue')").first.dblclick(no_wait_after=True)

    page.wait_for_selector("h1:has-text('PIN for Anna')")
    assert page.locator(".secret > output").inner_text().strip().isdigit()
    with tenancy.scope(world.merchant_id):
        assert StaffPin.objects.count() == 1
    page.context.close()
