"""The queue of pass updates: changes raise a row's wanted version, workers claim rows in turns and settle them.

A change and a settlement that meet cannot lose the change: one waits for the other's lock and then decides on the row
as it has become (see statements.py). Nothing here talks to a provider.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from core import outbox, tenancy
from core.db import pipeline
from core.ids import uuid7
from wallets.enums import Priority, Provider
from wallets.models import AppleDeviceRegistration, ApplePass, GooglePass
from wallets.services import passes, statements

SHARE = 100
# How long a worker may hold what it claimed; whoever needs longer meets a second worker on the same rows.
STALE = timedelta(seconds=40)
PERMANENT_TRIES = 3
PAUSES = (1, 2, 4, 8)
LONG_PAUSE = 15
PATIENT_AFTER = timedelta(minutes=10)
PATIENT_PAUSE = 300
GIVE_UP_AFTER = timedelta(hours=24)
JITTER = 0.2
ERROR_LENGTH = 1000

UPDATES, CLASSES = "wallets_passupdate", "wallets_googleclass"


@dataclass(frozen=True, slots=True)
class Claimed:
    """An update that is ours until it is settled or counts as stale. attempts counts this one."""

    id: UUID
    merchant_id: UUID
    card_id: UUID
    version: int
    attempts: int
    priority: int
    queued_at: datetime
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed row: "sent", "failed", "retry" (a try was used up) or "later" (none was)."""

    id: UUID
    claimed_at: datetime
    outcome: str
    due_at: datetime | None = None
    error: str = ""


def request_apple(
    *, merchant_id: UUID, card_id: UUID, at: datetime, priority: Priority = Priority.STAMP, make: bool = True
) -> bool:  # fmt: skip
    """Note that a card changed; queue a push when a device listens. Inside the merchant's scope.

    Returns whether something was queued. The pass's row is locked first, as a registration does: whoever comes second
    sees the other, so a change between download and registration is told in either order. make: whether a card without
    a pass gets one.
    """
    row = passes.apple(card_id) if make else ApplePass.objects.filter(card_id=card_id).first()
    if row is None:
        return False
    version = _raise_version(Provider.APPLE, row.pk, at)
    if not AppleDeviceRegistration.objects.filter(apple_pass_id=row.pk).exists():
        return False
    enqueue(
        merchant_id=merchant_id, card_id=card_id, provider=Provider.APPLE, version=version, priority=priority, at=at
    )
    return True


def request_google(
    *, merchant_id: UUID, card_id: UUID, at: datetime, priority: Priority = Priority.STAMP, make: bool = True
) -> bool:  # fmt: skip
    """Note that a card changed and queue its object. Inside the merchant's scope; returns whether that was done."""
    row = passes.google(card_id) if make else GooglePass.objects.filter(card_id=card_id).first()
    if row is None:
        return False
    version = _raise_version(Provider.GOOGLE, row.pk, at)
    enqueue(
        merchant_id=merchant_id, card_id=card_id, provider=Provider.GOOGLE, version=version, priority=priority, at=at
    )
    return True


def request_known(
    *, merchant_id: UUID, card_id: UUID, providers: Sequence[Provider], at: datetime, priority: Priority
) -> tuple[frozenset[Provider], frozenset[Provider]]:
    """Do for those passes of a card that are there what `request_…` does, all of it in one round trip.

    Needs no scope. Returns in which wallets the card has a pass, and for which of them something was queued.
    """
    values: dict[str, Any] = {"merchant": merchant_id, "card": card_id, "priority": int(priority), "at": at}
    with tenancy.brief(merchant_id) as line:
        raised = {each: line.run(statements.RAISE_OF_CARD.format(provider=each), values) for each in providers}
        queued = {each: line.run(_enqueue_of_card(each), values) for each in providers}
    return (
        frozenset(each for each, rows in raised.items() if rows.one()),
        frozenset(each for each, rows in queued.items() if rows.one()),
    )


def request_class(*, program_id: UUID, at: datetime, priority: Priority = Priority.REDEEM) -> None:
    """Note that a program's class changed and queue it. Inside the merchant's scope."""
    row = passes.google_class(program_id, at)
    with connection.cursor() as cursor:
        cursor.execute(statements.ENQUEUE_CLASS, {"id": row.pk, "priority": int(priority), "at": at})


def request_many(
    *, merchant_id: UUID, program_id: UUID, provider: Provider, after: UUID | None, size: int, at: datetime
) -> list[UUID]:
    """Note that all cards of a program changed: the next `size` of those in this wallet, in the order of their ids.

    Inside the merchant's scope; returns the ids. Each is queued behind everything that is more urgent.
    """
    name = str(provider)
    values: dict[str, Any] = {
        "merchant": merchant_id, "program": program_id, "provider": name, "after": after or UUID(int=0), "size": size,
        "priority": int(Priority.BULK), "at": at,
    }  # fmt: skip
    with connection.cursor() as cursor:
        choose = statements.LOCK_MANY.format(provider=name, in_a_wallet=statements.IN_A_WALLET[name])
        cursor.execute(choose, values)
        rows = cursor.fetchall()
        if rows:
            values |= {"passes": [row[0] for row in rows], "cards": [row[1] for row in rows]}
            cursor.execute(statements.LOCK_QUEUED, values)
            cursor.execute(statements.ENQUEUE_MANY.format(provider=name), values)
    return [row[1] for row in rows]


