"""A merchant with a store, people of each role, and objects of every kind that a page is about."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from core import tenancy
from core.tenancy import TenantScopedModel
from loyalty.models import Card, ReviewItem, Reward
from loyalty.services import rewards
from merchants.enums import Role
from merchants.models import Invitation, Membership, User
from stores.services import api_keys, staff, terminals
from tests.factories.merchants import UserFactory
from tests.support.world import World


@dataclass
class Shop:
    """A world with its people; `ids` names one object of every kind."""

    world: World
    people: dict[str, User] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The code of the store."""
        return self.world.store.code

    @property
    def merchant_id(self) -> UUID:
        """The merchant."""
        return self.world.merchant_id

    def client(self, role: str = Role.OWNER) -> Client:
        """Return a browser in which a person of that role is signed in."""
        browser = Client(headers={"Accept-Language": "en"})
        browser.force_login(self.people[role], backend="django.contrib.auth.backends.ModelBackend")
        return browser

    def page(self, rest: str = "") -> str:
        """Return the address of a page of the store."""
        return f"/store/{self.code}/loyalty/{rest}"

    def card(self, **person: Any) -> Card:
        """Enrol a customer."""
        return self.world.card(**person)


def open_shop(**rules: Any) -> Shop:
    """Make a merchant at work now, with an owner, a manager and a staff login."""
    world = World.make(at=timezone.now(), **rules)
    shop = Shop(world)
    with tenancy.scope(world.merchant_id):
        for role in Role.values:
            person = world.owner if role == Role.OWNER else UserFactory()
            member = Membership.objects.create(user=person, role=role)
            shop.people[role] = person
            shop.ids["membership_id"] = member.pk
    return shop


def furnish(shop: Shop) -> Shop:
    """Add one object of every kind to a shop."""
    world, at = shop.world, shop.world.at
    card = world.card(name="Marie Klein", email="marie@example.com")
    done = world.sale(card, 1000) if world.program.has_points else world.stamp(card)
    made = staff.create(merchant_id=world.merchant_id, name="Anna", at=at)
    reward = rewards.create(
        merchant_id=world.merchant_id, program_id=world.program.pk, data={"name": "Tote bag", "points_cost": 5}, at=at
    )
    code = terminals.make_pairing_code(
        merchant_id=world.merchant_id, store_id=world.store.pk, name="Till 1", user_id=world.owner.pk, at=at
    )
    key = api_keys.create(merchant_id=world.merchant_id, name="POS", scopes=["read"], at=at)
    shop.ids |= {
        "card_id": card.pk,
        "transaction_id": UUID(str(done["transaction_id"])),
        "staff_id": made.staff.pk,
        "reward_id": reward.pk,
        "terminal_id": terminals.pair(code=code.code, at=at).terminal.pk,
        "api_key_id": key.api_key.pk,
        "store_id": world.store.pk,
    }
    with tenancy.scope(world.merchant_id):
        shop.ids["invitation_id"] = Invitation.objects.create(
            email="nina@example.com", token_hash=secrets.token_hex(32), invited_by=world.owner,
            expires_at=at + timedelta(days=7),
        ).pk  # fmt: skip
        shop.ids["review_id"] = ReviewItem.objects.create(
            store=world.store, card=card, key="till-1", op="stamp", code="too_old", occurred_at=at, received_at=at
        ).pk
    return shop


def picture(shop: Shop) -> dict[str, list[Any]]:
    """Return every row of the merchant, to see that nothing changed; sessions and what is counted for reports aside."""
    found = {}
    with tenancy.scope(shop.merchant_id):
        for model in apps.get_models():
            if issubclass(model, TenantScopedModel) and model._meta.app_label != "dashboard":
                found[model._meta.label] = sorted(map(repr, model._default_manager.values_list()))
    return found


def reward(shop: Shop) -> Reward:
    """Return the shop's reward as it is now."""
    with tenancy.scope(shop.merchant_id):
        return Reward.objects.get(pk=shop.ids["reward_id"])


@pytest.fixture
def shop(db: None) -> Shop:
    """A shop with stamps and points, and one object of every kind."""
    return furnish(open_shop(loyalty_type="hybrid", points_per_euro="1"))


@pytest.fixture
def other(db: None) -> Shop:
    """Another merchant's shop."""
    return furnish(open_shop(loyalty_type="hybrid", points_per_euro="1"))


@pytest.fixture
def empty(db: None) -> Shop:
    """A shop on its first day: nobody has a card."""
    return open_shop()
