"""The customer's card in a real browser: live, large, without a network, on the phone, and light on the wire."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from core import tenancy
from customers.models import Customer
from loyalty import extensions
from loyalty.models import Card
from loyalty.services import erasure
from tests.support.pages import ANDROID, IPHONE, Listener
from tests.support.till import hook
from tests.support.world import World

WAKE = """
window.awake = [];
Object.defineProperty(navigator, "wakeLock", {value: {request: async (kind) => {
  window.awake.push("on " + kind);
  const lock = new EventTarget();
  lock.release = async () => { window.awake.push("off"); lock.dispatchEvent(new Event("release")); };
  return lock;
}}});
"""
MOST_BYTES = 60_000


class Phone:
    """A customer's browser that has joined."""

    def __init__(self, context: Any, site: Any, world: World) -> None:
        self.context, self.site, self.world = context, site, world
        self.page = context.new_page()
        self.heard = Listener(self.page)

    @property
    def url(self) -> str:
        return f"{self.site.url}/loyalty/{self.world.store.code}"

    def join(self) -> Card:
        self.page.goto(f"{self.url}/enroll")
        self.page.click(hook("get-card"))
        self.page.goto(f"{self.url}/dashboard")
        with tenancy.scope(self.world.merchant_id):
            return Card.objects.latest("id")

    def is_kept(self) -> None:
        """Wait until the copy for times without a network is there."""
        self.page.wait_for_function(
            """async () => (await (await caches.open("card-pages-1")).keys()).length > 0
               && (await (await caches.open("card-files-1")).keys()).length > 5"""
        )
        # From the next visit on the worker, once it is active, stands between the page and the network.
        self.page.evaluate("async () => { await navigator.serviceWorker.ready }")
        self.page.reload()
        self.page.wait_for_function("() => navigator.serviceWorker.controller !== null")

    def cut(self, off: bool = True) -> None:
        """Take the network away, or give it back."""
        self.heard.expects_failures = True
        self.context.set_offline(off)


@pytest.fixture
def phone(site: Any, chromium: Any) -> Iterator[Any]:
    """Yield a function that makes phones; at the end none has complained."""
    made: list[Phone] = []

    def make(world: World, **options: Any) -> Phone:
        shape = {"viewport": {"width": 390, "height": 844}, "locale": "en-GB", "user_agent": IPHONE}
        context = chromium.new_context(**{**shape, **options})
        context.set_default_timeout(15_000)
        context.add_init_script(WAKE)
        made.append(Phone(context, site, world))
        return made[-1]

    yield make
    complaints = [one.heard.complaints for one in made if one.heard.complaints]
    for one in made:
        one.context.close()
    assert complaints == []


def on_page(phone: Phone) -> int:
    return int(phone.page.locator("#live-face .slot.on").count())


def test_a_new_stamp_lands_while_the_page_is_looked_at(phone: Any) -> None:
    world = World.make()
    one = phone(world)
    card = one.join()
    assert on_page(one) == 0

    world.stamp(card, 2)
    one.page.wait_for_selector("#live-face .slot.on >> nth=1")

    assert one.page.locator("#live-face .slot.fresh").count() == 2
    assert one.page.inner_text(".face-fraction") == "2 / 10"
    motion = "getComputedStyle(document.querySelector('.slot.fresh .stamp')).animationName"
    assert one.page.evaluate(motion) == "thunk"
    assert "8 more to your Free coffee" in one.page.inner_text("#live")
    world.stamp(card, 1)
    one.page.wait_for_selector("#live-face .slot.on >> nth=2")
    assert one.page.locator("#live-face .slot.fresh").count() == 1, "only the new mark moves"


