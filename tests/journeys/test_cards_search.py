"""The list of cards in a real browser: it follows what is typed, and works without a script."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from core import tenancy
from loyalty.models import Card
from merchants.models import Membership
from tests.support.pages import Listener
from tests.support.world import World

pytestmark = pytest.mark.browser


def opened(site: Any, chromium: Any, world: World, **options: Any) -> Any:
    """Return the list of cards as the owner sees it."""
    with tenancy.scope(world.merchant_id):
        Membership.objects.get_or_create(user=world.owner, defaults={"role": "owner"})
    client = Client()
    client.force_login(world.owner, backend="django.contrib.auth.backends.ModelBackend")
    name = settings.SESSION_COOKIE_NAME
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB", **options)
    context.set_default_timeout(10_000)
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": site.url}])
    page = context.new_page()
    page.goto(f"{site.url}/store/{world.store.code}/loyalty/cards")
    return page


def test_finds_while_one_types(site: Any, chromium: Any) -> None:
    world = World.make()
    for name in ("Marie Klein", "Marco Weber", "Tom Muller"):
        world.card(name=name)
    page = opened(site, chromium, world)
    heard = Listener(page)

    page.click("#search")
    page.keyboard.type("marc", delay=40)

    page.locator("#found >> text=Tom Muller").wait_for(state="detached")
    assert "Marco Weber" in page.inner_text("#found")
    assert "Marie Klein" not in page.inner_text("#found")
    assert page.evaluate("document.activeElement.id") == "search", "one types on"
    assert "search=marc" in page.url
    page.keyboard.type("x")
    page.wait_for_selector("#found >> text=No card fits")
    assert page.locator("h1").count() == 1
    page.fill("#search", "")
    page.wait_for_selector("#found >> text=Tom Muller")
    page.select_option("#status", "frozen")
    page.wait_for_selector("#found >> text=No card fits")
    page.select_option("#status", "ready")
    page.wait_for_url("**status=ready*")
    page.wait_for_selector("#found >> text=No card fits")
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(customer__name="Marco Weber").update(rewards_ready=1)
    page.click("#search")
    page.keyboard.type("mar", delay=40)
    page.wait_for_selector("#found >> text=Marco Weber")
    assert "Marie Klein" not in page.inner_text("#found")
    assert heard.complaints == []
    page.context.close()


def test_finds_without_a_script(site: Any, chromium: Any) -> None:
    world = World.make()
    for name in ("Marie Klein", "Tom Muller"):
        world.card(name=name)
    page = opened(site, chromium, world, java_script_enabled=False)

    page.fill("#search", "tom")
    page.click("main button:has-text('Search')")

    assert "Tom Muller" in page.inner_text("main")
    assert "Marie Klein" not in page.inner_text("main")
    page.context.close()
