"""Expiry: points after silence, rewards after their day (rule 13); by the nightly job, or first thing in an operation.

The row of an expiry is dated as if the job had been on time, however late it comes: occurred_at is the instant at which
the last valid day ended in the merchant's zone (a reward's expires_at), business_date the local date of that instant;
recorded_at tells when it was written. Only the balance expires: a debt stays owed, and fractions that were carried stay
carried, since Σ granted counts what was granted and not what is left. An operation that finds something expired writes
that row first, under the lock it has, so that neither order nor lateness of the job can be seen in a balance.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from core import tenancy
from loyalty.enums import CardStatus, Channel, ProgramStatus, RewardState, TransactionType
from loyalty.models import Card, IssuedReward, Program
from loyalty.queries import card_faces, hot
from loyalty.rules import expiry as rules
from loyalty.rules.states import CardState, ProgramRules
from loyalty.services import ledger
from merchants.models import Merchant

logger = logging.getLogger(__name__)

AT_ONCE = 500
# A pass ends well before the worker's time limit; whoever called it asks for another one.
PASS = timedelta(seconds=60)
REASON = "expiry: which merchants have points or rewards whose time is over"
Due = tuple[date, UUID]


@dataclass(slots=True)
class Tally:
    """What a pass did. unfinished: its time was up before the cards were."""

    points: int = 0
    rewards: int = 0
    failed: int = 0
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class _Loss:
    """One expiry of a card: its row, what it changes, and when it happened."""

    line: ledger.Line
    changes: dict[str, Any]
    day: date
    at: datetime
    reward_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """What an expiry needs to know around the card; now: when its row is written."""

    merchant_id: UUID
    time_zone: str
    program: ProgramRules
    now: datetime


def settle(*, loaded: hot.Loaded, at: datetime, now: datetime, write: bool) -> CardState | None:
    """Return an operation's card as it stands at `at`, after what has expired before.

    now: when the row is written, later than `at` for what a till kept. write: write the rows, too; the operation holds
    the card's lock. Without it nothing but the answer changes.
    """
    card, program = loaded.card, loaded.program
    if card is None or program is None or program.id != card.program_id or card.status != CardStatus.ACTIVE:
        return card
    merchant = loaded.access.merchant
    first = loaded.rewards_expire_at
    if rules.is_stopped(merchant.status, merchant.status_since, at):
        return card
    place = _Place(loaded.access.credential.merchant_id, merchant.time_zone, program, now)
    return _settle(card, place, at, look_at_rewards=first is not None and first <= at, write=write)


def settle_locked(
    card: CardState, *, merchant_id: UUID, time_zone: str, program: ProgramRules, at: datetime
) -> CardState:
    """Write what has expired on a card before `at`; the caller holds its lock (two cards that are to be merged)."""
    place = _Place(merchant_id, time_zone, program, at)
    return _settle(card, place, at, look_at_rewards=card.rewards_ready > 0, write=True)


def merchants(*, at: datetime) -> list[UUID]:
    """Return the merchants for which `expire` may have something to do."""
    with tenancy.platform(reason=REASON):
        running = Program.objects.filter(points_expiration_days__gt=0).values_list("merchant_id", flat=True)
        over = IssuedReward.objects.filter(state=RewardState.ISSUED, expires_at__lte=at)
        return sorted({*running.distinct(), *over.values_list("merchant_id", flat=True).distinct()})


def expire(*, merchant_id: UUID, at: datetime) -> Tally:
    """Expire what is over at one merchant, by its local date; as often as you like, as late as you like.

    Each card is a short transaction of its own. One that fails is logged and counted, and the others go on.
    """
    tally, began = Tally(), time.monotonic()
    with tenancy.scope(merchant_id):
        merchant = Merchant.objects.get(pk=merchant_id)
        programs = list(Program.objects.all())
        if rules.is_stopped(merchant.status, merchant.status_since, at):
            _postpone(rules.local_date(at, merchant.time_zone))
            return tally
    for program in programs:
        place = _Place(merchant_id, merchant.time_zone, card_faces.rules_of(program), at)
        for card_id in _over(place, at):
            # A row is recorded when it is written: who follows the ledger looks back half a minute, a pass is longer.
            passed = timedelta(seconds=time.monotonic() - began)
            if passed > PASS:
                tally.unfinished = True
                return tally
            _expire_one(replace(place, now=at + passed), card_id, at, tally)
    if tally.points or tally.rewards or tally.failed:
        logger.info(
            "expiry at %s: points of %s cards, %s rewards, %s failed",
            merchant_id, tally.points, tally.rewards, tally.failed,
        )  # fmt: skip
    return tally


def _expire_one(place: _Place, card_id: UUID, at: datetime, tally: Tally) -> None:
    try:
        with tenancy.scope(place.merchant_id):
            with connection.cursor() as cursor:
                # What a crash takes back the next night does again.
                cursor.execute("SET LOCAL synchronous_commit = off")
            before = _locked(card_id)
            after = _settle(before, place, at, look_at_rewards=before.rewards_ready > 0, write=True)
    except Exception:
        logger.exception("expiry of card %s failed", card_id)
        tally.failed += 1
        return
    tally.points += after.points_balance != before.points_balance
    tally.rewards += before.rewards_ready - after.rewards_ready


def _locked(card_id: UUID) -> CardState:
    card = Card.objects.select_for_update(of=("self",), no_key=True).get(pk=card_id)
    return CardState(**{field.name: getattr(card, field.name) for field in fields(CardState)})


def _over(place: _Place, at: datetime) -> Iterator[UUID]:
    """Yield the cards of a program on which something is over, in portions, the longest silent first."""
    yield from _in_portions(place, _silent, at)
    yield from _in_portions(place, _late, at)


def _in_portions(place: _Place, look: Any, at: datetime) -> Iterator[UUID]:
    last: Any = None
    while True:
        with tenancy.scope(place.merchant_id):
            found = look(place, at, last)
        yield from (card_id for _day, card_id in found)
        if len(found) < AT_ONCE:
            return
        last = found[-1]


def _silent(place: _Place, at: datetime, after: Due | None) -> list[Due]:
    """Return cards whose points may be over; under its lock each is looked at again."""
    program, today = place.program, rules.local_date(at, place.time_zone)
    if not rules.applies(program):
        return []
    if program.expiry_not_before is not None and program.expiry_not_before >= today:
        return []
    silent_since = today - timedelta(days=program.points_expiration_days)
    cards = Card.objects.filter(
        program_id=program.id, status=CardStatus.ACTIVE, points_balance__gt=0, last_activity_on__lt=silent_since
    )
    if after is not None:
        cards = _behind(cards, "last_activity_on", after)
    return list(cards.order_by("last_activity_on", "id").values_list("last_activity_on", "id")[:AT_ONCE])


def _late(place: _Place, at: datetime, after: tuple[datetime, UUID] | None) -> list[tuple[datetime, UUID]]:
    """Return cards with a reward whose day is over."""
    late = IssuedReward.objects.filter(
        program_id=place.program.id, state=RewardState.ISSUED, expires_at__lte=at, card__status=CardStatus.ACTIVE
    )
    if after is not None:
        late = late.filter(expires_at__gt=after[0]) | late.filter(expires_at=after[0], card_id__gt=after[1])
    rows = late.order_by("expires_at", "card_id").values_list("expires_at", "card_id").distinct()
    return list(rows[:AT_ONCE])


def _behind(cards: Any, column: str, after: Due) -> Any:
    return cards.filter(**{f"{column}__gt": after[0]}) | cards.filter(**{column: after[0], "id__gt": after[1]})


def _settle(card: CardState, place: _Place, at: datetime, *, look_at_rewards: bool, write: bool) -> CardState:
    losses = [*_points_over(card, place, at), *(_rewards_over(card, place, at) if look_at_rewards else ())]
    for loss in sorted(losses, key=lambda loss: loss.at):
        changes = _now(card, loss, place.program)
        if write:
            _write(card, changes, loss, place)
        card = replace(card, **changes, seq=card.seq + 1)
    return card


def _points_over(card: CardState, place: _Place, at: datetime) -> Iterable[_Loss]:
    last = rules.expired_on(card, place.program, rules.local_date(at, place.time_zone))
    if last is None:
        return ()
    line = ledger.Line(TransactionType.POINTS_EXPIRED.value, points_delta=-card.points_balance)
    ended = rules.end_of(last, place.time_zone)
    return (_Loss(line, {"points_balance": 0}, last + timedelta(days=1), ended),)


def _rewards_over(card: CardState, place: _Place, at: datetime) -> list[_Loss]:
    rows = IssuedReward.objects.filter(
        card_id=card.id, source="stamps", state=RewardState.ISSUED, expires_at__lte=at
    ).order_by("expires_at", "id")  # fmt: skip
    return [
        _Loss(
            ledger.Line(
                TransactionType.REWARD_EXPIRED.value, stamps_delta=-row.stamps_held, issued_reward_id=row.id
            ),
            {}, rules.local_date(row.expires_at, place.time_zone), row.expires_at, row.id,
        )
        for row in rows
    ]  # fmt: skip


def _now(card: CardState, loss: _Loss, program: ProgramRules) -> dict[str, Any]:
    """Return what an expiry changes on the card as it stands after the ones before it."""
    if loss.reward_id is None:
        return loss.changes
    changes: dict[str, Any] = {"rewards_ready": card.rewards_ready - 1}
    if loss.line.stamps_delta:
        # The card had waited for this reward to be collected; now the next one begins, under today's rules.
        changes["stamp_count"] = card.stamp_count + loss.line.stamps_delta
        changes["stamps_target"] = program.stamps_target
        changes["stamps_reward"] = program.stamps_reward_description
    return changes


def _write(card: CardState, changes: dict[str, Any], loss: _Loss, place: _Place) -> None:
    rewards = [(loss.reward_id, RewardState.EXPIRED.value, None)] if loss.reward_id is not None else []
    facts = ledger.Facts(
        merchant_id=place.merchant_id, program_id=place.program.id, program_version=place.program.version,
        key=f"auto-expiry-{card.id}-{card.seq + 1}", channel=Channel.SYSTEM.value, currency=place.program.currency,
        business_date=loss.day, occurred_at=loss.at, recorded_at=place.now,
    )  # fmt: skip
    ledger.commit(ledger.Write(card, changes, [loss.line], change_rewards=list(rewards)), facts, None)


def _postpone(today: date) -> None:
    """Keep the points of a merchant whose cards do not work; once they do, everybody has the time to be warned."""
    soonest = rules.not_before(today)
    later = Program.objects.filter(points_expiration_days__gt=0, status=ProgramStatus.ACTIVE)
    later.exclude(expiry_not_before__gte=soonest).update(expiry_not_before=soonest)