def test_a_full_card_turns_into_a_reward(phone: Any) -> None:
    world = World.make(stamps_target=3)
    one = phone(world, reduced_motion="reduce")
    card = one.join()
    world.stamp(card, 2)
    one.page.reload()

    world.stamp(card, 2)
    one.page.wait_for_selector(".gold-panel")

    assert on_page(one) == 1
    fresh = "getComputedStyle(document.querySelector('.slot.fresh .stamp')).animationName"
    assert one.page.evaluate(fresh) == "fade", "who wants no motion sees it fade in"


def test_asks_only_while_it_is_looked_at(phone: Any) -> None:
    world = World.make()
    one = phone(world)
    one.join()
    asked: list[int] = []
    one.page.on("response", lambda answer: asked.append(answer.status) if answer.url.endswith("/state") else None)
    with one.page.expect_response("**/state"):
        one.page.reload()
    one.page.wait_for_timeout(9000)
    assert len(asked) >= 2
    assert set(asked) == {304}, "nothing is sent twice"

    one.page.evaluate(
        """() => { Object.defineProperty(document, "hidden", {value: true, configurable: true});
                   document.dispatchEvent(new Event("visibilitychange")); }"""
    )
    one.page.wait_for_timeout(500)
    before = len(asked)
    one.page.wait_for_timeout(4600)
    assert len(asked) == before
    one.page.evaluate(
        """() => { Object.defineProperty(document, "hidden", {value: false, configurable: true});
                   document.dispatchEvent(new Event("visibilitychange")); }"""
    )
    one.page.wait_for_timeout(1500)
    assert len(asked) == before + 1, "back again, it looks at once"


