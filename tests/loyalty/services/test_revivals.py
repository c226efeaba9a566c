"""Rules 13 and 19 together: a visit in time that arrives after the expiry ends as if it had come first."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from core import tenancy
from core.errors import DomainError
from dashboard.models import DayFigures
from dashboard.services import rollup_checks, rollups
from loyalty.models import Card, Reward, Transaction
from loyalty.queries import verification
from loyalty.queries.hot import CardRef
from loyalty.services import expiry, points, stamps
from loyalty.services.points import InsufficientPoints
from tests.support.shop import Phone, Shop, done
from tests.support.world import NOON, World

JUNE_18 = datetime(2026, 6, 18, 18, 0, tzinfo=UTC)
JOB = datetime(2026, 6, 19, 2, 0, tzinfo=UTC)
Play = Callable[["Boutique", bool], None]


class Boutique:
    """A points merchant with a card that holds 50 points of 10 March, and a clock."""

    def __init__(self, clock: Any, days: int = 100, **rules: Any) -> None:
        clock.move_to(NOON)
        rules = {"loyalty_type": "points", "points_per_euro": "1", **rules}
        self.world = World.make(at=NOON, points_expiration_days=days, **rules)
        self.clock = clock
        self.card = self.world.card()
        self.first = self.world.sale(self.card, 5_000)

    def move_to(self, at: datetime) -> None:
        self.world.at = at
        self.clock.move_to(at)

    def night(self, at: datetime | None = None) -> None:
        if at is not None:
            self.move_to(at)
        assert expiry.expire(merchant_id=self.world.merchant_id, at=self.world.at).failed == 0

    def late(self, happened: datetime, cents: int = 1_000, key: str | None = None) -> dict[str, Any]:
        call = replace(self.world.call(key), at=happened, received_at=self.world.at)
        return points.earn(call, card=CardRef("card_id", self.card.id), cents=cents, confirm=True).body

    def visit(self, happened: datetime, *, late: bool) -> None:
        """Book a sale of 10 € when it happens, or let the till keep it: then nothing happens yet."""
        if not late:
            self.move_to(happened)
            self.world.sale(self.card, 1_000)

    def voids(self) -> list[Transaction]:
        return [row for row in self.world.rows(self.card) if row.type == "void"]

    def state(self) -> tuple[Any, ...]:
        card = self.world.assert_adds_up(self.card)
        assert verification.verify(self.world.merchant_id).differences == ()
        assert rollup_checks.differences(merchant_id=self.world.merchant_id, days=None, at=timezone.now()) == []
        return card.points_balance, card.points_debt, card.points_micro, card.points_granted, card.last_activity_on


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def boutique(db: None, clock: Any) -> Boutique:
    made = Boutique(clock)
    made.night(JOB)
    assert made.world.fresh(made.card).points_balance == 0
    return made


def reward(world: World, cost: int) -> UUID:
    with tenancy.scope(world.merchant_id):
        return Reward.objects.create(program=world.program, name="Voucher", points_cost=cost).pk


# --- which came first makes no difference


def silent(made: Boutique, late: bool) -> None:
    made.visit(JUNE_18, late=late)
    made.night(JOB)
    if late:
        made.late(JUNE_18)


def earned_and_spent_since(made: Boutique, late: bool) -> None:
    voucher = reward(made.world, 20)
    silent(made, False) if not late else made.night(JOB)
    made.world.sale(made.card, 10_000)
    made.world.spend(made.card, voucher)
    made.night(JOB + timedelta(days=1))
    if late:
        made.late(JUNE_18)


def refunded_since(made: Boutique, late: bool) -> None:
    silent(made, False) if not late else made.night(JOB)
    made.world.refund(made.first["transaction_id"], 4_500)
    if late:
        assert made.world.fresh(made.card).points_debt == 45
        made.late(JUNE_18)


def visited_since(made: Boutique, late: bool) -> None:
    made.visit(datetime(2026, 3, 12, 18, tzinfo=UTC), late=late)
    made.night(datetime(2026, 3, 13, 2, tzinfo=UTC))
    made.world.sale(made.card, 700)
    made.night(datetime(2026, 3, 14, 2, tzinfo=UTC))
    if late:
        made.late(datetime(2026, 3, 12, 18, tzinfo=UTC))


def expired_once_more_since(made: Boutique, late: bool) -> None:
    made.visit(datetime(2026, 3, 12, 18, tzinfo=UTC), late=late)
    made.night(datetime(2026, 3, 13, 2, tzinfo=UTC))
    made.world.sale(made.card, 700)
    made.night(datetime(2026, 3, 16, 2, tzinfo=UTC))
    if late:
        made.late(datetime(2026, 3, 12, 18, tzinfo=UTC))
        made.night()


def over_again_by_now(made: Boutique, late: bool) -> None:
    made.visit(datetime(2026, 3, 12, 18, tzinfo=UTC), late=late)
    made.night(datetime(2026, 3, 20, 2, tzinfo=UTC))
    if late:
        made.late(datetime(2026, 3, 12, 18, tzinfo=UTC))
        made.night()


def of_the_same_day(made: Boutique, late: bool) -> None:
    made.visit(NOON + timedelta(hours=1), late=late)
    made.night(JOB)
    if late:
        made.late(NOON + timedelta(hours=1))
        made.night()
        assert made.voids() == [], "a second visit of that day would have moved nothing"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("play", "days", "balance"),
    [
        (silent, 100, 60), (earned_and_spent_since, 100, 140), (refunded_since, 100, 15), (visited_since, 2, 67),
        (expired_once_more_since, 2, 0), (over_again_by_now, 2, 0), (of_the_same_day, 100, 0),
    ],
)  # fmt: skip
def test_rule_19_a_visit_that_arrives_late_ends_as_one_on_time(clock: Any, play: Play, days: int, balance: int) -> None:
    states = []
    for late in (False, True):
        made = Boutique(clock, days, refund_shortfall="settle_later")
        play(made, late)
        states.append(made.state())

    assert states[0] == states[1]
    assert states[0][:2] == (balance, 0)


# --- the row


def test_the_expiry_is_taken_back_by_a_row_dated_like_it(boutique: Boutique) -> None:
    rollups.refresh(merchant_id=boutique.world.merchant_id, at=timezone.now())

    answer = boutique.late(JUNE_18)

    _card, _first, expired, back, earned = boutique.world.rows(boutique.card)
    assert answer["points_balance"] == 60
    assert (back.type, back.points_delta, back.points_after, back.reverses_id) == ("void", 50, 50, expired.id)
    assert (back.occurred_at, back.business_date) == (expired.occurred_at, expired.business_date)
    assert (back.store_id, back.channel, back.recorded_at) == (None, "system", JOB)
    assert (earned.points_after, earned.occurred_at) == (60, JUNE_18)
    assert boutique.world.fresh(boutique.card).last_activity_on == JUNE_18.date()
    boutique.state()
    with tenancy.scope(boutique.world.merchant_id):
        assert sum(DayFigures.objects.values_list("points_expired", flat=True)) == 0


def test_sent_twice_or_followed_by_another_it_is_taken_back_once(boutique: Boutique) -> None:
    first = boutique.late(JUNE_18 - timedelta(days=1), key="a")
    assert boutique.late(JUNE_18 - timedelta(days=1), key="a") == first
    boutique.late(JUNE_18, key="b")

    assert [row.points_delta for row in boutique.voids()] == [50]
    assert boutique.state()[0] == 70
    assert boutique.world.fresh(boutique.card).last_activity_on == JUNE_18.date()


def test_after_the_last_day_it_was_too_late(boutique: Boutique) -> None:
    ended = datetime(2026, 6, 18, 22, 0, tzinfo=UTC)

    boutique.late(ended)
    assert (boutique.voids(), boutique.world.fresh(boutique.card).points_balance) == ([], 10)
    boutique.late(ended - timedelta(seconds=1))

    assert len(boutique.voids()) == 1
    assert boutique.state()[0] == 70


def test_what_is_refused_leaves_the_expiry_alone(boutique: Boutique) -> None:
    call = replace(boutique.world.call(), at=JUNE_18, received_at=boutique.world.at)

    with pytest.raises(DomainError) as refused:
        stamps.give(call, card=CardRef("card_id", boutique.card.id))

    assert refused.value.code == "wrong_program_type"
    assert boutique.voids() == []
    assert boutique.state()[0] == 0


def test_rule_13_what_came_back_can_be_spent_again(boutique: Boutique) -> None:
    voucher = reward(boutique.world, 55)
    with pytest.raises(InsufficientPoints):
        boutique.world.spend(boutique.card, voucher)

    boutique.late(JUNE_18)

    assert boutique.world.spend(boutique.card, voucher)["points_balance"] == 5
    boutique.state()


def test_points_whose_new_end_was_before_the_next_visit_stay_expired(db: None, clock: Any) -> None:
    made = Boutique(clock, 2)
    made.night(datetime(2026, 3, 20, 2, tzinfo=UTC))
    made.world.sale(made.card, 700)

    made.late(datetime(2026, 3, 12, 18, tzinfo=UTC))

    assert made.voids() == []
    assert made.state()[0] == 17


def test_a_stamp_of_a_hybrid_program_is_a_visit_too(db: None, clock: Any) -> None:
    made = Boutique(clock, loyalty_type="hybrid")
    made.night(JOB)
    call = replace(made.world.call(), at=JUNE_18, received_at=made.world.at)

    answer = stamps.give(call, card=CardRef("card_id", made.card.id)).body

    assert answer["points_balance"] == 50
    made.night()
    assert made.state()[0] == 50


def test_what_expired_on_a_card_that_was_merged_in_stays_so(db: None, clock: Any, settings: Any) -> None:
    settings.LOYALTY_THROTTLE_SCALE = 1000
    shop = Shop.open(clock, loyalty_type="points", points_per_euro="1", points_expiration_days=100)
    old, new = shop.joins(), shop.joins()
    shop.sells(old, 5_000)
    shop.move_to(JOB)
    shop.night()
    done(shop.on_card("merge", old, into=new.card["id"], reason="same person"))

    call = replace(shop.world.call(), at=JUNE_18, received_at=JOB)
    points.earn(call, card=CardRef("card_id", UUID(old.card["id"])), cents=1_000)

    assert _balance(shop, new) == 10
    shop.adds_up()


def _balance(shop: Shop, phone: Phone) -> int:
    card: Card = shop.card_row(phone)
    return card.points_balance


# --- beside tills


def test_two_late_visits_and_the_job_at_once(real_db: Any, clock: Any) -> None:
    made = Boutique(clock)
    made.night(JOB)
    jobs: list[Callable[[], Any]] = [
        lambda: made.late(JUNE_18, key="a"), lambda: made.late(JUNE_18 - timedelta(hours=1), key="b"), made.night,
        lambda: made.late(JUNE_18, key="a"),
    ]  # fmt: skip
    barrier = threading.Barrier(len(jobs))

    def one(job: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            job()
        except DomainError as refusal:
            assert refusal.code in ("card_busy", "idempotency_in_progress")
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(one, jobs))
    made.late(JUNE_18, key="a")
    made.late(JUNE_18 - timedelta(hours=1), key="b")

    assert len(made.voids()) == 1
    assert made.state()[0] == 70
