"""Cards on phones as the pipeline sees them, and the pipeline's clock."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core import tenancy
from loyalty.models import Card
from tests.support.world import World
from wallets.enums import Provider
from wallets.models import AppleDevice, AppleDeviceRegistration, ApplePass, PassUpdate
from wallets.services import apple_push, changes, queue, registrations
from wallets.services.phones import Holder


@dataclass
class Phones:
    """A shop with cards on phones. `at` is the clock; it stands still unless `tick` moves it."""

    world: World
    at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.world.at

    def clock(self) -> datetime:
        """Return the time."""
        return self.at

    def tick(self, seconds: float) -> None:
        """Move the clock."""
        self.at += timedelta(seconds=seconds)

    def card(self, *devices: str) -> Card:
        """Enrol somebody who puts the card on these devices; all of them hold it as it is now, and nothing is due."""
        card = self.world.card()
        self.note(card, "card_enrolled")
        for device in devices:
            self.add(card, device)
        self.settle_all(card)
        return card

    def add(self, card: Card, device: str, token: str = "") -> None:
        """Put a card on a device."""
        row = self.pass_of(card)
        holder = Holder(self.world.merchant_id, row.pk)
        registrations.register(holder, device=device, push_token=token or f"token-{device}", at=self.at)

    def settle_all(self, card: Card) -> None:
        """Let everything that was asked for so far count as done."""
        with tenancy.scope(self.world.merchant_id):
            row = ApplePass.objects.get(card_id=card.id)
            version = row.requested_version
            ApplePass.objects.filter(pk=row.pk).update(
                pushed_version=version, fetched_version=version, behind_since=None
            )
            AppleDeviceRegistration.objects.filter(apple_pass_id=row.pk).update(pushed_version=version)
            PassUpdate.objects.filter(card_id=card.id).update(
                state="sent", claimed_version=version, wanted_version=version, attempts=0
            )

    def note(self, card: Card, why: str = "stamp_earned") -> None:
        """Hear that a card changed."""
        changes.note_change(merchant_id=self.world.merchant_id, card_id=card.id, why=why, at=self.at)

    def push(self) -> int | None:
        """Push one batch of what is due now."""
        return apple_push.push_batch(clock=self.clock)

    def claim(self, size: int = 500) -> list[queue.Claimed]:
        """Claim what is due now, as a worker does."""
        return queue.claim(provider=Provider.APPLE, at=self.at, size=size)

    def pass_of(self, card: Card) -> ApplePass:
        """Read a card's pass."""
        with tenancy.scope(self.world.merchant_id):
            return ApplePass.objects.get(card_id=card.id)

    def update_of(self, card: Card) -> PassUpdate:
        """Read a card's row in the queue."""
        with tenancy.scope(self.world.merchant_id):
            return PassUpdate.objects.get(card_id=card.id, provider=Provider.APPLE)

    def device(self, name: str) -> AppleDevice | None:
        """Read a device."""
        return AppleDevice.objects.filter(device_library_id=name).first()

    def told(self, card: Card) -> dict[str, int]:
        """Return up to which version each device of a card was told."""
        with tenancy.scope(self.world.merchant_id):
            rows = AppleDeviceRegistration.objects.filter(apple_pass_id=self.pass_of(card).pk).select_related("device")
            return {row.device.device_library_id: row.pushed_version for row in rows}

    def settlement(self, claimed: queue.Claimed, outcome: str, **how: Any) -> None:
        """Settle one claim."""
        queue.settle([queue.Settlement(claimed.id, claimed.claimed_at, outcome, **how)], at=self.at)
