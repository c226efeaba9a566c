"""Takes everything on one card to another: rows of both cards, rewards, codes, the person (rule 25)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core import audit
from core.ids import uuid7
from customers.models import Customer
from customers.services import consents, joins
from loyalty.enums import CardStatus, TransactionType
from loyalty.models import Card, CardMerge, IssuedReward
from loyalty.queries import card_faces
from loyalty.queries import merges as queries
from loyalty.rules import merging as rules
from loyalty.rules import timing
from loyalty.rules.states import CardState, ProgramRules
from loyalty.services import expiry, issuing, ledger

UNDO_FOR = timedelta(days=30)
OUT, IN = TransactionType.MERGE_OUT.value, TransactionType.MERGE_IN.value


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and through what. key: the caller's Idempotency-Key, by which the ledger names the rows."""

    user_id: UUID | None
    api_key_id: UUID | None
    channel: str
    store_id: UUID | None
    key: str | None


class Both:
    """What merging and taking apart share: the two locked cards, the program's rules, and how rows are written."""

    def __init__(self, source: Card, target: Card, actor: Actor, reason: str, at: datetime) -> None:
        self.source_card, self.target_card = source, target
        self.actor, self.reason, self.at = actor, reason, at
        self.merchant_id = target.merchant_id
        self.program: ProgramRules = card_faces.rules_of(target.program)
        self.source, self.target = self._settled(source), self._settled(target)
        self.key = actor.key or f"auto-{uuid7()}"
        self.recorded_at = datetime.now(UTC)

    def _settled(self, card: Card) -> CardState:
        state = queries.state(card)
        if card.status != CardStatus.ACTIVE:
            return state
        return expiry.settle_locked(
            state, merchant_id=card.merchant_id, time_zone=card.merchant.time_zone, program=self.program, at=self.at
        )  # fmt: skip

    def facts(self, note: str = "") -> ledger.Facts:
        """Return what all rows share; the business day is that of the card's own store."""
        place = self.target_card.enrolled_store
        return ledger.Facts(
            merchant_id=self.merchant_id, program_id=self.program.id, program_version=self.program.version,
            key=self.key, channel=self.actor.channel, currency=self.program.currency,
            business_date=timing.business_date(self.at, place.time_zone, place.day_start), occurred_at=self.at,
            recorded_at=self.recorded_at, store_id=self.actor.store_id, api_key_id=self.actor.api_key_id,
            user_id=self.actor.user_id, note=note,
        )  # fmt: skip

    def write(self, source: ledger.Write, target: ledger.Write) -> None:
        """Write both cards under one key."""
        target.first_line = len(source.lines)
        ledger.commit(source, self.facts(self.reason), None)
        ledger.commit(target, self.facts(self.reason), None)

    def issue(self, completions: Sequence[Any]) -> tuple[list[dict[str, Any]], list[ledger.Line]]:
        """Return rewards of full cards and their rows."""
        return issuing.rewards(
            completions, program=self.program, at=self.at, time_zone=self.target_card.merchant.time_zone
        )

    def note(self, action: str, merge: CardMerge) -> None:
        """Leave a trace in the audit; the reason, which may name somebody, stays with the merge."""
        audit.note(
            action=action, target=f"card {merge.source_id}", actor_id=self.actor.user_id, merchant_id=self.merchant_id,
            facts={"into": str(merge.target_id)},
        )  # fmt: skip


