"""What journeys at the till share."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.till import Till
from tests.support.world import World


@pytest.fixture
def open_till(site: Any, chromium: Any) -> Iterator[Any]:
    """Yield a function that opens a paired till for a world; at the end nothing was complained about."""
    opened: list[Till] = []

    def start(world: World, *, width: int = 1280, height: int = 800, pair: bool = True) -> Till:
        context = chromium.new_context(viewport={"width": width, "height": height}, locale="en-GB")
        context.set_default_timeout(10_000)
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
