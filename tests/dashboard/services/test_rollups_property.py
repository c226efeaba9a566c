"""Whatever happens in whatever order: rollups that followed along are those of a rebuild, and those of the ledger."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine

from core import tenancy
from core.errors import DomainError
from dashboard.queries import rollup_differences
from dashboard.services import rollups
from loyalty.models import Card, Transaction
from loyalty.queries import verification
from loyalty.rules import timing
from stores.models import Store
from tests.dashboard.services.test_rollups import picture
from tests.factories.loyalty import RewardFactory, write_row
from tests.support.world import World

pytestmark = pytest.mark.django_db
# Around both changes of the clocks, and a stretch without any.
STARTS = [
    datetime(2026, 3, 27, 6, 0, tzinfo=UTC), datetime(2026, 10, 23, 6, 0, tzinfo=UTC),
    datetime(2026, 6, 1, 6, 0, tzinfo=UTC),
]  # fmt: skip
ZONES = [
    ("Europe/Luxembourg", time(0)), ("America/New_York", time(4)), ("Pacific/Auckland", time(3, 30)),
    ("Asia/Kathmandu", time(0)),
]  # fmt: skip


class Life:
    """A merchant to whom anything may happen."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = World.make(
            at=STARTS[seed % len(STARTS)], loyalty_type="hybrid", stamps_target=self.chance.choice((1, 2, 4)),
            points_per_euro=self.chance.choice(("1", "1/7", "10")), welcome_bonus_points=self.chance.choice((0, 15)),
            full_card=self.chance.choice(("carry_over", "collect_first")), void_window_minutes=1440,
            refund_shortfall=self.chance.choice(("write_off", "settle_later")),
        )  # fmt: skip
        with tenancy.scope(self.world.merchant_id):
            self.reward = RewardFactory(program=self.world.program, points_cost=20)
            self.stores = [
                Store.objects.create(
                    code=f"{self.world.store.code}-{number}", name=zone, time_zone=zone, day_start=start
                )
                for number, (zone, start) in enumerate(ZONES)
            ]  # fmt: skip
        _, self.proof = self.world.staff()
        self.cards = [self.world.card()]
        self.late: list[str] = []

    def step(self) -> None:
        """Let some time pass, and something happen."""
        self.world.tick(minutes=self.chance.choice((1, 7, 45, 300, 1000)))
        self.world.store = self.chance.choice(self.stores)
        steps: list[Callable[[], Any]] = [
            self.sale, self.sale, self.stamp, self.redeem, self.spend, self.void, self.void, self.refund, self.late_row,
            lambda: self.cards.append(self.world.card()), self.merge,
        ]  # fmt: skip
        with time_machine.travel(self.world.at, tick=False):
            try:
                self.chance.choice(steps)()
            except DomainError:
                return

    def card(self) -> Card:
        return self.chance.choice(self.cards)

    def sale(self) -> None:
        how = {"staff": self.proof} if self.chance.random() < 0.5 else {}
        self.world.sale(self.card(), self.chance.randrange(1, 9000), **how)

    def stamp(self) -> None:
        self.world.stamp(self.card(), self.chance.choice((1, 1, 3)))

    def redeem(self) -> None:
        self.world.redeem(self.card())

    def spend(self) -> None:
        self.world.spend(self.card(), self.reward.pk)

    def any_row(self, *kinds: str, newest: int = 1000) -> Transaction | None:
        with tenancy.scope(self.world.merchant_id):
            rows = list(Transaction.objects.filter(type__in=kinds).exclude(pk__in=self.late).order_by("-pk")[:newest])
        return self.chance.choice(rows) if rows else None

    def void(self) -> None:
        row = self.any_row("points_earned", "stamp_earned", "points_redeemed", "stamp_redeemed", newest=4)
        if row is not None:
            self.world.void(str(row.pk))

    def refund(self) -> None:
        row = self.any_row("points_earned")
        if row is not None:
            self.world.refund(str(row.pk), self.chance.randrange(1, (row.purchase_amount_cents or 1) + 1))

    def late_row(self) -> None:
        """A till that was offline sends an earn of up to three days ago."""
        card = self.world.fresh(self.card())
        at = self.world.at - timedelta(hours=self.chance.randrange(72))
        store = self.world.store
        with tenancy.scope(self.world.merchant_id):
            row = write_row(
                card, "stamp_earned", seq=card.seq + 1, stamps_delta=1, stamps_after=card.stamp_count + 1, store=store,
                business_date=timing.business_date(at, store.time_zone, store.day_start), occurred_at=at,
                recorded_at=self.world.at,
            )  # fmt: skip
            Card.objects.filter(pk=card.pk).update(seq=card.seq + 1, stamp_count=card.stamp_count + 1)
        self.late.append(str(row.pk))

    def merge(self) -> None:
        """Points move from one card to another, as a merge moves them."""
        source, target = self.world.fresh(self.card()), self.world.fresh(self.card())
        if source.pk == target.pk or not source.points_balance:
            return
        moved = source.points_balance
        with tenancy.scope(self.world.merchant_id):
            for card, kind, delta in ((source, "merge_out", -moved), (target, "merge_in", moved)):
                write_row(
                    card, kind, seq=card.seq + 1, points_delta=delta, points_after=card.points_balance + delta,
                    business_date=self.world.at.date(), occurred_at=self.world.at, recorded_at=self.world.at,
                )  # fmt: skip
                Card.objects.filter(pk=card.pk).update(seq=card.seq + 1, points_balance=card.points_balance + delta)


@pytest.mark.parametrize("seed", range(12))
def test_following_along_equals_a_rebuild(seed: int) -> None:
    life = Life(seed)
    world, days = life.world, []
    for number in range(60):
        life.step()
        if life.chance.random() < 0.3 or number == 59:
            with time_machine.travel(world.at, tick=False):
                done = rollups.refresh(merchant_id=world.merchant_id, at=world.at)
            assert done is not None
            days.append(done.days)

    followed = picture(world)
    with tenancy.scope(world.merchant_id):
        assert rollup_differences.find(world.merchant_id, None) == []
        kinds = set(Transaction.objects.values_list("type", flat=True))
    rollups.rebuild(merchant_id=world.merchant_id, at=world.at)

    assert picture(world) == followed
    assert any(days[1:])
    assert None not in days[1:]
    assert {"points_earned", "void"} <= kinds
    assert {item.kind for item in verification.verify(world.merchant_id).differences} == set()
