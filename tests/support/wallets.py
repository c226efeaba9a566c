"""A shop whose customers keep their cards on phones: both providers as real servers, and the workers behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from django.utils import timezone

from core import tenancy
from core.models import OutboxEvent
from loyalty.extensions import WalletLinks, wallet_links
from loyalty.models import Card
from tests.fakes import credentials
from tests.fakes.apns import FakeApns
from tests.fakes.google import FakeGoogle
from tests.fakes.iphone import Held, VirtualIPhone
from tests.support.world import World
from wallets import tasks
from wallets.models import ApplePass, GooglePass
from wallets.providers.apple import apns as push_client
from wallets.services import apple_push, google_push

PASS_TYPE, TEAM = "pass.example.house", "TEAM123456"
NOTED = {
    "card.changed": tasks.note_change, "wallets.google_reported": tasks.check_holders,
    "program.changed": tasks.note_program, "merchant.changed": tasks.note_merchant,
}  # fmt: skip


@dataclass
class Phones:
    """The phones of a merchant's customers, and Google."""

    world: World
    google: FakeGoogle
    apns: FakeApns
    url: str
    root: Path
    iphones: list[VirtualIPhone] = field(default_factory=list)
    heard: int = 0

    def links(self, card: Card) -> WalletLinks:
        """Return where the buttons of a card lead."""
        with tenancy.scope(self.world.merchant_id):
            return wallet_links(Card.objects.select_related("customer").get(pk=card.pk))

    def iphone(self, card: Card, name: str = "") -> tuple[VirtualIPhone, Held]:
        """Add a card to a new iPhone (or to the one of this name), which reacts to pushes from now on."""
        device = name or f"device-{len(self.iphones)}"
        known = [phone for phone in self.iphones if phone.device_id == device]
        phone = known[0] if known else VirtualIPhone(device, f"token-{device}", self.url, self.root)
        self.iphones += [] if known else [phone]
        held = phone.add(self.links(card)["apple_url"] or "")
        return phone, held

    def android(self, card: Card) -> str:
        """Open the button of a card on an Android phone; return the object's name."""
        answer = Client().get(urlsplit(self.links(card)["google_url"] or "").path)
        assert answer.status_code == 302, answer.content
        with tenancy.scope(self.world.merchant_id):
            return GooglePass.objects.get(card_id=card.pk).object_id

    def at_google(self, name: str) -> dict[str, Any]:
        """Return an object as Google holds it."""
        return self.google.shelf.get("loyaltyObject", name)

    def work(self) -> None:
        """Let the relay and the workers of both wallets do what is due, and wait for it."""
        with tenancy.scope(self.world.merchant_id):
            events = list(OutboxEvent.objects.filter(pk__gt=self.heard).order_by("pk"))
        for event in events:
            self.heard = event.pk
            if event.topic in NOTED:
                NOTED[event.topic](str(event.merchant_id), **event.payload)
        pushed = len(self.apns.tokens)
        apple_push.drain(clock=timezone.now)
        google_push.drain(at=timezone.now())
        for token in self.apns.tokens[pushed:]:
            for phone in self.iphones:
                if phone.push_token == token:
                    phone.on_push()

    def apple_row(self, card: Card) -> ApplePass:
        """Return a card's pass as it is stored."""
        with tenancy.scope(self.world.merchant_id):
            return ApplePass.objects.get(card_id=card.pk)

    def close(self) -> None:
        """Switch the phones off."""
        for phone in self.iphones:
            phone.close()


@contextmanager
def opened(settings: Any, folder: Path, url: str, **rules: Any) -> Iterator[Phones]:
    """Wire both providers in and open a shop; url: where the site is served."""
    with wired(settings, folder, World.make(at=timezone.now(), **rules), url) as phones:
        yield phones


@contextmanager
def wired(settings: Any, folder: Path, world: World, url: str) -> Iterator[Phones]:
    """Wire both providers in for a merchant that is there."""
    files = credentials.prepare(folder / "certificates", pass_type=PASS_TYPE, team=TEAM)
    settings.LOYALTY_APPLE_PASS_TYPE_ID, settings.LOYALTY_APPLE_TEAM_ID = PASS_TYPE, TEAM
    settings.LOYALTY_APPLE_WWDR_CERT_PATH = str(files.intermediate)
    settings.LOYALTY_APPLE_SIGNER_CERT_PATH = str(files.signer)
    settings.LOYALTY_APPLE_SIGNER_KEY_PATH = str(files.signer_key)
    settings.LOYALTY_APPLE_APNS_CA_PATH = str(files.apns_ca)
    with FakeApns(files.apns_certificate, files.apns_key, files.clients) as apns, FakeGoogle() as google:
        settings.LOYALTY_APPLE_APNS_URL = apns.url
        settings.LOYALTY_GOOGLE_ISSUER_ID, settings.LOYALTY_GOOGLE_API_BASE = google.issuer, google.url
        settings.LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON = str(google.write_account(folder / "account.json"))
        phones = Phones(world, google, apns, url, files.root)
        try:
            yield phones
        finally:
            phones.close()
            push_client.forget()
