"""Reward news: what is worth a mail to a customer who agreed to them (rules 13 and 23).

Each event has a name of its own and makes one mail however often it is told; how many a day, and whether the merchant
may write at all, is decided when a mail goes. Nothing is queued for whom no mail may reach.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from core import tenancy
from customers.enums import Channel, MailKind, MailState, Purpose
from customers.models import Mail
from customers.services import consents, mailbox
from loyalty.enums import CardStatus, ProgramStatus, RewardSource, RewardState, TransactionType
from loyalty.models import Card, IssuedReward, Program, Transaction
from loyalty.queries import rewards as reward_queries
from loyalty.rules import expiry, timing
from merchants.models import Merchant

logger = logging.getLogger(__name__)

# Changes of a card that can bring no news: they are not even looked at.
DULL = frozenset({TransactionType.CARD_ENROLLED.value, TransactionType.POINTS_EXPIRED.value})
# Who stands at the till collects the reward at once, and a slip is undone: then there is nothing to tell.
LET_SETTLE = timedelta(seconds=60)
RECENT = timedelta(days=1)
# Warnings come by day, not at the hour of the nightly job.
MORNING = time(9, 0)
AT_ONCE = 500
# `reward_ready:{issued reward}`; a reward that points buy is named by card, reward and ledger row.
ISSUED_PARTS = 2
CARD_NEWS = (MailKind.REWARD_READY, MailKind.ONE_STAMP_AWAY)


@dataclass(frozen=True, slots=True)
class Piece:
    """Something to tell: the event's name, what kind it is, and what the text is about."""

    event: str
    kind: str
    reward_name: str


def tell(*, merchant_id: UUID, card_id: UUID, why: str = "", at: datetime) -> int:
    """Queue what a change of a card brings, and take back what it made untrue; returns how many were queued.

    why: the type of the first ledger row of the change, where it is known.
    """
    if why in DULL:
        return 0
    with tenancy.scope(merchant_id):
        card = _card_to_tell_of(card_id)
        if card is None:
            return 0
        pieces = [*_rewards_ready(card, at), *_one_away(card), *_points_reach(card, at)]
        _take_back(card, {piece.event for piece in pieces})
        return sum(_queue(card, piece, at) for piece in pieces)


def warn(*, merchant_id: UUID, at: datetime) -> int:
    """Warn of points that expire, 30 and 7 days before, once each; returns how many mails were queued.

    A late look queues the one warning that fits best. One card that fails is logged and the others go on.
    """
    queued = 0
    for card_id, last, days in _to_warn(merchant_id, at):
        try:
            with tenancy.scope(merchant_id):
                queued += _warn_one(card_id, last, days, at)
        except Exception:
            logger.exception("warning the customer of card %s failed", card_id)
    return queued


def _card_to_tell_of(card_id: UUID) -> Card | None:
    """Return a card whose customer can be reached and agreed to news, None else."""
    card: Card | None = (
        Card.objects.select_related("program", "customer", "enrolled_store")
        .filter(
            pk=card_id, status=CardStatus.ACTIVE, customer__confirmed_at__isnull=False, customer__erased_at__isnull=True
        )
        .exclude(customer__email_key="")
        .first()
    )
    if card is None or not consents.allowed(card.customer_id, Purpose.SERVICE, Channel.EMAIL):
        return None
    return card


def _rewards_ready(card: Card, at: datetime) -> Iterator[Piece]:
    """Yield the rewards of full cards that wait; old ones were told of before, or before the customer agreed."""
    if not card.rewards_ready:
        return
    waiting = IssuedReward.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=at), card_id=card.pk, state=RewardState.ISSUED,
        source=RewardSource.STAMPS, issued_at__gt=at - RECENT,
    )  # fmt: skip
    for row in waiting.order_by("issued_at", "id"):
        # A reward whose redemption was undone is the same news.
        yield Piece(f"reward_ready:{row.reinstates_id or row.pk}", MailKind.REWARD_READY, row.name)


def _one_away(card: Card) -> Iterator[Piece]:
    program = card.program
    if program.status != ProgramStatus.ACTIVE or not program.has_stamps or card.stamp_count < 1:
        return
    if card.stamps_target - card.stamp_count == 1:
        cycle = IssuedReward.objects.filter(
            card_id=card.pk, source=RewardSource.STAMPS, reinstates__isnull=True
        ).exclude(state=RewardState.CANCELLED).count()  # fmt: skip
        name = card.stamps_reward or program.stamps_reward_description
        yield Piece(f"one_stamp_away:{card.pk}:{cycle}", MailKind.ONE_STAMP_AWAY, name)


def _points_reach(card: Card, at: datetime) -> Iterator[Piece]:
    """Yield the best reward of the catalogue that the points have just come to afford."""
    program = card.program
    if not program.has_points or card.points_balance < max(1, program.minimum_redemption_points):
        return
    within = reward_queries.active(program.pk).filter(points_cost__lte=card.points_balance)
    best = within.order_by("-points_cost", "id").first()
    if best is None:
        return
    needed = max(best.points_cost, program.minimum_redemption_points)
    crossed = (
        Transaction.objects.filter(card_id=card.pk, points_after__gte=needed, recorded_at__gt=at - RECENT)
        .alias(before=F("points_after") - F("points_delta"))
        .filter(before__lt=needed)
        .order_by("-seq")
        .first()
    )
    if crossed is not None and crossed.type in (TransactionType.POINTS_EARNED, TransactionType.WELCOME_BONUS):
        yield Piece(f"reward_ready:{card.pk}:{best.pk}:{crossed.seq}", MailKind.REWARD_READY, best.name)


