"""What journeys at the till share."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from core import tenancy
from merchants.models import Membership
from tests.conftest import chromium_path
from tests.support.till import Till
from tests.support.world import World


@pytest.fixture
def open_till(site: Any, chromium: Any) -> Iterator[Any]:
    """Yield a function that opens a paired till for a world; at the end nothing was complained about."""
    opened: list[Till] = []

    def start(
        world: World, *, width: int = 1280, height: int = 800, pair: bool = True, browser: Any = None, script: str = ""
    ) -> Till:
        context = (browser or chromium).new_context(viewport={"width": width, "height": height}, locale="en-GB")
        context.set_default_timeout(10_000)
        if script:
            context.add_init_script(script)
        till = Till(context.new_page(), site, world)
        till.listen()
        opened.append(till)
        if pair:
            till.pair()
        return till

    yield start
    for till in opened:
        till.page.context.close()
    assert [till.complaints for till in opened if till.complaints] == []
    assert [till.abroad for till in opened if till.abroad] == []


@pytest.fixture
def launch(chromium: Any) -> Iterator[Any]:
    """Yield a function that starts another Chromium with arguments of its own, for a camera."""
    running: list[Any] = []

    def start(*arguments: str) -> Any:
        own = ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []
        browser = chromium.browser_type.launch(executable_path=chromium_path(), args=[*own, *arguments])
        running.append(browser)
        return browser

    yield start
    for browser in running:
        browser.close()


@pytest.fixture
def manager_cookie() -> Any:
    """Return a function that signs the owner of a world in and gives the cookie for the browser of a till."""

    def make(world: World, till: Till) -> dict[str, str]:
        with tenancy.scope(world.merchant_id):
            Membership.objects.get_or_create(user=world.owner, defaults={"role": "owner"})
        browser = Client()
        browser.force_login(world.owner)
        return {"name": "sessionid", "value": browser.cookies["sessionid"].value, "url": till.site.url}

    return make
