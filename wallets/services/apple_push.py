"""Apple's side of the queue: claim, number, commit; then push once per device; then record and settle.

No transaction is open while Apple is asked. Whatever a worker leaves undone is found again in the rows: an update is
settled last, and a registration notes up to which version its device was told, so that a second try leaves out whom the
first one reached.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from wallets import metrics
from wallets.enums import Provider
from wallets.providers.apple import apns, credentials
from wallets.providers.apple.apns import BAD_TOKEN, Told
from wallets.providers.apple.credentials import Credential
from wallets.providers.base import Verdict
from wallets.providers.errors import BrokenCredential, NotConfigured
from wallets.services import breakers, listeners, queue
from wallets.services.listeners import Listener
from wallets.services.queue import Claimed, Settlement

logger = logging.getLogger(__name__)

APPLE = Provider.APPLE
BATCH = 500
# A worker goes on for so long, then leaves the rest to the next one: a task must end in good time. It stays for what
# is due soon, such as what waits for the end of a device's two seconds.
DRAIN_SECONDS = 40.0
STAYS = timedelta(seconds=3)
LOOK_SECONDS = 0.05
# Changes that come while a small batch is on its way make the next one: a batch of one costs as much as one of twenty.
FEW = 20
# So many passes whose devices are all unknown to Apple, and none known: this is not the host that knows them.
BURST = 10
ACCEPTED_LATELY = timedelta(days=1)


@dataclass(slots=True)
class Round:
    """One batch on its way: what was claimed, who listens to it, and what each push came to.

    told: by device; busy: until when a device is to be left alone; moved: devices that named another token meanwhile.
    """

    credential: Credential
    claimed: list[Claimed]
    listeners: dict[UUID, list[Listener]]
    busy: dict[int, datetime] = field(default_factory=dict)
    tokens: dict[int, str] = field(default_factory=dict)
    told: dict[int, Told] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)

    def devices_by_card(self) -> dict[UUID, set[int]]:
        """Return, by card, the devices to be told of it."""
        return {each[0].card_id: {item.device_id for item in each} for each in self.listeners.values()}


def drain(*, clock: Callable[[], datetime]) -> bool:
    """Push until nothing is due any more, or for 40 seconds; returns whether time ran out before that."""
    began, lately = time.monotonic(), False
    while time.monotonic() - began < DRAIN_SECONDS:
        due, now = queue.next_due(provider=APPLE), clock()
        if due is None or due > now + STAYS:
            if not lately:
                return False
            # Where something was a moment ago, something else may be at once: it need not start another task.
            lately = False
            time.sleep(LOOK_SECONDS)
            continue
        done = push_batch(clock=clock) if due <= now else 0
        if done is None:
            return False
        lately = lately or done > 0
        if done < FEW:
            time.sleep(LOOK_SECONDS)
    return True


def push_batch(*, clock: Callable[[], datetime], size: int = BATCH) -> int | None:
    """Push one batch; returns how many updates were settled, None when Apple takes nothing from us now."""
    try:
        credential = credentials.current()
    except NotConfigured:
        return None
    except BrokenCredential as fault:
        logger.warning("nothing is pushed: %s", fault)
        return None
    state = breakers.state_of(provider=APPLE, credential=credential.fingerprint)
    probing = state.blocked_at is not None and apns.is_for(credential)
    if probing and not breakers.may_probe(state, clock()):
        return None
    claimed = queue.claim(provider=APPLE, at=clock(), size=1 if probing else size)
    if not claimed:
        return 0
    if probing and not breakers.take_probe(provider=APPLE, credential=credential.fingerprint, at=clock()):
        queue.settle([_later(update, clock()) for update in claimed], at=clock())
        return None
    pushes = _send(credential, claimed, clock)
    if probing and not pushes:
        # Nobody was there to be told, so nothing was found out.
        breakers.give_probe_back(provider=APPLE, credential=credential.fingerprint, at=clock())
    return len(claimed)


def _send(credential: Credential, claimed: list[Claimed], clock: Callable[[], datetime]) -> int:
    found = listeners.number(claimed, pass_type=credential.pass_type_id, at=clock())
    this = Round(credential, claimed, found)
    asked = apns.is_for(credential)
    wanted = {listener.device_id for each in found.values() for listener in each if asked}
    claimed_at = clock()
    this.tokens, this.busy = listeners.claim_devices(wanted, at=claimed_at)
    devices = list(this.tokens)
    listening: dict[int, list[Listener]] = {}
    for item in (item for each in found.values() for item in each):
        listening.setdefault(item.device_id, []).append(item)
    for part in apns.pushing(credential, [this.tokens[each] for each in devices]):
        _hear(this, {devices[index]: told for index, told in part.items()}, listening)
    _judge_tokens(this, clock())
    _record(this, claimed_at, clock())
    at, devices_of = clock(), this.devices_by_card()
    settlements = [_settlement(this, update, devices_of.get(update.card_id, set()), at) for update in claimed]
    queue.settle(settlements, at=clock())
    return len(devices)


def _hear(this: Round, told: dict[int, Told], listening: Mapping[int, list[Listener]]) -> None:
    """Note whom pushes reached while others are under way: what a worker that dies has noted is not sent again."""
    this.told |= told
    for each in told.values():
        metrics.pushed(APPLE, each.verdict)
    reached = [device for device, each in told.items() if each.verdict == Verdict.ACCEPTED]
    told_of = [item for device in reached for item in listening[device]]
    this.moved |= listeners.note_reached(told_of, this.tokens)


def _judge_tokens(this: Round, at: datetime) -> None:
    """Learn from all answers together whether the credential, the host or single tokens are at fault."""
    who = {"provider": APPLE, "credential": this.credential.fingerprint}
    told = this.told.values()
    refusal = next((each for each in told if each.verdict == Verdict.BLOCKED), None)
    if refusal is not None:
        breakers.block(**who, reason=refusal.reason, at=at)
        return
    if any(each.verdict == Verdict.ACCEPTED for each in told):
        breakers.accept(**who, at=at)
    foreign = sum(each.reason == "DeviceTokenNotForTopic" for each in told)
    if foreign:
        breakers.remark(**who, reason=f"DeviceTokenNotForTopic: {foreign} of {len(this.told)} devices")
    bad = {device for device, each in this.told.items() if each.reason == BAD_TOKEN}
    if not bad:
        return
    known = breakers.state_of(**who).accepted_at
    host_is_right = known is not None and known > at - ACCEPTED_LATELY
    touched = {pass_id for pass_id, each in this.listeners.items() if any(item.device_id in bad for item in each)}
    if host_is_right:
        # The registrations stay: their devices may still ask by themselves.
        logger.warning(
            "BadDeviceToken for %s: each stays registered and is not pushed again until it registers anew", len(bad)
        )
        listeners.drop_tokens({device: this.tokens[device] for device in bad})
    elif len(touched) >= BURST:
        reason = f"BadDeviceToken for {len(touched)} passes and none accepted: is this the host for passes?"
        breakers.block(**who, reason=reason, at=at)
        for device in bad:
            this.told[device] = Told(Verdict.BLOCKED, reason)


def _record(this: Round, claimed_at: datetime, at: datetime) -> None:
    """Forget who is gone, let the others be tried again, and note which passes all their devices were told of."""
    reached = {device for device, told in this.told.items() if told.verdict == Verdict.ACCEPTED}
    again = {device for device, told in this.told.items() if told.verdict in (Verdict.RETRY, Verdict.BLOCKED)}
    for device, told in this.told.items():
        if told.verdict == Verdict.GONE and not listeners.forget(device, this.tokens[device], since=told.gone_since):
            this.moved.add(device)
    listeners.free_devices(again, claimed_at=claimed_at)
    done = {
        pass_id: each[0].version
        for pass_id, each in this.listeners.items()
        if all(item.device_id in reached and item.device_id not in this.moved for item in each)
    }
    listeners.note_pushed(done, at=at)


def _settlement(this: Round, update: Claimed, devices: set[int], at: datetime) -> Settlement:
    """Decide what becomes of an update by what came of its devices, the worst first."""
    told = [this.told[device] for device in devices if device in this.told]
    waits = [this.busy[device] for device in devices if device in this.busy]

    def first(*verdicts: Verdict) -> Told | None:
        return next((each for each in told if each.verdict in verdicts), None)

    fault = first(Verdict.RETRY)
    if fault is not None:
        return _after(update, fault, at, lasting=False)
    if first(Verdict.BLOCKED) is not None:
        return _later(update, at)
    if waits or devices & this.moved:
        return _later(update, min([*waits, at + listeners.WINDOW]) if waits else at)
    lasting = next((each for each in told if each.verdict == Verdict.REFUSED and each.reason != BAD_TOKEN), None)
    if lasting is not None:
        return _after(update, lasting, at, lasting=True)
    unknown = first(Verdict.REFUSED)
    if unknown is not None and first(Verdict.ACCEPTED) is None:
        return Settlement(update.id, update.claimed_at, "failed", error=unknown.reason)
    return Settlement(update.id, update.claimed_at, "sent")


def _after(update: Claimed, told: Told, at: datetime, *, lasting: bool) -> Settlement:
    error = f"{told.status} {told.reason}" if told.status else told.reason
    return queue.after_fault(
        row_id=update.id, claimed_at=update.claimed_at, queued_at=update.queued_at, attempts=update.attempts, at=at,
        lasting=lasting, error=error, retry_after=told.retry_after,
    )  # fmt: skip


def _later(update: Claimed, due_at: datetime) -> Settlement:
    return Settlement(update.id, update.claimed_at, "later", due_at)
