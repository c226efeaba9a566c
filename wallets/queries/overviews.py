"""What people are told of passes: of one card, of all cards of a merchant. Inside the merchant's or platform's scope.

Counts end at a bound and are answered by indexes, whatever the size of the merchant.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Min, QuerySet

from wallets.enums import Provider, UpdateState
from wallets.models import AppleDeviceRegistration, ApplePass, GooglePass, PassUpdate

COUNTED_AT_MOST = 50_000
SAMPLE = 1_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pass's place in the queue: its state, since when, why it was not taken, and when it is tried again."""

    update_id: UUID
    state: str
    since: datetime
    due_at: datetime
    reason: str
    attempts: int

    @property
    def is_open(self) -> bool:
        """Whether something is still to be sent."""
        return self.state in (UpdateState.QUEUED, UpdateState.INFLIGHT)

    @property
    def has_failed(self) -> bool:
        """Whether it was given up."""
        return self.state == UpdateState.FAILED


@dataclass(frozen=True, slots=True)
class AppleState:
    """A card in Apple Wallet: on how many devices that can be reached, and what they were told and have fetched."""

    serial: str
    devices: int
    requested: int
    pushed: int
    fetched: int
    pushed_at: datetime | None
    fetched_at: datetime | None
    behind_since: datetime | None
    erased_at: datetime | None
    waiting: Waiting | None


@dataclass(frozen=True, slots=True)
class GoogleState:
    """A card in Google Wallet: whether it was added, and what Google has accepted."""

    object_id: str
    saved: bool
    saved_at: datetime | None
    requested: int
    accepted: int
    accepted_at: datetime | None
    behind_since: datetime | None
    waiting: Waiting | None


@dataclass(frozen=True, slots=True)
class CardWallets:
    """Both wallets of a card; None where there is no pass yet."""

    apple: AppleState | None
    google: GoogleState | None


@dataclass(frozen=True, slots=True)
class Holding:
    """How many of a merchant's cards are in one wallet, and what has not arrived there."""

    cards: int
    waiting: int
    oldest: datetime | None
    failed: int


def of_card(*, merchant_id: UUID, card_id: UUID) -> CardWallets:
    """Return where a card lives and what lags. Four queries."""
    mine = {"merchant_id": merchant_id, "card_id": card_id}
    rows = {row.provider: _waiting(row) for row in PassUpdate.objects.filter(**mine)}
    apple = ApplePass.objects.filter(**mine).first()
    google = GooglePass.objects.filter(**mine).defer("accepted").first()
    return CardWallets(
        _apple(apple, rows.get(Provider.APPLE)) if apple else None,
        _google(google, rows.get(Provider.GOOGLE)) if google else None,
    )


def of_merchant(provider: str) -> Holding:
    """Return the figures of one wallet, inside a merchant's scope."""
    updates = PassUpdate.objects.filter(provider=provider)
    waiting = updates.filter(state=UpdateState.QUEUED)
    first = waiting.order_by("due_at").values("queued_at")[:SAMPLE]
    return Holding(
        cards=_apple_cards() if provider == Provider.APPLE else bounded(GooglePass.objects.filter(saved=True)),
        waiting=bounded(waiting),
        oldest=first.aggregate(found=Min("queued_at"))["found"],
        failed=bounded(updates.filter(state=UpdateState.FAILED)),
    )


def bounded(rows: QuerySet[Any]) -> int:
    """Count rows up to a bound."""
    return int(rows.order_by()[:COUNTED_AT_MOST].count())


def _apple_cards() -> int:
    rows = AppleDeviceRegistration.objects.order_by().values("apple_pass_id").distinct()
    return int(rows[:COUNTED_AT_MOST].count())


def _waiting(row: PassUpdate) -> Waiting:
    return Waiting(row.pk, row.state, row.queued_at, row.due_at, row.last_error, row.attempts)


def _apple(row: ApplePass, waiting: Waiting | None) -> AppleState:
    devices = AppleDeviceRegistration.objects.filter(merchant_id=row.merchant_id, apple_pass_id=row.pk).count()
    return AppleState(
        serial=row.serial, devices=devices, requested=row.requested_version, pushed=row.pushed_version,
        fetched=row.fetched_version, pushed_at=row.pushed_at, fetched_at=row.fetched_at,
        behind_since=row.behind_since, erased_at=row.erased_at, waiting=waiting,
    )  # fmt: skip


def _google(row: GooglePass, waiting: Waiting | None) -> GoogleState:
    return GoogleState(
        object_id=row.object_id, saved=row.saved, saved_at=row.saved_at, requested=row.requested_version,
        accepted=row.accepted_version, accepted_at=row.accepted_at, behind_since=row.behind_since, waiting=waiting,
    )  # fmt: skip
