"""Google as a real server, Apple as far as its settings go; passes and devices without a phone."""

from typing import Any

import pytest

from tests.wallets.links.conftest import google, world

__all__ = ["apple", "google", "world"]


@pytest.fixture
def apple(settings: Any) -> None:
    """Let the house work with Apple's wallet; nothing is signed here."""
    settings.LOYALTY_APPLE_PASS_TYPE_ID = "pass.example.loyalty"
    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = settings.LOYALTY_APPLE_SIGNER_KEY_PATH = "/nowhere"
