"""What a card of the demo lives through: the operations of a till, decided by the same rules, written nowhere yet."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from core import money
from core.errors import DomainError
from loyalty.enums import Channel, RewardSource, RewardState, TransactionType
from loyalty.models import IssuedReward, Reward, Transaction
from loyalty.rules import points as point_rules
from loyalty.rules import stamps as stamp_rules
from loyalty.rules import timing
from loyalty.rules.stamps import Moment
from loyalty.rules.states import CardState, ProgramRules
from loyalty.services import ledger
from loyalty.services.ledger import Line
from stores.models import Store

REDEEMED, ISSUED = RewardState.REDEEMED.value, RewardState.ISSUED.value


@dataclass(slots=True)
class History:
    """A card and its ledger, growing by one operation at a time."""

    merchant_id: UUID
    rules: ProgramRules
    card: CardState
    enrolled_at: datetime
    rows: list[Transaction] = field(default_factory=list)
    rewards: list[IssuedReward] = field(default_factory=list)

    def enroll(self, store: Store, at: datetime) -> None:
        """Begin, on the customer's own phone."""
        self._write([Line(TransactionType.CARD_ENROLLED.value)], {}, store, at, staff_id=None)

    def stamp(self, store: Store, at: datetime, staff_id: UUID, quantity: int = 1) -> bool:
        """Give stamps; returns whether the rules let it happen."""
        try:
            lines, changes = self._stamps(self._moment(store, at), quantity)
        except DomainError:
            return False
        self._write(lines, changes, store, at, staff_id)
        return True

    def undo_stamp(self, store: Store, at: datetime, staff_id: UUID) -> None:
        """Undo the last operation, a stamp that filled no card."""
        row = self.rows[-1]
        before = [item.occurred_at for item in self.rows[:-1] if item.type == TransactionType.STAMP_EARNED]
        changes = {
            "stamp_count": self.card.stamp_count - row.stamps_delta,
            "stamps_today": self.card.stamps_today - row.stamps_delta,
            "last_stamp_at": max(before, default=None),
        }
        line = Line(TransactionType.VOID.value, stamps_delta=-row.stamps_delta, reverses_id=row.id)
        self._write([line], changes, store, at, staff_id)

    def sale(self, store: Store, at: datetime, staff_id: UUID, cents: int) -> Transaction:
        """Grant the points of a purchase; a hybrid program gives its stamp along, the first one the welcome bonus."""
        change = point_rules.earn(self.card, self.rules, cents, money.exponent(self.rules.currency))
        lines = [
            Line(
                TransactionType.POINTS_EARNED.value, points_delta=change.points_delta, debt_delta=change.debt_delta,
                micro_delta=change.micro_delta, granted_delta=change.granted_delta, points_granted=change.granted,
                purchase_amount_cents=cents,
            )
        ]  # fmt: skip
        changes: dict[str, Any] = {**ledger.moved(self.card, change), "last_points_at": at}
        if self.rules.has_stamps:
            stamped, more = self._stamps_along(store, at)
            lines, changes = lines + stamped, {**changes, **more}
        bonus = 0 if self.card.welcome_granted else self.rules.welcome_bonus_points
        if bonus:
            lines.append(Line(TransactionType.WELCOME_BONUS.value, points_delta=bonus, points_granted=bonus))
            changes |= {"points_balance": changes["points_balance"] + bonus, "welcome_granted": True}
        first = len(self.rows)
        self._write(lines, changes, store, at, staff_id)
        return self.rows[first]

    def refund(self, sale: Transaction, store: Store, at: datetime, staff_id: UUID, cents: int) -> None:
        """Refund a part of a purchase that was not refunded before."""
        recorded = point_rules.Sale(sale.purchase_amount_cents or 0, sale.micro_delta, sale.points_granted)
        change = point_rules.take_back(
            self.card, self.rules, recorded, recorded.net_cents - cents, policy=self.rules.refund_shortfall,
            exponent=money.exponent(self.rules.currency),
        )  # fmt: skip
        line = ledger.reversal(TransactionType.REFUND.value, sale.id, change)
        line.purchase_amount_cents = -cents
        self._write([line], ledger.moved(self.card, change), store, at, staff_id)

    def collect(self, store: Store, at: datetime, staff_id: UUID) -> bool:
        """Hand out the oldest reward of a full card; returns whether there was one."""
        ready = [reward for reward in self.rewards if reward.state == ISSUED]
        if not ready:
            return False
        ready[0].state, ready[0].redeemed_at = REDEEMED, at
        line = Line(TransactionType.STAMP_REDEEMED.value, issued_reward_id=ready[0].id)
        self._write([line], {"rewards_ready": self.card.rewards_ready - 1}, store, at, staff_id)
        return True

    def buy(self, reward: Reward, store: Store, at: datetime, staff_id: UUID) -> None:
        """Hand out a reward of the catalogue for its points."""
        cost = reward.points_cost
        issued = self._issue(reward.name, at, source=RewardSource.POINTS, reward=reward, points_used=cost)
        issued.state, issued.redeemed_at = REDEEMED, at
        line = Line(
            TransactionType.POINTS_REDEEMED.value, points_delta=-cost, reward_id=reward.pk, issued_reward_id=issued.pk
        )
        changes = {"points_balance": self.card.points_balance - cost, "last_points_at": at}
        self._write([line], changes, store, at, staff_id)

    def _stamps_along(self, store: Store, at: datetime) -> tuple[list[Line], dict[str, Any]]:
        try:
            return self._stamps(self._moment(store, at), 1)
        except DomainError:
            return [], {}

    def _stamps(self, moment: Moment, quantity: int) -> tuple[list[Line], dict[str, Any]]:
        given = stamp_rules.give(self.card, self.rules, quantity, moment)
        lines = [Line(TransactionType.STAMP_EARNED.value, stamps_delta=quantity)]
        for full in given.completions:
            issued = self._issue(full.reward, moment.at, source=RewardSource.STAMPS, stamps_used=full.stamps_used)
            lines.append(
                Line(TransactionType.REWARD_ISSUED.value, stamps_delta=-full.stamps_used, issued_reward_id=issued.pk)
            )
        return lines, {
            "stamp_count": given.count_after, "stamps_target": given.target_after, "stamps_reward": given.reward_after,
            "stamps_today": given.today_after, "stamps_day": moment.day, "last_stamp_at": moment.at,
            "rewards_ready": self.card.rewards_ready + len(given.completions),
        }  # fmt: skip

    def _issue(self, name: str, at: datetime, *, source: str, **values: Any) -> IssuedReward:
        reward = IssuedReward(
            id=uuid7_at(at), merchant_id=self.merchant_id, card_id=self.card.id, program_id=self.rules.id, name=name,
            source=source, issued_at=at, **values,
        )  # fmt: skip
        self.rewards.append(reward)
        return reward

    def _moment(self, store: Store, at: datetime) -> Moment:
        day = timing.business_date(at, store.time_zone, store.day_start)
        return Moment(at, day, timing.day_ends(at, store.time_zone, store.day_start))

    def _write(
        self, lines: list[Line], changes: dict[str, Any], store: Store, at: datetime, staff_id: UUID | None
    ) -> None:
        day, key = self._moment(store, at).day, f"demo-{uuid7_at(at)}"
        stamps, points = self.card.stamp_count, self.card.points_balance
        for index, line in enumerate(lines):
            stamps, points = stamps + line.stamps_delta, points + line.points_delta
            self.rows.append(
                Transaction(
                    id=uuid7_at(at), merchant_id=self.merchant_id, card_id=self.card.id, program_id=self.rules.id,
                    program_version=self.rules.version, seq=self.card.seq + 1 + index, idempotency_key=key, line=index,
                    type=line.type, stamps_delta=line.stamps_delta, points_delta=line.points_delta,
                    debt_delta=line.debt_delta, micro_delta=line.micro_delta, granted_delta=line.granted_delta,
                    stamps_after=stamps, points_after=points, points_granted=line.points_granted,
                    purchase_amount_cents=line.purchase_amount_cents, currency=self.rules.currency,
                    reward_id=line.reward_id, issued_reward_id=line.issued_reward_id, reverses_id=line.reverses_id,
                    store=store, staff_pin_id=staff_id, channel=Channel.TERMINAL if staff_id else Channel.STOREFRONT,
                    business_date=day, occurred_at=at, recorded_at=at,
                )
            )  # fmt: skip
        self.card = replace(self.card, **changes, last_activity_on=day, seq=self.card.seq + len(lines))


def uuid7_at(at: datetime) -> UUID:
    """Return a UUIDv7 as it would have been made at a moment of the past."""
    ms = int(at.timestamp() * 1000) & (1 << 48) - 1
    return UUID(int=ms << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62))
