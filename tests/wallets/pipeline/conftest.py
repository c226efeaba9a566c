"""A merchant whose cards are on phones, and Apple's push service as a real server."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes import credentials
from tests.fakes.apns import FakeApns
from tests.support.world import World
from tests.wallets.pipeline.phones import Phones
from wallets.providers.apple import apns as client

PASS_TYPE, TEAM = "pass.example.pipeline", "TEAM123456"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> credentials.Files:
    """Return certificates that are made once: keys take a while."""
    return credentials.prepare(tmp_path_factory.mktemp("apple"), pass_type=PASS_TYPE, team=TEAM)


@pytest.fixture
def apple(settings: Any, files: credentials.Files) -> None:
    """Wire the pass certificate in, and nothing of Google."""
    settings.LOYALTY_APPLE_PASS_TYPE_ID, settings.LOYALTY_APPLE_TEAM_ID = PASS_TYPE, TEAM
    settings.LOYALTY_APPLE_WWDR_CERT_PATH = str(files.intermediate)
    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(files.signer)
    settings.LOYALTY_APPLE_SIGNER_KEY_PATH = str(files.signer_key)
    settings.LOYALTY_GOOGLE_ISSUER_ID = settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = ""


@pytest.fixture
def apns(settings: Any, apple: None, files: credentials.Files) -> Iterator[FakeApns]:
    """Yield the push service, with our settings pointing to it."""
    with FakeApns(files.apns_certificate, files.apns_key, files.clients) as server:
        settings.LOYALTY_APPLE_APNS_URL, settings.LOYALTY_APPLE_APNS_CA_PATH = server.url, str(files.apns_ca)
        yield server
        client.forget()


@pytest.fixture
def phones(real_db: Any, apple: None) -> Phones:
    """Return a shop whose customers' cards are on their phones."""
    return Phones(World.make())
