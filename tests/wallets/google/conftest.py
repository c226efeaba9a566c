"""A Google of the test's own, wired in: every request goes over a real socket to a server that checks it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.outbox import connect
from tests.fakes.google import FakeGoogle, new_account
from wallets.providers.google import client, pace


@pytest.fixture(scope="session")
def account() -> dict[str, Any]:
    """One key for all tests: making one takes a while."""
    return new_account()


@pytest.fixture
def google(settings: Any, tmp_path: Path, account: dict[str, Any]) -> Iterator[FakeGoogle]:
    """Google as a server, with our settings pointing to it."""
    with FakeGoogle(account=account) as server:
        settings.LOYALTY_GOOGLE_ISSUER_ID = server.issuer
        settings.LOYALTY_GOOGLE_API_BASE = server.url
        settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = str(server.write_account(tmp_path / "account.json"))
        connect(timeout=1).delete(pace.KEY, pace.WAITING)
        yield server
    client.disconnect()
