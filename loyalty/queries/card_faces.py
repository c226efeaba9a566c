"""Cards as they are shown: a card with everything its answer names, for one card or a page of them in few queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from core import money
from loyalty import extensions
from loyalty.enums import CardStatus, RewardSource, RewardState, TransactionType
from loyalty.extensions import WalletState
from loyalty.models import Card, IssuedReward, Program, Reward, Transaction
from loyalty.rules import expiry, points
from loyalty.rules.states import ProgramRules
from merchants.models import Merchant

AVAILABLE = "available"
# What time or a manager did, while the customer was away.
NO_VISITS = (
    TransactionType.POINTS_EXPIRED, TransactionType.REWARD_EXPIRED, TransactionType.ADJUSTMENT,
    TransactionType.MERGE_IN, TransactionType.MERGE_OUT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadyReward:
    """A reward that can be had now: issued for stamps, or one that the points afford (then never issued)."""

    id: UUID
    name: str
    source: str
    state: str
    issued_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class CardFace:
    """A card with what stands beside it; `card` has program, customer and enrolled_store loaded.

    What has expired is not on it, whether or not the nightly job has been. points_expire_on: the last day of the points
    that are there, None when they do not expire.
    """

    card: Card
    rewards: list[ReadyReward]
    catalogue: list[Reward]
    last_activity_at: datetime
    wallet: WalletState
    points_expire_on: date | None = None

    @property
    def stamps_until_reward(self) -> int | None:
        """Stamps that are missing, None where stamps are not counted."""
        return max(0, self.card.stamps_target - self.card.stamp_count) if self.card.program.has_stamps else None

    @property
    def to_next_point_cents(self) -> int | None:
        """Money that is missing for the next point, None where points are not counted."""
        program = self.card.program
        if not program.has_points:
            return None
        return points.to_next_point(self.card.points_micro, rules_of(program), money.exponent(program.currency))

    @property
    def next_points_reward(self) -> Reward | None:
        """The cheapest reward that the points do not afford yet."""
        return next((reward for reward in self.catalogue if reward.points_cost > self.card.points_balance), None)


def cards() -> "QuerySet[Card]":
    """Return cards with what a face needs loaded; narrow it and give it to `faces`."""
    done = Transaction.objects.filter(card_id=OuterRef("pk")).exclude(type__in=NO_VISITS)
    last = done.order_by("-seq").values("occurred_at")[:1]
    related = Card.objects.select_related("program", "customer", "enrolled_store")
    return related.annotate(last_row_at=Subquery(last))


def face(card_id: UUID, at: datetime) -> CardFace | None:
    """Return one card as shown at `at`, None when there is none."""
    found = faces(cards().filter(pk=card_id), at)
    return found[0] if found else None


def faces(found: Iterable[Card], at: datetime) -> list[CardFace]:
    """Return cards of `cards()` as shown at `at`: three queries more, however many cards they are."""
    shown = list(found)
    last_days = _expire(shown, at)
    issued = _issued(shown, at)
    catalogues = _catalogues({card.program_id for card in shown if card.program.has_points})
    wallets = extensions.wallet_states([card.pk for card in shown])
    return [
        CardFace(
            card=card,
            rewards=[*issued[card.pk], *affordable(card, catalogues.get(card.program_id, []))],
            catalogue=catalogues.get(card.program_id, []),
            last_activity_at=getattr(card, "last_row_at", None) or card.enrolled_at,
            wallet=wallets[card.pk],
            points_expire_on=last_days.get(card.pk),
        )
        for card in shown
    ]


def rules_of(program: Program) -> ProgramRules:
    """Return a program's rules as plain values."""
    return ProgramRules(**{field.name: getattr(program, field.name) for field in fields(ProgramRules)})


def valid_until(card: Card, merchant: Merchant, at: datetime) -> date | None:
    """Take expired points off a card's face; return the last day of those that are valid and will expire."""
    last = expiry.last_day(card.last_activity_on, card.program)
    if last is None or not card.points_balance or card.status != CardStatus.ACTIVE:
        return None
    if expiry.is_stopped(merchant.status, merchant.status_since, at):
        return None
    if last < expiry.local_date(at, merchant.time_zone):
        card.points_balance = 0
        return None
    return last


def waiting(card: Card, issued: Iterable[IssuedReward], at: datetime) -> list[ReadyReward]:
    """Return what is ready of the rewards a card was issued; the stamps that an expired one held leave its face."""
    found = []
    for row in issued:
        if row.expires_at is None or row.expires_at > at:
            found.append(ReadyReward(row.id, row.name, row.source, row.state, row.issued_at, row.expires_at))
        elif row.stamps_held:
            card.stamp_count = max(0, card.stamp_count - row.stamps_held)
            card.stamps_target = card.program.stamps_target
            card.stamps_reward = card.program.stamps_reward_description
    return found


def affordable(card: Card, catalogue: Iterable[Reward]) -> list[ReadyReward]:
    """Return what the points on a card buy."""
    if card.points_balance < card.program.minimum_redemption_points:
        return []
    return [
        ReadyReward(reward.id, reward.name, RewardSource.POINTS, AVAILABLE, None, None)
        for reward in catalogue
        if reward.points_cost <= card.points_balance
    ]


def _expire(shown: Sequence[Card], at: datetime) -> dict[UUID, date]:
    """Take expired points off the faces of cards; return the last day of the others."""
    if not any(card.program.points_expiration_days for card in shown):
        return {}
    merchants = {card.merchant_id for card in shown}
    places = {row.pk: row for row in Merchant.objects.filter(pk__in=merchants)}
    last_days = {card.pk: valid_until(card, places[card.merchant_id], at) for card in shown}
    return {card_id: last for card_id, last in last_days.items() if last is not None}


def _issued(shown: Sequence[Card], at: datetime) -> dict[UUID, list[ReadyReward]]:
    rows = IssuedReward.objects.filter(card_id__in=[card.pk for card in shown], state=RewardState.ISSUED)
    issued: dict[UUID, list[IssuedReward]] = {}
    for row in rows.order_by("issued_at", "id"):
        issued.setdefault(row.card_id, []).append(row)
    return {card.pk: waiting(card, issued.get(card.pk, []), at) for card in shown}


def _catalogues(program_ids: set[UUID]) -> dict[UUID, list[Reward]]:
    if not program_ids:
        return {}
    on_offer = Reward.objects.filter(program_id__in=program_ids, is_active=True, archived_at__isnull=True)
    found: dict[UUID, list[Reward]] = {}
    for reward in on_offer.order_by("points_cost", "position", "id"):
        found.setdefault(reward.program_id, []).append(reward)
    return found
