"""Random sequences of operations: the ledger explains the card after each, whatever the order (rules 6, 8–12).

A model in plain Python keeps what should be true; the service works on the real database inside one transaction per
example. Refusals are fine, a wrong balance never is.
"""

from fractions import Fraction
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
from loyalty.models import Reward
from tests.support.world import World

QUICK = settings(max_examples=25, stateful_step_count=18, deadline=None, suppress_health_check=list(HealthCheck))


class PointsMachine(RuleBasedStateMachine):
    """Sales, refunds, voids, spending and changes of the rate, under both roundings and both shortfall policies."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.sales: list[dict[str, Any]] = []

    def teardown(self) -> None:
        """Forget the example."""
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize(
        rate=st.sampled_from(["10", "1/50", "1/3", "0.7"]),
        rounding=st.sampled_from(["carry", "per_purchase"]),
        shortfall=st.sampled_from(["write_off", "settle_later"]),
        minimum=st.sampled_from([0, 500]),
    )
    def begin(self, rate: str, rounding: str, shortfall: str, minimum: int) -> None:
        """Open a shop."""
        self.rate, self.rounding, self.minimum = Fraction(rate), rounding, minimum
        self.world = World.make(
            loyalty_type="points", points_per_euro=rate, rounding=rounding, refund_shortfall=shortfall,
            minimum_purchase_cents=minimum,
        )  # fmt: skip
        self.card = self.world.card()
        with tenancy.scope(self.world.merchant_id):
            self.reward = Reward.objects.create(program=self.world.program, name="Scarf", points_cost=7)

    @rule(cents=st.integers(1, 30_000))
    def sell(self, cents: int) -> None:
        """Record a sale."""
        answer = self.world.sale(self.card, cents)
        self.sales.append({"id": answer["transaction_id"], "net": cents, "rate": self.rate, "void": False})

    @precondition(lambda self: self.sales)
    @rule(data=st.data())
    def refund(self, data: Any) -> None:
        """Refund a part of some sale, sometimes too much."""
        sale = data.draw(st.sampled_from(self.sales))
        cents = data.draw(st.integers(1, sale["net"] + 100))
        try:
            self.world.refund(sale["id"], cents)
        except DomainError as refusal:
            assert refusal.code in ("refund_exceeds_sale", "already_voided")
            assert cents > sale["net"] or sale["void"]
        else:
            sale["net"] -= cents

    @precondition(lambda self: self.sales)
    @rule(data=st.data())
    def void(self, data: Any) -> None:
        """Undo some sale."""
        sale = data.draw(st.sampled_from(self.sales))
        try:
            self.world.void(sale["id"])
        except DomainError as refusal:
            assert refusal.code in ("already_voided", "void_not_allowed")
        else:
            sale.update(void=True, net=0)

    @rule()
    def spend(self) -> None:
        """Buy the reward, if there is enough."""
        try:
            self.world.spend(self.card, self.reward.id)
        except DomainError as refusal:
            assert refusal.code == "insufficient_points"

    @rule(rate=st.sampled_from(["10", "1/50", "1/3", "0.7"]))
    def change_rate(self, rate: str) -> None:
        """Change the rate: old sales keep theirs."""
        self.world.change(points_per_euro=rate)
        self.rate = Fraction(rate)

    @invariant()
    def the_ledger_explains_the_card(self) -> None:
        """Hold the card against its rows, and the grants against an exact recomputation."""
        if not hasattr(self, "card"):
            return
        card = self.world.assert_adds_up(self.card)
        worths = [self._micro(sale["net"], sale["rate"]) for sale in self.sales]
        granted = sum(row.points_granted for row in self.world.rows(self.card))
        if self.rounding == "carry":
            assert card.points_micro == sum(worths)
            assert card.points_granted == granted == sum(worths) // 1_000_000
        else:
            assert granted == sum(worth // 1_000_000 for worth in worths)

    def _micro(self, cents: int, rate: Fraction) -> int:
        return int(cents * rate * 10_000) if cents >= max(1, self.minimum) else 0


class StampMachine(RuleBasedStateMachine):
    """Stamps, redemptions, voids of either, changes of target and of what a full card does."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.done: list[str] = []

    def teardown(self) -> None:
        """Forget the example."""
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize(goal=st.integers(1, 5), full_card=st.sampled_from(["carry_over", "collect_first"]))
    def begin(self, goal: int, full_card: str) -> None:
        """Open a shop."""
        self.world = World.make(stamps_target=goal, full_card=full_card)
        self.card = self.world.card()

    @rule(quantity=st.integers(1, 7))
    def give(self, quantity: int) -> None:
        """Give stamps."""
        try:
            self.done.append(self.world.stamp(self.card, quantity)["transaction_id"])
        except DomainError as refusal:
            assert refusal.code == "card_full"

    @rule()
    def redeem(self) -> None:
        """Hand out a reward."""
        try:
            self.done.append(self.world.redeem(self.card)["transaction_id"])
        except DomainError as refusal:
            assert refusal.code == "insufficient_stamps"

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def void(self, data: Any) -> None:
        """Undo something."""
        try:
            self.world.void(data.draw(st.sampled_from(self.done)))
        except DomainError as refusal:
            assert refusal.code in ("already_voided", "already_redeemed")

    @rule(goal=st.integers(1, 5), full_card=st.sampled_from(["carry_over", "collect_first"]))
    def change(self, goal: int, full_card: str) -> None:
        """Change the rules."""
        self.world.change(stamps_target=goal, full_card=full_card)

    @invariant()
    def the_ledger_explains_the_card(self) -> None:
        """Hold the card against its rows and its rewards."""
        if not hasattr(self, "card"):
            return
        from loyalty.models import IssuedReward

        card = self.world.assert_adds_up(self.card)
        with tenancy.scope(self.world.merchant_id):
            rewards = list(IssuedReward.objects.filter(card_id=card.id))
        ready = [reward for reward in rewards if reward.state == "issued"]
        assert card.rewards_ready == len(ready)
        used = sum(r.stamps_used - r.stamps_held for r in rewards if r.state in ("issued", "redeemed"))
        used += sum(r.stamps_held for r in rewards if r.state == "redeemed")
        earned = sum(row.stamps_delta for row in self.world.rows(card) if row.type == "stamp_earned")
        undone = sum(
            row.stamps_delta
            for row in self.world.rows(card)
            if row.type == "void" and row.stamps_delta < 0 and row.issued_reward_id is None
        )
        assert card.stamp_count == earned + undone - used


@pytest.mark.parametrize("machine", [PointsMachine, StampMachine])
def test_whatever_the_order_the_ledger_explains_the_card(db: None, machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)
