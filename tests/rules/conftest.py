"""The clock and the shops of the rules' acceptance tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine

from tests.support.shop import Shop
from tests.support.wallets import Phones, opened
from tests.support.world import NOON


@pytest.fixture
def clock() -> Iterator[Any]:
    """Yield a clock that stands at noon of 10 March 2026 until a test moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def shop(db: None, clock: Any, settings: Any) -> Callable[..., Shop]:
    """Return a function that opens a shop; its arguments are fields of the program."""
    # All visitors of a test share an address, and its clock stands still.
    settings.LOYALTY_THROTTLE_SCALE = 1000
    return lambda **rules: Shop.open(clock, **rules)


@pytest.fixture
def phones(site: Any, settings: Any, tmp_path: Path) -> Iterator[Phones]:
    """Yield a shop whose customers keep their cards on phones, with both providers as real servers."""
    settings.LOYALTY_THROTTLE_SCALE = 1000
    with opened(settings, tmp_path, site.url, loyalty_type="hybrid", points_per_euro="1", stamps_target=3) as shop:
        yield shop
