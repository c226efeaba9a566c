"""What the sweeps share: a house on a site with real commits, and inspectors signed in as its people."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.browser.addresses import Face, faces
from tests.support.house import House
from tests.support.inspector import Inspector


@pytest.fixture
def house(site: Any) -> House:
    return House.make("ours")


@pytest.fixture
def people(house: House) -> dict[str, Face]:
    return faces(house)


@pytest.fixture
def inspector(site: Any, chromium: Any) -> Iterator[Any]:
    """Yield a function that makes an inspector with the cookies of a test client, in a language."""
    opened: list[Any] = []

    def make(client: Client | None = None, *, language: str = "en") -> Inspector:
        context = chromium.new_context(locale="en-GB", reduced_motion="reduce")
        context.set_default_timeout(15_000)
        opened.append(context)
        context.add_cookies([{"name": "django_language", "value": language, "url": site.url}])
        if client is not None:
            sent = [{"name": name, "value": one.value, "url": site.url} for name, one in client.cookies.items()]
            context.add_cookies(sent)
        return Inspector(context.new_page(), site.url)

    yield make
    for context in opened:
        context.close()


def proven(client: Client) -> Client:
    """Let a signed-in person have typed the password just now, as the pages about the account want it."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "email": "-"}]
    session.save()
    return client


def clean(seen: Inspector, *, at_least: int) -> None:
    """Fail with every fault of every page, one a line."""
    report = [f"{name}: {fault}" for name, found in seen.faults.items() for fault in found]
    if report:
        pytest.fail("\n".join(report), pytrace=False)
    assert seen.looks >= at_least