def _take_back(card: Card, true_now: set[str]) -> None:
    """Drop what waits to be sent of this card and is not true any more: collected meanwhile, undone, one stamp more."""
    waiting = Mail.objects.filter(customer_id=card.customer_id, kind__in=CARD_NEWS, state=MailState.QUEUED)
    stale = [
        mail.pk
        for mail in waiting.filter(facts__card_id=str(card.pk))
        if mail.event not in true_now and not _still_waits(card, mail)
    ]
    if stale:
        # Queued rows only: one that is being sent already is past calling back.
        Mail.objects.filter(pk__in=stale, state=MailState.QUEUED).update(
            state=MailState.DROPPED, last_error="not true any more"
        )


def _still_waits(card: Card, mail: Mail) -> bool:
    """Tell whether a mail is about a reward that can be had still, told of some time ago and put off since."""
    if mail.kind != MailKind.REWARD_READY:
        return False
    parts = mail.event.split(":")
    if len(parts) == ISSUED_PARTS:
        same = Q(pk=parts[1]) | Q(reinstates_id=parts[1])
        return bool(IssuedReward.objects.filter(same, state=RewardState.ISSUED).exists())
    within = reward_queries.active(card.program_id).filter(pk=parts[2], points_cost__lte=card.points_balance)
    return bool(within.exists())


def _queue(card: Card, piece: Piece, at: datetime) -> bool:
    facts = {**_about(card), "reward_name": piece.reward_name}
    return mailbox.queue(
        merchant_id=card.merchant_id, customer_id=card.customer_id, kind=piece.kind, event=piece.event, facts=facts,
        at=at, due_at=at + LET_SETTLE,
    )  # fmt: skip


def _about(card: Card) -> dict[str, Any]:
    return {"card_id": str(card.pk), "pages": f"/loyalty/{card.enrolled_store.code}"}


def _to_warn(merchant_id: UUID, at: datetime) -> Iterator[tuple[UUID, date, int]]:
    """Yield (card, last day, which warning) of those not warned yet, in portions."""
    with tenancy.scope(merchant_id):
        merchant = Merchant.objects.get(pk=merchant_id)
        programs = list(Program.objects.filter(points_expiration_days__gt=0, status=ProgramStatus.ACTIVE))
    today = expiry.local_date(at, merchant.time_zone)
    if expiry.is_stopped(merchant.status, merchant.status_since, at):
        return
    for program in programs:
        after: UUID | None = None
        while True:
            with tenancy.scope(merchant_id):
                cards = list(_near_the_end(program, today, after))
                due = {
                    f"points_expiring:{card.pk}:{last.isoformat()}:{days}": (card.pk, last, days)
                    for card in cards
                    if (last := expiry.last_day(card.last_activity_on, program)) is not None
                    and (days := expiry.warning(last, today, program)) is not None
                }
                told = set(Mail.objects.filter(event__in=due).values_list("event", flat=True))
            yield from (found for event, found in due.items() if event not in told)
            if len(cards) < AT_ONCE:
                break
            after = cards[-1].pk


def _near_the_end(program: Program, today: date, after: UUID | None) -> "QuerySet[Card]":
    """Return the next cards whose points may be within a warning's reach and whose customer has a proven address."""
    silence = timedelta(days=program.points_expiration_days)
    cards = Card.objects.filter(
        program_id=program.pk, status=CardStatus.ACTIVE, points_balance__gt=0,
        last_activity_on__lte=today + expiry.NOTICE - silence, customer__confirmed_at__isnull=False,
        customer__erased_at__isnull=True,
    ).exclude(customer__email_key="")  # fmt: skip
    if program.expiry_not_before is None or program.expiry_not_before < today:
        cards = cards.filter(last_activity_on__gte=today - silence)
    if after is not None:
        cards = cards.filter(pk__gt=after)
    return cards.only("id", "last_activity_on").order_by("pk")[:AT_ONCE]


def _warn_one(card_id: UUID, last: date, days: int, at: datetime) -> bool:
    card = _card_to_tell_of(card_id)
    if card is None:
        return False
    zone = Merchant.objects.values_list("time_zone", flat=True).get(pk=card.merchant_id)
    today = expiry.local_date(at, zone)
    if expiry.last_day(card.last_activity_on, card.program) != last or not card.points_balance:
        return False
    facts = {
        **_about(card), "points": card.points_balance, "expires_on": last.isoformat(), "days": (last - today).days
    }  # fmt: skip
    return mailbox.queue(
        merchant_id=card.merchant_id, customer_id=card.customer_id, kind=MailKind.POINTS_EXPIRING,
        event=f"points_expiring:{card.pk}:{last.isoformat()}:{days}", facts=facts, at=at,
        due_at=max(at, datetime.combine(today, MORNING, tzinfo=timing.zone(zone))),
    )  # fmt: skip