class Joining(Both):
    """One merge, step by step."""

    def run(self) -> CardMerge:
        """Move balances, rewards, codes and the person."""
        mine, theirs = queries.waiting(self.source.id), queries.waiting(self.target.id)
        held, target_held = sum(reward.stamps_held for reward in mine), sum(item.stamps_held for item in theirs)
        result = rules.merge(self.source, self.target, self.program, held, target_held)
        issue, issued = self.issue(result.completions)
        self.write(
            ledger.Write(self.source, self._emptied(), self._out(mine)),
            ledger.Write(
                self.target,
                {**result.change, "rewards_ready": self.target.rewards_ready + len(mine) + len(issue)},
                [*self._in(result, held), *self._released(result, theirs), *issued],
                issue=issue,
            ),
        )
        self._move_rewards(mine, theirs if result.released else [])
        # A card that was merged into the source before leads on in one step, too.
        Card.objects.filter(merged_into_id=self.source.id).update(merged_into_id=self.target.id)
        made: CardMerge = CardMerge.objects.create(
            source_id=self.source.id, target_id=self.target.id, idempotency_key=self.key, reason=self.reason,
            moved=self._moved(result, mine, theirs, held), merged_at=self.at, merged_by_id=self.actor.user_id,
            undo_until=self.at + UNDO_FOR,
        )  # fmt: skip
        self.note("card_merged", made)
        return made

    def _emptied(self) -> dict[str, Any]:
        columns = ("stamp_count", "points_balance", "points_debt", "points_micro", "points_granted", "rewards_ready")
        gone = {"status": CardStatus.MERGED.value, "status_reason": "", "merged_into_id": self.target.id}
        new = {}
        if self.source.stamp_count >= self.source.stamps_target:
            new = {"stamps_target": self.program.stamps_target, "stamps_reward": self.program.stamps_reward_description}
        return {**dict.fromkeys(columns, 0), **new, **gone}

    def _out(self, mine: Sequence[rules.Waiting]) -> list[ledger.Line]:
        """Return the rows that empty the source; stamps held for a reward leave by a row that names it."""
        card, waiting = self.source, [reward for reward in mine if reward.stamps_held]
        loose = card.stamp_count - sum(reward.stamps_held for reward in waiting)
        main = ledger.Line(
            OUT, stamps_delta=-loose, points_delta=-card.points_balance, debt_delta=-card.points_debt,
            micro_delta=-card.points_micro, granted_delta=-card.points_granted,
        )  # fmt: skip
        return [main, *(ledger.Line(OUT, stamps_delta=-item.stamps_held, issued_reward_id=item.id) for item in waiting)]

    def _in(self, result: rules.Together, held: int) -> list[ledger.Line]:
        """Return the row that brings it all to the target; a point that two fractions make is granted here."""
        return [
            ledger.Line(
                IN, stamps_delta=self.source.stamp_count - held, points_delta=result.points_delta,
                debt_delta=result.debt_delta, micro_delta=self.source.points_micro, granted_delta=result.granted_delta,
                points_granted=result.extra,
            )
        ]  # fmt: skip

    def _released(self, result: rules.Together, theirs: Sequence[rules.Waiting]) -> list[ledger.Line]:
        if not result.released:
            return []
        return [
            ledger.Line(IN, stamps_delta=-item.stamps_held, issued_reward_id=item.id)
            for item in theirs if item.stamps_held
        ]  # fmt: skip

    def _move_rewards(self, mine: Sequence[rules.Waiting], released: Sequence[rules.Waiting]) -> None:
        moved = IssuedReward.objects.filter(id__in=[reward.id for reward in mine])
        moved.update(card_id=self.target.id, stamps_held=0)
        IssuedReward.objects.filter(id__in=[reward.id for reward in released]).update(stamps_held=0)

    def _moved(
        self, result: rules.Together, mine: Sequence[rules.Waiting], theirs: Sequence[rules.Waiting], held: int
    ) -> dict[str, Any]:
        """Return what it takes to take the merge back. recorded_at: by the clock of the ledger's rows."""
        return {
            "stamps": self.source.stamp_count - held, "points": self.source.points_balance,
            "debt": self.source.points_debt, "micro": self.source.points_micro, "granted": self.source.points_granted,
            "extra": result.extra, "paid_own": result.paid_own, "paid_moved": result.paid_moved,
            "rewards": [str(reward.id) for reward in mine], "rewards_made": len(result.completions),
            "rewards_there": [str(reward.id) for reward in theirs], "recorded_at": self.recorded_at.isoformat(),
            **self._join_people(),
        }  # fmt: skip

    def _join_people(self) -> dict[str, Any]:
        """Let the target's record go on for the person, with the stricter consent of both on each channel."""
        one, other = self.target_card.customer, self.source_card.customer
        if one.pk == other.pk:
            return {}
        written = consents.most_restrictive(merchant_id=self.merchant_id, into=one.pk, other=other.pk, at=self.at)
        done: dict[str, Any] = {"consents": [str(row) for row in written]}
        if one.staff_pin_id is None and other.staff_pin_id is not None:
            Customer.objects.filter(pk=one.pk).update(staff_pin_id=other.staff_pin_id)
            done["staff_pin"] = str(other.staff_pin_id)
        lives = (CardStatus.ACTIVE, CardStatus.FROZEN)
        if not Card.objects.filter(customer_id=other.pk, status__in=lives).exists():
            # Records that were merged into the other one before lead on in one step, too.
            before = list(Customer.objects.filter(merged_into_id=other.pk).values_list("pk", flat=True))
            Customer.objects.filter(pk__in=[other.pk, *before]).update(merged_into_id=one.pk)
            took = joins.take_over(merchant_id=self.merchant_id, into=one.pk, other=other.pk)
            done |= {"customer": str(other.pk), "people": [str(person) for person in before], "took": took}
        return done
