"""The preview of a card while its rules and colour are typed, and the living style page, in a real browser."""

import io
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client, override_settings
from PIL import Image

from core import tenancy
from merchants.models import Membership, Merchant
from merchants.rules import colours
from tests.support.pages import Listener
from tests.support.till import hook
from tests.support.world import World

HARD = "#7F7F7F"
CHOOSE = """(color) => { const field = document.querySelector("[name=card_color]");
    field.value = color; field.dispatchEvent(new Event("input", {bubbles: true})); }"""


class Desk:
    """An owner's browser, signed in."""

    def __init__(self, context: Any, site: Any, world: World) -> None:
        self.site, self.world, self.page = site, world, context.new_page()
        self.heard = Listener(self.page)
        client = Client()
        client.force_login(world.owner, backend="django.contrib.auth.backends.ModelBackend")
        name = django_settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": site.url}])

    def open(self, path: str) -> None:
        self.page.goto(f"{self.site.url}{path}")
        self.page.wait_for_selector(hook("pass-preview"))

    def tab(self, name: str) -> None:
        self.page.click(f"label[for=pass-tab-{name}]")

    def said(self, place: str) -> str:
        return str(self.page.inner_text(place))


@pytest.fixture
def desk(site: Any, chromium: Any) -> Iterator[Any]:
    """Yield a function that opens an owner's browser; at the end nothing was complained about."""
    made: list[Any] = []

    def start(world: World, width: int = 1280) -> Desk:
        with tenancy.scope(world.merchant_id):
            merchant = Merchant.objects.get(pk=world.merchant_id)
            Membership.objects.create(merchant=merchant, user=world.owner, role="owner")
        context = chromium.new_context(viewport={"width": width, "height": 800}, locale="en-GB")
        context.set_default_timeout(10_000)
        made.append((context, Desk(context, site, world)))
        return made[-1][1]

    yield start
    complaints = [one.heard.complaints for _context, one in made if one.heard.complaints]
    for context, _one in made:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("path", ["/store/onboarding/1", "/store/{code}/loyalty/settings"])
def test_is_drawn_anew_with_every_letter(desk: Any, path: str) -> None:
    world = World.make()
    one = desk(world)
    one.open(path.format(code=world.store.code))

    one.page.fill("[name=stamps_target]", "6")
    one.page.fill("[name=stamps_reward_description]", "Free <b>lunch</b>")

    assert one.page.locator(".pass-pane-web .slot").count() == 6
    assert one.page.locator(".pass-pane-web .slot.on").count() == 4
    assert one.said(".pass-pane-web .lead") == "2 more to your Free <b>lunch</b>"
    one.tab("apple")
    assert one.said(".pass-apple [data-pass=fraction]") == "4/6"
    assert one.said(".pass-apple [data-pass=next]") == "2 more to your Free <b>lunch</b>"
    one.page.fill("[name=stamps_target]", "")
    assert one.page.locator(".pass-apple .slot").count() == 10, "nothing typed is the card of now"
    one.page.fill("[name=stamps_target]", "99999")
    assert one.page.locator(".pass-apple .slot").count() == 30


def test_shows_where_google_cuts(desk: Any) -> None:
    world = World.make()
    one = desk(world)
    one.open("/store/onboarding/1")
    one.tab("google")

    one.page.fill("[name=name]", "Le  Grand Café de la Gare")

    assert one.said(".pass-google [data-pass=name-google]") == "Le Grand Café de la…"
    assert "is-over" in one.page.get_attribute("[data-pass-length=name]", "class")
    assert one.said("[data-pass-length=name] [data-count]") == "25"
    one.page.fill("[name=name]", "Le Grand Café")
    assert one.said(".pass-google [data-pass=name-google]") == "Le Grand Café"


def test_stays_in_view_on_a_phone(desk: Any) -> None:
    world = World.make()
    one = desk(world, width=390)
    one.open("/store/onboarding/1")

    one.page.fill("[name=stamps_target]", "8")
    one.page.evaluate("window.scrollTo(0, 400)")

    box = one.page.locator(hook("pass-strip")).bounding_box()
    assert 0 <= box["y"] < 20
    assert one.said(f"{hook('pass-strip')} [data-pass=fraction]") == "5/8"
    assert one.said(f"{hook('pass-strip')} [data-pass=next]") == "3 more to your Free coffee"


@pytest.mark.parametrize("kind", ["stamps", "points", "hybrid"])
@pytest.mark.parametrize("width", [320, 1280])
def test_fits(desk: Any, kind: str, width: int) -> None:
    world = World.make()
    one = desk(world, width=width)
    one.open(f"/store/onboarding/1?type={kind}")
    for tab in ("web", "apple", "google"):
        one.tab(tab)
        assert one.page.locator(f".pass-pane-{tab}").is_visible()
        assert one.heard.overflow() <= 0, tab


