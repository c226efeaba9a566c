"""The hourly repair of what the pipeline may have missed: a lost event, a phone that never came.

It only queues: what is sent is read when it is sent. All of it goes behind what people wait for, in chunks, and never
more at once than the wallets can take until the next time.
"""

import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import tenancy
from wallets.enums import Priority, Provider, UpdateState
from wallets.models import ApplePass, GoogleClass, GooglePass, PassUpdate
from wallets.queries import lagging
from wallets.queries.providers import in_use
from wallets.services import google_holders, queue

logger = logging.getLogger(__name__)
CHUNK = 100
# Of one merchant, and of all, in one hour. Google takes about 18 a second, which is 64,000 an hour.
SHARE, MOST = 2_000, 20_000
FULL_QUEUE = 20_000
SAMPLE = 20
WHY = "wallets: what the pipeline missed is looked for at all merchants"


@dataclass(frozen=True, slots=True)
class Repaired:
    """How many of what were queued: passes by fault, classes, and objects that Google held otherwise than we knew."""

    passes: Mapping[str, int]
    classes: int
    sampled: int


def run(*, at: datetime, share: int = SHARE, most: int = MOST) -> Repaired:
    """Queue what lags behind although nothing is under way for it, and hold a few objects against Google's own word."""
    faults = _faults()
    with tenancy.platform(reason=WHY):
        waiting = PassUpdate.objects.filter(state=UpdateState.QUEUED).count()
        room = max(0, min(most, FULL_QUEUE - waiting))
        found = {fault: lagging.cards(fault, at=at, share=share, most=room) for fault in faults}
    passes = {fault: _queue(fault, by_merchant, at) for fault, by_merchant in found.items()}
    google = in_use(Provider.GOOGLE)
    done = Repaired(passes, _classes(at) if google else 0, _look_at_google(at) if google else 0)
    if any(passes.values()) or done.classes or done.sampled:
        logger.warning("wallets were behind and are repaired: %s", done)
    return done


def _faults() -> list[str]:
    used = {provider for provider in Provider if in_use(provider)}
    return [fault for fault in lagging.FAULTS if Provider(fault.partition("_")[0]) in used]


def _queue(fault: str, by_merchant: Mapping[UUID, list[UUID]], at: datetime) -> int:
    """Queue in short transactions, a chunk of each merchant after the other."""
    longest = max(map(len, by_merchant.values()), default=0)
    for start in range(0, longest, CHUNK):
        for merchant_id, cards in by_merchant.items():
            if chunk := sorted(cards[start : start + CHUNK]):
                _queue_chunk(fault, merchant_id, chunk, at)
    return sum(map(len, by_merchant.values()))


def _queue_chunk(fault: str, merchant_id: UUID, cards: list[UUID], at: datetime) -> None:
    with tenancy.scope(merchant_id):
        for card_id in cards:
            if fault == "apple_unfetched":
                # A new number: with the old one the device would hear that nothing has changed.
                queue.request_apple(
                    merchant_id=merchant_id, card_id=card_id, at=at, priority=Priority.BULK, make=False
                )  # fmt: skip
            elif fault == "google_without":
                queue.request_google(merchant_id=merchant_id, card_id=card_id, at=at, priority=Priority.BULK)
            else:
                _again(Provider(fault.partition("_")[0]), merchant_id, card_id, at)


def _again(provider: Provider, merchant_id: UUID, card_id: UUID, at: datetime) -> None:
    """Queue what was requested before: nothing changed, it was only never sent."""
    model = ApplePass if provider == Provider.APPLE else GooglePass
    row = model._default_manager.select_for_update(of=("self",), no_key=True).filter(card_id=card_id).first()
    if row is not None:
        queue.enqueue(
            merchant_id=merchant_id, card_id=card_id, provider=provider, version=row.requested_version,
            priority=Priority.BULK, at=at,
        )  # fmt: skip


def _classes(at: datetime) -> int:
    """Queue classes again that were given up a while ago: without its class no card of a program gets to Google."""
    given_up = GoogleClass.objects.filter(
        state=UpdateState.FAILED, settled_at__lte=at - lagging.FAILED_AGAIN_AFTER
    )  # fmt: skip
    with tenancy.platform(reason=WHY):
        return given_up.update(
            state=UpdateState.QUEUED, priority=Priority.BULK, attempts=0, due_at=at, queued_at=at
        )  # fmt: skip


def _look_at_google(at: datetime) -> int:
    """Read some objects as Google has them; returns how many were other than we knew. Faults of Google end it."""
    with tenancy.platform(reason=WHY):
        bounds = lagging.bounds()
        rows = lagging.sample(_pivot(*bounds), SAMPLE) if bounds else []
    different = 0
    for merchant_id, card_id, object_id in rows:
        reply = google_holders.ask(merchant_id=merchant_id, object_id=object_id)
        if reply is None or not (reply.accepted or reply.missing):
            break
        held = google_holders.holds(reply.body) if reply.accepted else False
        if held is not None:
            different += google_holders.note(merchant_id=merchant_id, object_id=object_id, held=held, at=at)
        different += _mend(merchant_id, card_id, reply.body if reply.accepted else {}, at)
    return different


def _mend(merchant_id: UUID, card_id: UUID, body: Mapping[str, object], at: datetime) -> bool:
    """Send an object whole when Google does not have it, or not in the state that it once accepted."""
    with tenancy.scope(merchant_id):
        known = GooglePass.objects.filter(card_id=card_id).values_list("accepted", flat=True).get()
        if not known.get("state") or body.get("state") == known["state"]:
            return False
        google_holders.forget(card_id)
        return queue.request_google(
            merchant_id=merchant_id, card_id=card_id, at=at, priority=Priority.BULK, make=False
        )  # fmt: skip


def _pivot(first: UUID, last: UUID) -> UUID:
    return UUID(int=random.randint(first.int, last.int))  # noqa: S311 - a sample, no secret
