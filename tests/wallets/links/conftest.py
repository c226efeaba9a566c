"""Google as a real server, wired in; a merchant with a card."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.google import FakeGoogle
from tests.support.world import World


@pytest.fixture
def google(settings: Any, tmp_path: Path) -> Iterator[FakeGoogle]:
    """Yield Google with our service account."""
    with FakeGoogle() as server:
        settings.LOYALTY_GOOGLE_ISSUER_ID = server.issuer
        settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = str(server.write_account(tmp_path / "account.json"))
        settings.LOYALTY_GOOGLE_API_BASE = server.url
        yield server


@pytest.fixture
def world(real_db: Any) -> World:
    """Return a merchant at work, with real commits."""
    return World.make()