def test_says_at_once_how_well_a_colour_reads_and_offers_a_shade(desk: Any) -> None:
    world = World.make()
    one = desk(world)
    one.open(f"/store/{world.store.code}/loyalty/branding")

    one.page.evaluate(CHOOSE, HARD.lower())
    best = max(colours.contrast(colours.WHITE, HARD), colours.contrast(colours.INK, HARD))
    assert best < colours.READABLE
    assert one.said("[data-ratio]") == f"{best:.1f}"
    assert "Hard to read" in one.said(hook("contrast"))
    shade = one.said("[data-shade]")
    one.page.click(hook("shade"))

    assert one.page.input_value("[name=card_color]").upper() == shade
    assert max(colours.contrast(colours.WHITE, shade), colours.contrast(colours.INK, shade)) >= colours.READABLE
    assert colours.contrast(shade, colours.WHITE) >= 3
    assert one.page.locator(hook("shade")).is_hidden()
    red, green, blue = (int(shade[at : at + 2], 16) for at in (1, 3, 5))
    one.tab("apple")
    drawn = "getComputedStyle(document.querySelector('.pass-apple')).backgroundColor"
    assert one.page.evaluate(drawn) == f"rgb({red}, {green}, {blue})"


def test_the_script_sees_colours_as_the_server_does(desk: Any) -> None:
    world = World.make()
    one = desk(world)
    one.open(f"/store/{world.store.code}/loyalty/branding")
    chance = random.Random(7)
    tried = [f"#{chance.randrange(1 << 24):06X}" for _ in range(300)] + ["#000000", "#FFFFFF", HARD, "#777777"]

    found = one.page.evaluate(
        """async (tried) => { const {palette} = await import("/static/dashboard/colours.js");
           return tried.map(palette); }""",
        tried,
    )
    offered = one.page.evaluate(
        """async (tried) => { const {nearest} = await import("/static/dashboard/colours.js");
           return tried.map(nearest); }""",
        tried,
    )

    assert found == [colours.palette(color) for color in tried]
    assert offered == [colours.nearest(color) for color in tried]


def test_a_colour_on_which_nothing_reads_is_not_kept(desk: Any) -> None:
    world = World.make()
    one = desk(world)
    one.open("/store/onboarding/2")
    one.page.evaluate(CHOOSE, HARD.lower())
    one.heard.expects_failures = True
    one.page.click("main button:has-text('Continue')")

    assert one.page.url.endswith("/store/onboarding/2")
    assert colours.nearest(HARD) in one.said("main")
    one.page.click(hook("shade"))
    one.page.click("main button:has-text('Continue')")
    one.page.wait_for_url("**/store/onboarding/3")
    with tenancy.scope(world.merchant_id):
        assert Merchant.objects.get().card_color.upper() == colours.nearest(HARD)


def test_a_logo_is_on_the_passes_as_soon_as_it_is_chosen(desk: Any) -> None:
    world, picture = World.make(), io.BytesIO()
    Image.new("RGB", (300, 120), "#123456").save(picture, "PNG")
    one = desk(world)
    one.open("/store/onboarding/2")

    one.page.set_input_files(
        "[name=image]", {"name": "logo.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )

    for tab in ("apple", "google"):
        one.tab(tab)
        assert one.page.evaluate(f"document.querySelector('.pass-{tab} img.pass-logo').naturalWidth") == 300
    one.page.click("main button:has-text('Continue')")
    one.page.wait_for_url("**/store/onboarding/3")
    with tenancy.scope(world.merchant_id):
        assert Merchant.objects.get().logo.name.startswith("logos/")


def test_the_style_page_is_for_developers(client: Client) -> None:
    assert client.get("/dev/components/").status_code == 404


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_style_page_shows_every_component(site: Any, chromium: Any, theme: str, width: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, locale="en-GB")
    page = context.new_page()
    heard = Listener(page)
    with override_settings(DEBUG=True):
        answer = page.goto(f"{site.url}/dev/components/?theme={theme}")

    assert answer.status == 200
    assert page.get_attribute("html", "data-bs-theme") == theme
    for shown in (
        ".btn-fill",
        ".chip-gold",
        ".banner-bad",
        ".gold-panel",
        ".stamps-many",
        ".face",
        ".kpi",
        ".code-square .qr",
        ".empty",
    ):
        assert page.locator(shown).first.is_visible(), shown
    assert heard.overflow() <= 0
    assert heard.complaints == []
    context.close()
