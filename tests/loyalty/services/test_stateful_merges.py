"""Random sequences over three cards: sales, stamps, corrections, freezing, merging and taking apart, in any order.

After each step every ledger explains its card and verify_ledger is silent.
Merging and taking apart make nothing: not a point but those of fractions, not a stamp.
"""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core import tenancy
from core.errors import DomainError
from loyalty.models import Card, IssuedReward, Reward
from loyalty.queries import verification
from loyalty.services import adjustments, freezing, merges
from tests.support.world import World

QUICK = settings(max_examples=25, stateful_step_count=16, deadline=None, suppress_health_check=list(HealthCheck))
CARDS = 3
which = st.integers(0, CARDS - 1)
REFUSALS = {
    "card_not_active", "card_full", "insufficient_points", "insufficient_stamps", "already_voided", "already_redeemed",
    "void_not_allowed", "refund_exceeds_sale", "validation_error", "status_change_refused",
}  # fmt: skip


class MergeMachine(RuleBasedStateMachine):
    """Three cards of one program."""

    world: World
    cards: list[Card]

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.done: list[str] = []
        self.sales: list[str] = []

    def teardown(self) -> None:
        """Forget the example."""
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize(
        rate=st.sampled_from(["1/50", "1/3", "1"]),
        rounding=st.sampled_from(["carry", "per_purchase"]),
        shortfall=st.sampled_from(["write_off", "settle_later"]),
        full_card=st.sampled_from(["carry_over", "collect_first"]),
        goal=st.integers(2, 5),
    )
    def begin(self, rate: str, rounding: str, shortfall: str, full_card: str, goal: int) -> None:
        """Open a shop."""
        self.world = World.make(
            loyalty_type="hybrid", points_per_euro=rate, rounding=rounding, refund_shortfall=shortfall,
            full_card=full_card, stamps_target=goal,
        )  # fmt: skip
        self.cards = [self.world.card() for _ in range(CARDS)]
        with tenancy.scope(self.world.merchant_id):
            self.reward = Reward.objects.create(program=self.world.program, name="Scarf", points_cost=7)

    def _try(self, work: Any) -> Any:
        """Do something; a refusal is fine."""
        self.world.tick(seconds=1)
        try:
            return work()
        except DomainError as refusal:
            assert refusal.code in REFUSALS, refusal.code
            return None

    def _note(self, answer: Any) -> None:
        if answer is not None:
            self.done.append(answer["transaction_id"])

    @rule(card=which, cents=st.integers(1, 9_000))
    def sell(self, card: int, cents: int) -> None:
        """Record a sale; it brings a stamp, where the card has room."""
        answer = self._try(lambda: self.world.sale(self.cards[card], cents))
        self._note(answer)
        if answer is not None:
            self.sales.append(answer["transaction_id"])

    @rule(card=which, quantity=st.integers(1, 4))
    def stamp(self, card: int, quantity: int) -> None:
        """Give stamps."""
        self._note(self._try(lambda: self.world.stamp(self.cards[card], quantity)))

    @rule(card=which)
    def redeem(self, card: int) -> None:
        """Hand out a reward of a full card."""
        self._note(self._try(lambda: self.world.redeem(self.cards[card])))

    @rule(card=which)
    def spend(self, card: int) -> None:
        """Buy the reward."""
        self._note(self._try(lambda: self.world.spend(self.cards[card], self.reward.pk)))

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def void(self, data: Any) -> None:
        """Undo something, wherever it is by now."""
        self._try(lambda: self.world.void(data.draw(st.sampled_from(self.done))))

    @precondition(lambda self: self.sales)
    @rule(data=st.data(), cents=st.integers(1, 5_000))
    def refund(self, data: Any, cents: int) -> None:
        """Refund a part of a sale, wherever it is by now."""
        self._try(lambda: self.world.refund(data.draw(st.sampled_from(self.sales)), cents))

    @rule(card=which, stamps=st.integers(-4, 4), points=st.integers(-20, 20))
    def adjust(self, card: int, stamps: int, points: int) -> None:
        """Put something right."""
        work = {"card_id": self.cards[card].pk, "stamps_delta": stamps, "points_delta": points, "reason": "x"}
        self._try(lambda: adjustments.adjust(self.world.call(), **work))

    @rule(card=which, on=st.booleans())
    def freeze(self, card: int, on: bool) -> None:
        """Freeze a card or let it go on."""
        change = freezing.freeze if on else freezing.unfreeze
        asked = {"card_id": self.cards[card].pk, "reason": "x", "at": self.world.at}
        self._try(lambda: change(merchant_id=self.world.merchant_id, **asked))

    @rule(card=which, into=which)
    def merge(self, card: int, into: int) -> None:
        """Merge two cards."""
        before = self._worth()
        if self._try(lambda: merges.merge(into_id=self.cards[into].pk, **self._asked(card))):
            points, stamps = (after - was for after, was in zip(self._worth(), before, strict=True))
            assert points in (0, 1)
            assert stamps == 0

    @rule(card=which)
    def unmerge(self, card: int) -> None:
        """Take a merge apart."""
        before = self._worth()
        if self._try(lambda: merges.unmerge(**self._asked(card))):
            points, stamps = (after - was for after, was in zip(self._worth(), before, strict=True))
            assert points in (0, -1)
            assert stamps == 0

    def _asked(self, card: int) -> dict[str, Any]:
        return {
            "merchant_id": self.world.merchant_id, "card_id": self.cards[card].pk, "reason": "x", "at": self.world.at,
            "channel": "api",
        }  # fmt: skip

    def _worth(self) -> tuple[int, int]:
        """Return points less debts, and stamps on cards and in rewards that wait."""
        cards = [self.world.fresh(card) for card in self.cards]
        with tenancy.scope(self.world.merchant_id):
            waiting = list(IssuedReward.objects.filter(state="issued"))
        points = sum(card.points_balance - card.points_debt for card in cards)
        return points, sum(card.stamp_count for card in cards) + sum(r.stamps_used - r.stamps_held for r in waiting)

    @invariant()
    def the_ledgers_explain_the_cards(self) -> None:
        """Hold each card against its rows, and all of it against verify_ledger."""
        if not hasattr(self, "cards"):
            return
        cards = [self.world.assert_adds_up(card) for card in self.cards]
        assert verification.verify(self.world.merchant_id).differences == ()
        for card in cards:
            assert card.stamp_count <= card.stamps_target
            assert card.points_granted == card.points_micro // 1_000_000


@pytest.mark.parametrize("machine", [MergeMachine])
def test_whatever_the_order_merging_makes_nothing(db: None, machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)