def test_the_code_fills_the_screen_and_keeps_it_awake(phone: Any) -> None:
    world = World.make()
    one = phone(world, color_scheme="dark")
    card = one.join()

    one.page.click(".face-code")
    one.page.wait_for_function("() => window.awake.length === 1")
    box = one.page.locator("#code-dialog").bounding_box()
    assert (box["width"], box["height"]) == (390, 844)
    assert one.page.evaluate("getComputedStyle(document.getElementById('code-dialog')).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert card.card_number[:4] in one.page.inner_text("#code-dialog")
    one.page.keyboard.press("Escape")
    one.page.wait_for_function("() => window.awake.length === 2")
    assert one.page.evaluate("document.activeElement.className") == "face-code", "the focus is back where it was"

    one.page.keyboard.press("Enter")
    one.page.wait_for_selector("#code-dialog[open]")
    one.page.locator("#code-dialog .qr").click()
    one.page.wait_for_selector("#code-dialog", state="hidden")
    assert one.page.evaluate("window.awake") == ["on screen", "off", "on screen", "off"]


def test_without_a_network_the_code_and_the_last_state_are_there(phone: Any) -> None:
    world = World.make()
    one = phone(world)
    card = one.join()
    world.stamp(card, 7)
    one.page.wait_for_selector("#live-face .slot.on >> nth=6")
    one.is_kept()

    one.cut()
    one.page.reload()

    one.page.wait_for_selector(f"{hook('offline')}:visible")
    assert one.page.locator(hook("card-qr")).count() == 1
    assert on_page(one) == 7
    assert one.page.evaluate("getComputedStyle(document.querySelector('.face')).borderRadius") == "28px", (
        "with its looks"
    )
    world.stamp(card, 1)
    one.cut(False)
    one.page.wait_for_selector("#live-face .slot.on >> nth=7")
    assert one.page.locator(hook("offline")).is_hidden()


def test_an_erased_card_leaves_no_copy(phone: Any) -> None:
    world = World.make()
    one = phone(world)
    one.join()
    one.is_kept()

    one.page.goto(f"{one.url}/privacy/erase")
    one.page.click("main form button[type=submit]")
    one.page.wait_for_function("async () => (await (await caches.open('card-pages-1')).keys()).length === 0")

    one.cut()
    with pytest.raises(Exception, match="net::ERR"):
        one.page.goto(f"{one.url}/dashboard")


def test_a_card_that_others_erased_leaves_no_copy(phone: Any) -> None:
    world = World.make()
    one = phone(world)
    card = one.join()
    one.is_kept()

    with tenancy.scope(world.merchant_id):
        assert Customer.objects.filter(pk=card.customer_id).exists()
    erasure.erase_holder(merchant_id=world.merchant_id, card_id=card.pk, at=world.at)

    one.page.wait_for_url("**/enroll")
    one.page.wait_for_function("async () => (await (await caches.open('card-pages-1')).keys()).length === 0")


def test_the_right_wallet_comes_first_and_the_other_stays(phone: Any) -> None:
    world = World.make()
    kept = list(extensions._links)
    extensions._links[:] = [lambda _card: {"apple_url": "/apple", "google_url": "/google"}]
    try:
        for agent, expected in (
            (IPHONE, ["Apple Wallet", "Google Wallet"]),
            (ANDROID, ["Google Wallet", "Apple Wallet"]),
        ):
            one = phone(world, user_agent=agent)
            one.join()
            shown = one.page.locator(f"{hook('wallets')} span[translate]").all_inner_texts()
            assert shown == expected
            assert one.page.locator(hook("to-phone")).count() == 0
    finally:
        extensions._links[:] = kept


def test_from_the_desktop_to_the_phone(phone: Any) -> None:
    world = World.make()
    desktop = phone(
        world, user_agent="Mozilla/5.0 (X11; Linux x86_64) Chrome/130", viewport={"width": 1280, "height": 800}
    )
    card = desktop.join()
    assert desktop.page.locator(hook("handover-qr")).count() == 0, "not before it is asked for"
    desktop.page.click(hook("to-phone"))
    desktop.page.wait_for_selector(hook("handover-qr"))

    picture = Image.open(io.BytesIO(desktop.page.screenshot()))
    [code] = zxingcpp.read_barcodes(picture)
    assert code.text.startswith(f"{desktop.url}/open/")
    mine, thief = phone(world), phone(world)
    mine.page.goto(code.text)
    mine.page.click(hook("open-card"))
    mine.page.wait_for_url("**/dashboard")
    number = " ".join(card.card_number[at : at + 4] for at in (0, 4, 8))
    assert number in mine.page.inner_text(".face")
    thief.heard.expects_failures = True
    thief.page.goto(code.text)
    assert "This code is over" in thief.page.inner_text("main")
    assert number not in desktop.page.inner_text("main")


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("language", ["en", "fr", "lb"])
def test_is_light_and_fits(phone: Any, width: int, language: str) -> None:
    world = World.make()
    one = phone(world, viewport={"width": width, "height": 700}, locale=language)
    card = one.join()
    world.stamp(card, 7)
    one.heard.answers.clear()
    one.page.goto(f"{one.url}/dashboard", wait_until="load")
    one.page.wait_for_timeout(300)

    assert one.heard.overflow() <= 0
    weighed = one.heard.weigh()
    assert sum(weighed.values()) <= MOST_BYTES, sorted(weighed.items(), key=lambda found: -found[1])
    box = one.page.locator(hook("card-qr")).bounding_box()
    assert box["y"] + box["height"] <= 700, "the code is on the first screen"
    one.page.goto(f"{one.url}/handover")
    assert one.heard.overflow() <= 0


def test_everything_is_there_without_scripts(phone: Any) -> None:
    world = World.make()
    one = phone(world, java_script_enabled=False, user_agent=f"{IPHONE} Instagram 350.0")
    one.join()

    assert one.page.locator(hook("card-qr")).count() == 1
    assert "inside another app" in one.page.inner_text("main")
    one.page.click(".face-code")
    one.page.wait_for_url("**view=code")
    one.page.goto(f"{one.url}/dashboard")
    one.page.fill("[name=email]", "marie@example.com")
    one.page.click(hook("save-card"))
    one.page.wait_for_url("**saved=1")
    assert "A link is on its way to marie@example.com" in one.page.inner_text("main")
