"""A merchant with one of everything, each with a name that nobody else's answers may ever contain; and its callers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.utils import timezone

from core import tenancy
from core.ids import uuid7
from core.tenancy import TenantScopedModel
from loyalty import card_cookie
from loyalty.models import Card, ReviewItem, Reward
from loyalty.queries import access
from loyalty.services import freezing, merges
from merchants.enums import Role
from merchants.models import Membership, Merchant, User
from merchants.services import invitations
from stores.queries.devices import TERMINAL_COOKIE
from stores.services import api_keys, staff, terminals
from tests.support.world import EVERYTHING, World
from wallets.services import passes

MODELS = [model for model in apps.get_models() if issubclass(model, TenantScopedModel)]
PIN = "482193"


@dataclass
class House:
    """One merchant; `ids` has a value for every placeholder of an address."""

    word: str
    world: World
    people: dict[str, User] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)
    terminal_token: str = ""
    card: Card = None  # type: ignore[assignment]

    @classmethod
    def make(cls, word: str) -> "House":
        """Make it; `word` stands in every name."""
        world = World.make(
            at=timezone.now(), loyalty_type="hybrid", points_per_euro="10", stamps_target=2,
            name=f"Programme-{word}", stamps_reward_description=f"Coffee-{word}",
        )  # fmt: skip
        house = cls(word, world)
        house._names()
        house._people()
        house._cards()
        house._devices()
        return house

    @property
    def public_words(self) -> list[str]:
        """What every visitor of the shop may read."""
        return [f"{thing}-{self.word}" for thing in ("Merchant", "Store", "Programme", "Tote", "Coffee")]

    @property
    def private_words(self) -> list[str]:
        """What nobody outside the merchant's business may read."""
        names = [f"{thing}-{self.word}" for thing in ("Marie", "marie", "Anna", "Till", "Key", "Boss", "Order")]
        return [*names, self.card.card_number, self.card.qr_code_data, access.secret_of(self.card)]

    def person(self, role: str = Role.OWNER, **options: Any) -> Client:
        """Return a browser in which a person of this role is signed in."""
        browser = Client(**options)
        browser.force_login(self.people[role], backend="django.contrib.auth.backends.ModelBackend")
        return browser

    def terminal(self, **options: Any) -> Client:
        """Return the browser of the paired till."""
        browser = Client(**options)
        browser.cookies[TERMINAL_COOKIE] = self.terminal_token
        return browser

    def customer(self, **options: Any) -> Client:
        """Return the browser of the customer."""
        response = HttpResponse()
        card_cookie.write(HttpRequest(), response, self.world.program.pk, access.secret_of(self.card))
        browser = Client(**options)
        browser.cookies.update(response.cookies)
        return browser

    def key(self, scopes: list[str] | None = None) -> str:
        """Return a new API key with these scopes, all of them by default."""
        if scopes is None:
            return self.world.key_text
        made = api_keys.create(
            merchant_id=self.world.merchant_id, name="Some", scopes=scopes, store_id=None, at=self.world.at
        )  # fmt: skip
        return made.text

    def freeze(self) -> None:
        """Freeze the card."""
        freezing.freeze(merchant_id=self.world.merchant_id, card_id=self.card.pk, reason="lost", at=self.world.at)

    def merge(self) -> None:
        """Merge the card into the spare one."""
        merges.merge(
            merchant_id=self.world.merchant_id, card_id=self.card.pk, into_id=self.ids["spare_id"], reason="same",
            at=self.world.at, channel="api",
        )  # fmt: skip

    def picture(self, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return count and content of every table as the merchant sees it, to show that nothing changed."""
        found = {}
        with tenancy.scope(self.world.merchant_id), connection.cursor() as cursor:
            for model in MODELS:
                table = model._meta.db_table
                if table in without:
                    continue
                cursor.execute(
                    f"SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"
                )
                found[table] = cursor.fetchone()
        return found

    def _names(self) -> None:
        world = self.world
        with tenancy.scope(world.merchant_id):
            Merchant.objects.update(name=f"Merchant-{self.word}", onboarding_step=5)
            world.store.name = f"Store-{self.word}"
            world.store.save()
        self.ids |= {
            "store_code": world.store.code, "store_id": world.store.pk, "merchant_id": world.merchant_id,
            "program_id": world.program.pk,
            "version": 1, "number": 1, "rest": "cards", "status": "paused", "token": "no-such-token",
            "kind": "transactions", "size": "a4", "file": f"logos/{'0' * 32}.png",
            "device": f"device-{self.word}", "pass_type": "pass.example.loyalty",
        }  # fmt: skip

    def _people(self) -> None:
        with tenancy.scope(self.world.merchant_id):
            for role in Role.values:
                user = self.world.owner
                if role != Role.OWNER:
                    user = User.objects.create_user(f"{role}-{self.word}@example.com", name=f"Boss-{self.word}")
                self.people[role] = user
                self.ids["membership_id"] = Membership.objects.create(user=user, role=role).pk
        invited = invitations.invite(
            merchant_id=self.world.merchant_id, email=f"marie-{self.word}@invited.example", role=Role.STAFF,
            acting_role=Role.OWNER, actor_id=self.world.owner.pk, at=self.world.at,
        )  # fmt: skip
        self.ids["invitation_id"] = invited.pk

    def _cards(self) -> None:
        world = self.world
        self.card = world.card(name=f"Marie-{self.word}", email=f"marie-{self.word}@example.com")
        with tenancy.scope(world.merchant_id):
            reward = Reward.objects.create(program=world.program, name=f"Tote-{self.word}", points_cost=5)
            self.ids["serial"] = passes.apple(self.card.pk).serial
        sale = world.sale(self.card, 2000, order_reference=f"Order-{self.word}")
        world.stamp(self.card, 2)
        self.ids |= {
            "card_id": self.card.pk, "customer_id": self.card.customer_id, "reward_id": reward.pk,
            "code": self.card.qr_code_data, "transaction_id": UUID(str(sale["transaction_id"])),
            "spare_id": world.card(name=f"Marie-{self.word}").pk,
        }  # fmt: skip
        with tenancy.scope(world.merchant_id):
            self.ids["review_id"] = ReviewItem.objects.create(
                store=world.store, card=self.card, key=f"kept-{uuid7()}", op="stamp", code="too_old",
                body={"card_id": str(self.card.pk)}, occurred_at=world.at - timedelta(hours=80), received_at=world.at,
            ).pk  # fmt: skip

    def _devices(self) -> None:
        world, at = self.world, self.world.at
        made = staff.create(merchant_id=world.merchant_id, name=f"Anna-{self.word}", pin=PIN, at=at)
        code = terminals.make_pairing_code(
            merchant_id=world.merchant_id,
            store_id=world.store.pk,
            name=f"Till-{self.word}",
            user_id=world.owner.pk,
            at=at,
        )
        paired = terminals.pair(code=code.code, at=at)
        key = api_keys.create(
            merchant_id=world.merchant_id, name=f"Key-{self.word}", scopes=EVERYTHING, store_id=None, at=at
        )  # fmt: skip
        self.terminal_token = paired.token
        self.ids |= {"staff_id": made.staff.pk, "terminal_id": paired.terminal.pk, "api_key_id": key.api_key.pk}


@contextmanager
def undone() -> Iterator[None]:
    """Take back what happens inside, so that the next request finds the house as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Send a request to the API; a body makes it JSON."""
    sent = {name.replace("_", "-"): value for name, value in headers.items() if value}
    if body is None and method == "GET":
        return client.generic(method, path, headers=sent)
    data = body if isinstance(body, str | bytes) else json.dumps({} if body is None else body, default=str)
    kind = MULTIPART_CONTENT if isinstance(body, bytes) and body.startswith(b"--") else "application/json"
    return client.generic(method, path, data, content_type=kind, headers=sent)
