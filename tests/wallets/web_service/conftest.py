"""A shop whose cards are in Apple Wallet: certificates of our own, a served site, phones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone

from core import tenancy
from loyalty.models import Card
from loyalty.queries import access
from tests.fakes import credentials
from tests.fakes.iphone import VirtualIPhone
from tests.support.world import World
from wallets.models import ApplePass
from wallets.services import changes, links, passes, sealing, tags

PASS_TYPE, TEAM = "pass.example.loyalty", "TEAM123456"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> credentials.Files:
    """Certificates that stand for Apple's."""
    found = credentials.Files(tmp_path_factory.mktemp("apple"))
    root = credentials.make_root()
    intermediate = credentials.make_intermediate(root)
    credentials.write(found.root, root)
    credentials.write(found.intermediate, intermediate)
    signer = credentials.make_signer(intermediate, pass_type=PASS_TYPE, team=TEAM)
    credentials.write(found.signer, signer, found.signer_key)
    return found


@pytest.fixture
def apple(settings: Any, files: credentials.Files) -> credentials.Files:
    """Use them."""
    settings.LOYALTY_APPLE_PASS_TYPE_ID, settings.LOYALTY_APPLE_TEAM_ID = PASS_TYPE, TEAM
    settings.LOYALTY_APPLE_WWDR_CERT_PATH = str(files.intermediate)
    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(files.signer)
    settings.LOYALTY_APPLE_SIGNER_KEY_PATH = str(files.signer_key)
    settings.LOYALTY_GOOGLE_ISSUER_ID = settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = ""
    return files


@dataclass
class Shop:
    """A merchant, and what the pipeline does for its passes when a card changes."""

    world: World
    url: str

    def card(self, **person: Any) -> Card:
        """Enrol somebody."""
        return self.world.card(**person)

    def link(self, card: Card) -> str:
        """Return the signed address of a card's pass."""
        with tenancy.scope(self.world.merchant_id):
            found = links.links(Card.objects.select_related("customer").get(pk=card.pk))
        return str(found["apple_url"])

    def row(self, card: Card) -> ApplePass:
        """Return the pass as it is stored."""
        with tenancy.scope(self.world.merchant_id):
            return passes.apple(card.pk)

    def token(self, card: Card) -> str:
        """Return the pass's token."""
        return sealing.open_sealed(self.row(card).token_sealed)

    def secret(self, card: Card) -> str:
        """Return the card's secret."""
        return access.secret_of(self.world.fresh(card))

    def stamp(self, card: Card, quantity: int = 1) -> int:
        """Give stamps, and do what the pipeline does; returns the number it took."""
        self.world.stamp(card, quantity)
        return self.follow(card)

    def follow(self, card: Card) -> int:
        """Note a change and give the pass a number, as the pipeline does before it pushes."""
        now = timezone.now()
        changes.note_change(merchant_id=self.world.merchant_id, card_id=card.pk, why="stamp", at=now)
        with tenancy.scope(self.world.merchant_id):
            row = ApplePass.objects.select_for_update().get(card_id=card.pk)
            row.change_tag = tags.take(PASS_TYPE, 1)
            row.save(update_fields=["change_tag"])
        return int(row.change_tag)

    def service(self, path: str) -> str:
        """Return an address of the web service."""
        return f"{self.url}/api/v1/loyalty/apple/v1/{path}"

    def pass_path(self, card: Card) -> str:
        """Return where a card's pass is fetched."""
        return self.service(f"passes/{PASS_TYPE}/{self.row(card).serial}")

    def registration(self, card: Card, device: str = "device-1") -> str:
        """Return where a device registers for a card's pass."""
        return self.service(f"devices/{device}/registrations/{PASS_TYPE}/{self.row(card).serial}")

    def proof(self, card: Card) -> dict[str, str]:
        """Return the header of a device that holds a card's pass."""
        return {"Authorization": f"ApplePass {self.token(card)}"}


@pytest.fixture
def shop(site: Any, apple: credentials.Files) -> Shop:
    """A merchant at work, served over HTTP."""
    return Shop(World.make(at=timezone.now(), stamps_target=10), site.url)


@pytest.fixture
def another(shop: Shop) -> Shop:
    """A second merchant of the same house."""
    return Shop(World.make(at=timezone.now(), name="Mode Claire"), shop.url)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client that follows nothing and brings nothing."""
    with httpx.Client(timeout=30) as client:
        yield client


@pytest.fixture
def phone(files: credentials.Files) -> Iterator[Callable[..., VirtualIPhone]]:
    """Make phones that verify signatures."""
    made: list[VirtualIPhone] = []

    def make(name: str = "device-1", token: str = "token-1", *, root: Path | None = files.root) -> VirtualIPhone:
        made.append(VirtualIPhone(name, token, root=root))
        return made[-1]

    yield make
    for one in made:
        one.close()
