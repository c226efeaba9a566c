"""Takes a merge back: each card goes on by itself, with what is still there of what it brought (rule 25)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.services import consents, joins
from loyalty.enums import CardStatus, RewardState, TransactionType
from loyalty.models import Card, CardMerge, IssuedReward, Transaction
from loyalty.queries import merges as queries
from loyalty.rules import merging as rules
from loyalty.services import ledger
from loyalty.services.joining import IN, OUT, Actor, Both
from loyalty.services.operations import CardNotActive

VOID = TransactionType.VOID.value


class Parting(Both):
    """One merge taken back, step by step."""

    def __init__(self, found: CardMerge, source: Card, target: Card, actor: Actor, reason: str, at: datetime) -> None:
        super().__init__(source, target, actor, reason, at)
        self.found = found
        self.family = queries.family(source.pk)
        self.others = [card for card in queries.family(target.pk) if card not in self.family]

    def run(self) -> CardMerge:
        """Give the source back what it brought, its codes, its rewards and its customer."""
        returning = queries.own_rewards(self.found, self.family)
        result = rules.unmerge(self.source, self.target, self.program, look(self.found, self.family, returning))
        issue, issued = self.issue(result.completions)
        ready = self.target.rewards_ready - len(returning) - len(result.cancelled)
        out = ledger.Write(
            self.target,
            {**result.target, "rewards_ready": ready, "welcome_granted": self._had_bonus(self.others)},
            self._out(result),
            change_rewards=[(reward.id, RewardState.CANCELLED.value, None) for reward in result.cancelled],
        )
        back = ledger.Write(
            self.source,
            {
                **result.source, "rewards_ready": len(returning) + len(issue), "status": CardStatus.ACTIVE.value,
                "merged_into_id": None, "welcome_granted": self._had_bonus(self.family),
            },
            [*self._in(result), *issued],
            issue=issue,
        )  # fmt: skip
        self._write_back(out, back)
        IssuedReward.objects.filter(id__in=returning).update(card_id=self.source.id)
        Card.objects.filter(id__in=self.family[1:]).update(merged_into_id=self.source.id)
        self._part_people()
        self._close(result, len(returning))
        return self.found

    def _write_back(self, out: ledger.Write, back: ledger.Write) -> None:
        back.first_line = len(out.lines)
        try:
            with transaction.atomic():
                ledger.commit(out, self.facts(self.reason), None)
                ledger.commit(back, self.facts(self.reason), None)
        except IntegrityError as error:
            if "loyalty_card_once" not in str(error):
                raise
            raise CardNotActive(
                message=_("Whose card this was has another one by now. Merge the two instead.")
            ) from error

    def _out(self, result: rules.Apart) -> list[ledger.Line]:
        rows = {
            row.issued_reward_id: row
            for row in Transaction.objects.filter(
                issued_reward_id__in=[reward.id for reward in result.cancelled], type=TransactionType.REWARD_ISSUED
            )
        }
        undone = [
            ledger.Line(
                VOID, stamps_delta=reward.stamps_used - reward.stamps_held, issued_reward_id=reward.id,
                reverses_id=rows[reward.id].id if reward.id in rows else None,
            )
            for reward in result.cancelled
        ]  # fmt: skip
        main = ledger.Line(
            OUT, stamps_delta=-result.stamps, points_delta=result.target_points_delta,
            debt_delta=result.target_debt_delta, micro_delta=-result.micro, granted_delta=result.target_granted_delta,
        )  # fmt: skip
        return [*undone, main]

    def _in(self, result: rules.Apart) -> list[ledger.Line]:
        return [
            ledger.Line(
                IN, stamps_delta=result.stamps, points_delta=result.points, debt_delta=result.debt,
                micro_delta=result.micro, granted_delta=result.source_granted,
            )
        ]  # fmt: skip

    def _had_bonus(self, cards: Sequence[UUID]) -> bool:
        """Tell whether one of the cards got the welcome bonus and kept it."""
        given = Transaction.objects.filter(card_id__in=cards, type=TransactionType.WELCOME_BONUS)
        ids = list(given.values_list("pk", flat=True))
        return len(ids) > Transaction.objects.filter(reverses_id__in=ids).values("reverses_id").distinct().count()

    def _part_people(self) -> None:
        moved = self.found.moved
        if "consents" in moved:
            consents.restore(
                merchant_id=self.merchant_id, written=[UUID(row) for row in moved["consents"]], at=self.at
            )  # fmt: skip
        if "staff_pin" in moved:
            Customer.objects.filter(pk=self.target_card.customer_id, staff_pin_id=moved["staff_pin"]).update(
                staff_pin_id=None
            )
        if "customer" in moved:
            Customer.objects.filter(pk=moved["customer"]).update(merged_into_id=None)
            Customer.objects.filter(pk__in=moved["people"]).update(merged_into_id=moved["customer"])
            joins.give_back(
                merchant_id=self.merchant_id, into=self.target_card.customer_id, other=UUID(moved["customer"]),
                took=moved["took"],
            )  # fmt: skip

    def _close(self, result: rules.Apart, rewards: int) -> None:
        back = {
            "stamps": result.stamps, "points": result.points, "debt": result.debt, "rewards": rewards,
            "missing_stamps": result.missing_stamps, "missing_points": result.missing_points,
            "cancelled": len(result.cancelled),
        }  # fmt: skip
        self.found.moved = {**self.found.moved, "back": back}
        self.found.undone_at, self.found.undone_by_id = self.at, self.actor.user_id
        self.found.save(update_fields=["moved", "undone_at", "undone_by"])
        self.note("card_unmerged", self.found)


def look(found: CardMerge, family: Sequence[UUID], returning: Sequence[UUID]) -> rules.Facts:
    """Gather what happened to what the source brought. Rewards that the target had before are its own.

    family: the source and what was merged into it before. returning: the rewards that go back as they are.
    """
    moved, theirs = found.moved, queries.waiting(found.target_id)
    there = {UUID(reward) for reward in moved["rewards_there"]}
    since = [reward for reward in theirs if reward.id not in returning and reward.issued_at >= found.merged_at]
    return rules.Facts(
        moved=rules.Moved(moved["stamps"], moved["points"], moved["debt"], moved["micro"]),
        since=queries.since(found, family),
        paid_own=moved["paid_own"],
        paid_moved=moved["paid_moved"],
        target_held=sum(reward.stamps_held for reward in theirs),
        issued=[reward for reward in since if not any(row.pk in there for row in queries.lineage(reward.id))],
    )
