"""A shop whose customers keep their cards on phones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.wallets import Phones, opened


@pytest.fixture
def phones(site: Any, settings: Any, tmp_path: Path) -> Iterator[Phones]:
    """Yield the shop, with both providers."""
    with opened(settings, tmp_path, site.url, loyalty_type="hybrid", points_per_euro="1") as shop:
        yield shop
