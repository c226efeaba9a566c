"""Certificates that stand for Apple's, made without the product's code, and a card like a real one."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.fakes import credentials
from tests.fakes.credentials import Issued
from wallets.providers.base import PassIdentity
from wallets.rules.description import Branding, CardDescription, NextReward, Place, ProgramDescription

PASS_TYPE, TEAM = "pass.example.loyalty", "TEAM123456"
IDENTITY = PassIdentity(name="serial-4711", token="t0k3n-t0k3n-t0k3n-t0k3n-t0k3n-t0k3n")


@pytest.fixture(scope="session")
def openssl() -> str:
    """The openssl that judges our signatures; without one the test is reported as skipped, in CI it fails."""
    path = shutil.which("openssl")
    if path is None:
        sentence = "no openssl here: it verifies the signatures of passes"
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    return path


class Chain(credentials.Files):
    """The files of a chain, and what issued them, so that a test can issue more."""

    root_issuer: Issued
    issuer: Issued
    leaf: Issued


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    found = Chain(tmp_path_factory.mktemp("chain"))
    made = {"root_issuer": credentials.make_root()}
    made["issuer"] = credentials.make_intermediate(made["root_issuer"])
    made["leaf"] = credentials.make_signer(made["issuer"], pass_type=PASS_TYPE, team=TEAM)
    for name, issued in made.items():
        object.__setattr__(found, name, issued)
    credentials.write(found.root, found.root_issuer)
    credentials.write(found.intermediate, found.issuer)
    credentials.write(found.signer, found.leaf, found.signer_key)
    return found


@pytest.fixture
def use(settings: Any) -> Callable[[credentials.Files], None]:
    """Return what points the settings to a folder's chain."""

    def point(files: credentials.Files) -> None:
        settings.LOYALTY_APPLE_PASS_TYPE_ID, settings.LOYALTY_APPLE_TEAM_ID = PASS_TYPE, TEAM
        settings.LOYALTY_APPLE_WWDR_CERT_PATH = str(files.intermediate)
        settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(files.signer)
        settings.LOYALTY_APPLE_SIGNER_KEY_PATH = str(files.signer_key)

    return point


@pytest.fixture
def apple(chain: Chain, use: Callable[[credentials.Files], None]) -> Chain:
    """Sign with the chain of this session."""
    use(chain)
    return chain


@pytest.fixture
def own(chain: Chain, use: Callable[[credentials.Files], None], tmp_path: Path) -> Chain:
    """A copy of the chain that a test may spoil."""
    found = Chain(tmp_path)
    for name in ("root_issuer", "issuer", "leaf"):
        object.__setattr__(found, name, getattr(chain, name))
    for old, new in (
        (chain.root, found.root),
        (chain.intermediate, found.intermediate),
        (chain.signer, found.signer),
        (chain.signer_key, found.signer_key),
    ):
        new.write_bytes(old.read_bytes())
    use(found)
    return found


PROGRAM = ProgramDescription(
    merchant_id=UUID("018f0000-0000-7000-8000-00000000aaaa"),
    merchant_name="CoffeeLux",
    program_id=UUID("018f0000-0000-7000-8000-00000000bbbb"),
    name="CoffeeLux Club",
    loyalty_type="hybrid",
    branding=Branding("#5a2d1a", "cafe", "", "seed"),
    language="fr",
    country="LU",
    currency="EUR",
    time_zone="Europe/Luxembourg",
    places=(
        Place("CoffeeLux Gare", "1 rue de la Gare, Luxembourg", 49.6, 6.13),
        Place("CoffeeLux Kirchberg", "2 avenue Kennedy, Luxembourg", 49.63, 6.16),
        Place("CoffeeLux on wheels", "everywhere"),
    ),
    terms={"en": 'One stamp for each coffee. "No cash", says the boss.', "fr": "Un tampon par café."},
    website="https://coffeelux.example/?a=1&b=2",
    privacy_url="https://cards.example/loyalty/coffeelux-gare/privacy",
)
CARD = CardDescription(
    program=PROGRAM,
    card_number="123456789015",
    code="https://cards.example/c/AbCdEfGhIjKlMnOpQrStUv",
    language="fr",
    holder="Zoé Müller",
    stamps=3,
    stamps_target=10,
    points=1250,
    next_reward=NextReward("Café offert", 7, "stamps"),
    points_expire_on=date(2027, 6, 30),
    card_url="https://cards.example/loyalty/coffeelux-gare/dashboard",
)


@pytest.fixture
def card() -> Callable[..., CardDescription]:
    """Return what describes a card; the changes are of the card, those under `program` of its program."""

    def describe(program: dict[str, Any] | None = None, **changes: Any) -> CardDescription:
        return replace(CARD, program=replace(PROGRAM, **(program or {})), **changes)

    return describe
