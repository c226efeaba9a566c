"""Edges of the wallets: what the relay and the timetable start. Ids in, service calls; the state is read when they run.

Nothing is handed over through the broker but the word that there is work: the rows of the queue say what.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

import redis
from celery import current_app, shared_task
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerProblem

from core.outbox import connect
from wallets.enums import Provider
from wallets.services import (
    apple_push,
    callbacks,
    changes,
    device_logs,
    erasure,
    expiries,
    google_holders,
    google_push,
    missed,
    queue,
    sync,
)

# A word that waits in the broker is enough for everybody; should it get lost, the next one may go after this.
WAKE_LIFE_MS = 3_000
WAKE_TIMEOUT_SECONDS = 0.2
AWAY = (redis.RedisError, BrokerProblem, OSError)
# A task notes for so long, then leaves the rest to the next one.
NOTING_SECONDS = 40.0
TASKS = {Provider.APPLE: "wallets.apple.push", Provider.GOOGLE: "wallets.google.push"}


@shared_task(name="wallets.note_change", ignore_result=True)
def note_change(merchant_id: str, *, card_id: str, why: str = "", **_: Any) -> None:
    """Queue the passes of a card that changed, and wake who sends them."""
    queued = changes.note_change(
        merchant_id=UUID(merchant_id), card_id=UUID(card_id), why=why, at=timezone.now()
    )  # fmt: skip
    wake(*queued)


@shared_task(name="wallets.note_program", ignore_result=True)
def note_program(merchant_id: str, *, program_id: str, provider: str = "", after: str = "", **_: Any) -> None:
    """Queue the class and all passes of a program that looks different; a second task goes on where this one ends."""
    began, merchant, program = time.monotonic(), UUID(merchant_id), UUID(program_id)
    if not provider:
        if changes.note_class(merchant_id=merchant, program_id=program, at=timezone.now()):
            wake(Provider.GOOGLE)
        for each in Provider:
            note_program.delay(merchant_id=merchant_id, program_id=program_id, provider=each.value)
        return
    last = UUID(after) if after else None
    while time.monotonic() - began < NOTING_SECONDS:
        last = changes.note_cards(
            merchant_id=merchant, program_id=program, provider=Provider(provider), after=last, at=timezone.now()
        )
        wake(Provider(provider))
        if last is None:
            return
    note_program.delay(merchant_id=merchant_id, program_id=program_id, provider=provider, after=str(last))


@shared_task(name="wallets.note_merchant", ignore_result=True)
def note_merchant(merchant_id: str, **_: Any) -> None:
    """Queue the passes of all programs of a merchant whose name, looks, standing or stores changed."""
    for program_id in changes.programs_of(merchant_id=UUID(merchant_id)):
        note_program.delay(merchant_id=merchant_id, program_id=str(program_id))


@shared_task(name="wallets.apple.push", ignore_result=True)
def push_to_apple(**_: Any) -> None:
    """Push what is due to the devices that hold it."""
    _is_awake(Provider.APPLE)
    if apple_push.drain(clock=timezone.now):
        wake(Provider.APPLE)


@shared_task(name="wallets.google.push", ignore_result=True)
def push_to_google(**_: Any) -> None:
    """Tell Google what is due."""
    _is_awake(Provider.GOOGLE)
    if google_push.drain(at=timezone.now()):
        wake(Provider.GOOGLE)


@shared_task(name="wallets.google.check_holders", ignore_result=True)
def check_holders(merchant_id: str, *, card_id: str, **_: Any) -> None:
    """Ask Google whether anybody holds a card that it reported of."""
    google_holders.check(merchant_id=UUID(merchant_id), card_id=UUID(card_id), at=timezone.now())


@shared_task(name="wallets.rescue", ignore_result=True)
def rescue() -> None:
    """Queue again what a dead worker left behind, and note the changes whose tasks died with it."""
    found: set[Provider] = set(Provider) if queue.rescue(at=timezone.now()) else set()
    for merchant_id, card_id, why in missed.find(at=timezone.now()):
        found |= changes.note_change(merchant_id=merchant_id, card_id=card_id, why=why, at=timezone.now())
    wake(*found)


@shared_task(name="loyalty.sync_wallet_passes", ignore_result=True)
def sync_wallet_passes() -> None:
    """Repair what was missed: passes that lag behind, updates that were given up, cards without a pass."""
    sync.run(at=timezone.now())
    wake(*Provider)


@shared_task(name="wallets.retire", ignore_result=True)
def retire() -> None:
    """End the passes of people who were erased more than 30 days ago."""
    erasure.retire(at=timezone.now())


@shared_task(name="wallets.purge", ignore_result=True)
def purge() -> None:
    """Delete what devices reported and Google said, once its time is over."""
    callbacks.purge(at=timezone.now())
    device_logs.purge(at=timezone.now())


@shared_task(name="wallets.warn_of_expiries", ignore_result=True)
def warn_of_expiries() -> None:
    """Warn the platform's administrators of credentials that end soon."""
    expiries.warn(at=timezone.now())


def wake(*providers: Provider) -> None:
    """Let the workers of these wallets look at the queue: one word waits at most, and none is waited for.

    Without the broker nothing is lost: the timetable wakes them every few seconds once it is back.
    """
    for provider in providers:
        with suppress(*AWAY):
            if _ask(partial(_leave_word, provider)):
                current_app.send_task(TASKS[provider], retry=False, ignore_result=True)


def _is_awake(provider: Provider) -> None:
    """Let the next word come through: what is committed from now on may be too late for this task."""
    with suppress(*AWAY):
        _ask(partial(_take_word, provider))


def _leave_word(provider: Provider, broker: redis.Redis) -> Any:
    return broker.set(_mark(provider), 1, nx=True, px=WAKE_LIFE_MS)


def _take_word(provider: Provider, broker: redis.Redis) -> Any:
    return broker.delete(_mark(provider))


def _ask(command: Callable[[redis.Redis], Any]) -> Any:
    """Ask the broker over a connection that is kept: opening one for each change costs more than the change.

    One that died since, such as by a restart of the broker, is opened anew once.
    """
    try:
        return command(_broker(settings.REDIS_URL))
    except AWAY:
        _broker.cache_clear()
        return command(_broker(settings.REDIS_URL))


@lru_cache(maxsize=1)
def _broker(url: str) -> redis.Redis:
    """url: only tells one broker from another."""
    return connect(timeout=WAKE_TIMEOUT_SECONDS)


def _mark(provider: Provider) -> str:
    return f"wallets:wake:{provider}"
