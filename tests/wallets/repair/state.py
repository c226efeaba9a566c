"""Passes in states that the pipeline leaves behind when something goes wrong, written by hand."""

from datetime import datetime
from typing import Any

from core import tenancy
from loyalty.models import Card
from tests.support.world import World
from wallets.models import AppleDevice, AppleDeviceRegistration, ApplePass, GooglePass, PassUpdate
from wallets.services import passes


def apple(world: World, card: Card, *, devices: int = 1, **columns: Any) -> ApplePass:
    """Return a card's pass with devices that listen."""
    with tenancy.scope(world.merchant_id):
        row = passes.apple(card.pk)
        ApplePass.objects.filter(pk=row.pk).update(**columns)
        for number in range(devices):
            device = AppleDevice.objects.create(
                device_library_id=f"{row.serial}-{number}", push_token="t", token_at=world.at, seen_at=world.at
            )
            AppleDeviceRegistration.objects.create(apple_pass=row, device=device, tag=1, registered_at=world.at)
    return row


def google(world: World, card: Card, **columns: Any) -> GooglePass:
    """Return a card's object."""
    with tenancy.scope(world.merchant_id):
        row = passes.google(card.pk)
        GooglePass.objects.filter(pk=row.pk).update(**columns)
        return GooglePass.objects.get(pk=row.pk)


def update(world: World, card: Card, provider: str, state: str, at: datetime, **columns: Any) -> PassUpdate:
    """Write the row of the queue."""
    values = {"due_at": at, "queued_at": at, "settled_at": at, "wanted_version": 1, "claimed_version": 1, **columns}
    with tenancy.scope(world.merchant_id):
        return PassUpdate.objects.create(card_id=card.pk, provider=provider, state=state, **values)


def queued(world: World, provider: str) -> set[Any]:
    """Return the cards that wait for a provider."""
    with tenancy.scope(world.merchant_id):
        rows = PassUpdate.objects.filter(provider=provider, state="queued")
        return set(rows.values_list("card_id", flat=True))


def row_of(world: World, card: Card, provider: str) -> PassUpdate:
    """Return the row of the queue."""
    with tenancy.scope(world.merchant_id):
        return PassUpdate.objects.get(card_id=card.pk, provider=provider)