def enqueue(
    *, merchant_id: UUID, card_id: UUID, provider: str, version: int, priority: int, at: datetime
) -> None:  # fmt: skip
    """Queue a pass's update, or let the row that is there want it too. Inside the merchant's scope, the pass locked.

    version: the pass's requested_version. A worker that has the row just now does not count as having done this.
    """
    values: dict[str, Any] = {
        "id": uuid7(), "merchant": merchant_id, "card": card_id, "provider": str(provider), "version": version,
        "priority": int(priority), "at": at,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statements.ENQUEUE, values)


def announce(*, merchant_id: UUID, provider: Provider) -> None:
    """Have a worker look at the queue once the current transaction is committed."""
    outbox.publish(f"wallets.{provider}_queued", merchant_id=merchant_id)


def claim(*, provider: str, at: datetime, size: int, share: int = SHARE) -> list[Claimed]:
    """Take up to `size` due updates, the urgent first, in turns among the merchants."""
    values = {"provider": str(provider), "at": at, "size": size, "share": share}
    with tenancy.platform(reason="wallets: claim pass updates of all merchants"), pipeline() as line:
        line.run("SET LOCAL synchronous_commit = off")
        rows = line.run(statements.CLAIM, values)
    found = [Claimed(**row) for row in rows.all()]
    return sorted(found, key=lambda update: (update.priority, update.queued_at, update.id))


def settle(settlements: Sequence[Settlement], *, at: datetime, table: str = UPDATES) -> None:
    """Write down what became of claimed rows. One that was wanted anew meanwhile is queued again at once."""
    if not settlements:
        return
    values = {
        "at": at,
        "ids": [row.id for row in settlements],
        "claims": [row.claimed_at for row in settlements],
        "outcomes": [row.outcome for row in settlements],
        "dues": [row.due_at or at for row in settlements],
        "errors": [row.error[:ERROR_LENGTH] for row in settlements],
    }
    with tenancy.platform(reason="wallets: settle pass updates of all merchants"), pipeline() as line:
        line.run("SET LOCAL synchronous_commit = off")
        line.run(statements.LOCK_CLAIMED.format(table=table), values)
        line.run(statements.SETTLE.format(table=table, pause=statements.PAUSES[table]), values)


def rescue(*, at: datetime) -> int:
    """Queue again what a worker claimed long ago and never settled; returns how many."""
    found = 0
    with tenancy.platform(reason="wallets: rescue updates that a worker left behind"), connection.cursor() as cursor:
        for table in (UPDATES, CLASSES):
            cursor.execute(statements.RESCUE.format(table=table), {"at": at, "before": at - STALE})
            found += cursor.rowcount
    return found


def next_due(*, provider: str) -> datetime | None:
    """Return when the next queued update is due, None when nothing is queued."""
    with tenancy.platform(reason="wallets: when the next pass update is due"), connection.cursor() as cursor:
        cursor.execute(statements.NEXT_DUE, {"provider": str(provider)})
        due: datetime | None = cursor.fetchone()[0]
    return due


def after_fault(
    *, row_id: UUID, claimed_at: datetime, queued_at: datetime, attempts: int, at: datetime, lasting: bool, error: str,
    retry_after: float | None = None,
) -> Settlement:  # fmt: skip
    """Decide what follows a fault: another try after 1, 2, 4, 8, 15, 15 … s, every 5 minutes after ten, or the end.

    lasting: a fault that will not pass by itself; it is over after three tries. Others are given up after a day.
    """
    over = attempts >= PERMANENT_TRIES if lasting else at - queued_at >= GIVE_UP_AFTER
    if over:
        return Settlement(row_id, claimed_at, "failed", error=error)
    seconds = _pause(attempts, waited=at - queued_at)
    seconds = max(seconds * random.uniform(1 - JITTER, 1 + JITTER), min(retry_after or 0, PATIENT_PAUSE))  # noqa: S311 - spreads load
    return Settlement(row_id, claimed_at, "retry", at + timedelta(seconds=seconds), error)


def _pause(attempts: int, *, waited: timedelta) -> float:
    if waited >= PATIENT_AFTER:
        return PATIENT_PAUSE
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else LONG_PAUSE


def _enqueue_of_card(provider: Provider) -> str:
    return statements.ENQUEUE_OF_CARD.format(provider=provider, in_a_wallet=statements.IN_A_WALLET[str(provider)])


def _raise_version(provider: str, pass_id: UUID, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statements.RAISE.format(provider=str(provider)), {"pass": pass_id, "at": at})
        return int(cursor.fetchone()[0])
