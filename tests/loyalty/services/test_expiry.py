"""Rule 13 with rows: what expires, when, once; late, twice, in operations, beside tills; rewards, too."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from core import tenancy
from core.errors import DomainError
from core.models import OutboxEvent
from loyalty import tasks
from loyalty.models import Card, IssuedReward, Program, Reward
from loyalty.queries import card_faces, verification
from loyalty.queries.hot import CardRef
from loyalty.services import expiry, points, stamps
from loyalty.services.operations import MerchantSuspended
from loyalty.services.points import InsufficientPoints
from loyalty.services.stamps import InsufficientStamps
from loyalty_platform.celery import BEAT_SCHEDULE, app
from merchants.models import Merchant
from tests.support.world import NOON, World


def shop(*, zone: str = "Europe/Luxembourg", days: int = 100, at: datetime = NOON, **rules: Any) -> World:
    """A points merchant in a zone, whose one store is there too."""
    world = World.make(
        at=at, **{"loyalty_type": "points", "points_per_euro": "1", "points_expiration_days": days, **rules}
    )
    with tenancy.scope(world.merchant_id):
        Merchant.objects.update(time_zone=zone)
        type(world.store).objects.update(time_zone=zone)
    return world


def expire(world: World, at: datetime | None = None) -> expiry.Tally:
    return expiry.expire(merchant_id=world.merchant_id, at=at or world.at)


def with_points(world: World, cents: int = 12_345) -> Card:
    card = world.card()
    world.sale(card, cents)
    return world.fresh(card)


def reward(world: World, cost: int = 100) -> UUID:
    with tenancy.scope(world.merchant_id):
        return Reward.objects.create(program=world.program, name="Voucher", points_cost=cost).pk


def assert_agrees(world: World) -> None:
    assert verification.verify(world.merchant_id).differences == ()


LAST = {
    "Europe/Luxembourg": datetime(2026, 6, 18, 21, 59, 59, tzinfo=UTC),
    "America/New_York": datetime(2026, 6, 19, 3, 59, 59, tzinfo=UTC),
    # Noon in London is the next day in Auckland.
    "Pacific/Auckland": datetime(2026, 6, 19, 11, 59, 59, tzinfo=UTC),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("zone", "last"), LAST.items())
def test_rule_13_points_are_valid_through_the_end_of_the_local_day(zone: str, last: datetime) -> None:
    world = shop(zone=zone)
    card = with_points(world)

    assert expire(world, last) == expiry.Tally()
    assert world.fresh(card).points_balance == 123
    assert expire(world, last + timedelta(seconds=1)) == expiry.Tally(points=1)

    after = world.assert_adds_up(card)
    row = world.rows(card)[-1]
    assert (after.points_balance, after.points_micro, after.points_granted) == (0, 123_450_000, 123)
    assert (row.type, row.points_delta, row.points_after, row.channel) == ("points_expired", -123, 0, "system")
    assert row.occurred_at == last + timedelta(seconds=1)
    assert row.store_id is None
    with tenancy.scope(world.merchant_id):
        event = OutboxEvent.objects.filter(topic="card.changed").latest("id")
        assert event.payload == {"card_id": str(card.id), "why": "points_expired"}
    assert_agrees(world)


@pytest.mark.django_db
def test_rule_13_a_job_three_days_late_acts_as_if_on_time_and_twice_does_nothing_twice() -> None:
    world = shop()
    card = with_points(world)
    late = LAST["Europe/Luxembourg"] + timedelta(days=3, hours=4)

    assert expire(world, late).points == 1
    assert expire(world, late) == expiry.Tally()
    assert expire(world, late + timedelta(days=400)) == expiry.Tally()

    expired = [row for row in world.rows(card) if row.type == "points_expired"]
    assert [(row.occurred_at, row.business_date) for row in expired] == [
        (LAST["Europe/Luxembourg"] + timedelta(seconds=1), date(2026, 6, 19))
    ]
    assert_agrees(world)


@pytest.mark.django_db
def test_rule_13_the_carried_fraction_and_a_debt_stay() -> None:
    world = shop(points_per_euro="1/50", refund_shortfall="settle_later")
    card = world.card()
    first = world.sale(card, 3_000)
    world.sale(card, 100_00)
    world.tick(days=101)
    assert expire(world).points == 1
    assert world.fresh(card).points_balance == 0
    # 30 € and 100 € were 2.6 points; 20 € more make 3.
    assert world.sale(card, 2_000)["points_earned"] == 1
    world.tick(days=101)
    world.refund(first["transaction_id"], 3_000)
    debt = world.fresh(card).points_debt
    assert debt > 0
    expire(world)
    assert world.assert_adds_up(card).points_debt == debt
    assert_agrees(world)


@pytest.mark.django_db
def test_rule_13_an_earn_after_the_last_day_begins_at_zero_though_the_job_was_not_there() -> None:
    world = shop()
    card = with_points(world)
    world.tick(days=101)

    answer = world.sale(card, 500)

    assert answer["points_balance"] == 5
    assert [row.type for row in world.rows(card)][-2:] == ["points_expired", "points_earned"]
    world.assert_adds_up(card)
    assert expire(world) == expiry.Tally()
    assert_agrees(world)


@pytest.mark.django_db
def test_rule_13_redemption_checks_the_date_itself() -> None:
    world = shop()
    card, voucher = with_points(world), reward(world)
    world.at = LAST["Europe/Luxembourg"]
    ref = CardRef("card_id", card.id)
    assert points.preview_redeem(world.call(), card=ref, reward_id=voucher)["points_balance"] == 23
    world.tick(seconds=1)

    with pytest.raises(InsufficientPoints) as refused:
        points.preview_redeem(world.call(), card=ref, reward_id=voucher)
    assert refused.value.facts["points_balance"] == 0
    assert world.fresh(card).points_balance == 123
    with pytest.raises(InsufficientPoints):
        world.spend(card, voucher)
    # A refusal changes nothing: the row comes with the next operation, or the job.
    assert [row.type for row in world.rows(card)] == ["card_enrolled", "points_earned"]
    with tenancy.scope(world.merchant_id):
        face = card_faces.face(card.id, world.at)
        assert face is not None
        assert (face.card.points_balance, face.rewards, face.points_expire_on) == (0, [], None)
    assert expire(world).points == 1
    assert_agrees(world)


@pytest.mark.django_db
def test_rule_13_a_redemption_on_the_last_day_counts_as_a_visit_even_undone() -> None:
    world = shop()
    card, voucher = with_points(world), reward(world)
    world.at = LAST["Europe/Luxembourg"] - timedelta(minutes=1)
    done = world.spend(card, voucher)
    world.tick(minutes=3)
    world.void(done["transaction_id"])

    assert expire(world) == expiry.Tally()
    assert world.fresh(card).points_balance == 123
    assert_agrees(world)


@pytest.mark.django_db
def test_rule_13_what_is_no_visit_does_not_extend() -> None:
    world = shop()
    card = with_points(world)
    visited = world.fresh(card).last_activity_on
    world.tick(days=40)
    first = world.sale(card, 1_000)
    second = world.sale(card, 2_000)
    today = world.fresh(card).last_activity_on
    world.void(second["transaction_id"])
    assert world.fresh(card).last_activity_on == today
    world.void(first["transaction_id"])
    assert world.fresh(card).last_activity_on == visited
    sale = world.rows(card)[1]
    world.tick(days=10)
    world.refund(str(sale.id), 1_000)
    assert world.fresh(card).last_activity_on == visited
    world.at = LAST["Europe/Luxembourg"] + timedelta(seconds=1)
    assert expire(world).points == 1
    assert_agrees(world)


@pytest.mark.django_db
def test_rule_13_no_other_card_is_touched() -> None:
    world, never, other = shop(), shop(days=0), shop()
    silent = with_points(world)
    world.tick(days=50)
    regular, empty = with_points(world), world.card()
    kept, foreign = with_points(never), with_points(other)
    world.tick(days=51)

    assert expire(world).points == 1

    assert [world.fresh(card).points_balance for card in (silent, regular, empty)] == [0, 123, 0]
    assert never.fresh(kept).points_balance == 123
    assert other.fresh(foreign).points_balance == 123
    assert expire(never, world.at) == expiry.Tally()
    found = expiry.merchants(at=world.at)
    assert world.merchant_id in found
    assert never.merchant_id not in found


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["paused", "ended"])
def test_rule_13_who_cannot_earn_loses_nothing(status: str) -> None:
    world = shop()
    card = with_points(world)
    world.change(status="paused")
    if status == "ended":
        world.change(status="ended")
    world.tick(days=400)
    assert expire(world) == expiry.Tally()
    assert world.fresh(card).points_balance == 123


@pytest.mark.django_db
def test_rule_13_after_a_pause_everybody_has_thirty_days() -> None:
    world = shop()
    card = with_points(world)
    world.change(status="paused")
    world.tick(days=400)
    world.change(status="active")
    world.tick(days=30)
    assert expire(world) == expiry.Tally()
    world.tick(days=1)
    assert expire(world).points == 1
    assert world.rows(card)[-1].business_date == date(2026, 3, 10) + timedelta(days=431)


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "after"), [(0, 50), (365, 50)])
def test_rule_4_a_shorter_time_takes_nothing_before_everybody_was_warned(before: int, after: int) -> None:
    world = shop(days=before)
    card = with_points(world)
    world.tick(days=200)
    world.change(points_expiration_days=after)
    assert expire(world) == expiry.Tally()
    world.tick(days=30)
    assert expire(world) == expiry.Tally()
    world.tick(days=1)
    assert expire(world).points == 1
    assert world.fresh(card).points_balance == 0


@pytest.mark.django_db
def test_rule_4_a_longer_time_counts_at_once() -> None:
    world = shop()
    with_points(world)
    world.tick(days=101)
    world.change(points_expiration_days=365)
    assert expire(world) == expiry.Tally()
    with tenancy.scope(world.merchant_id):
        assert Program.objects.get().expiry_not_before is None


@pytest.mark.django_db
def test_rule_20_a_frozen_card_keeps_its_points() -> None:
    world = shop()
    card = with_points(world)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=card.pk).update(status="frozen")
    world.tick(days=101)
    assert expire(world) == expiry.Tally()
    assert world.fresh(card).points_balance == 123


@pytest.mark.django_db
def test_rule_5_a_merchant_whose_cards_do_not_work_takes_nothing_and_gives_notice_afterwards() -> None:
    world = shop()
    card = with_points(world)
    with tenancy.scope(world.merchant_id):
        Merchant.objects.update(status="suspended", status_since=world.at)
    world.tick(days=101)
    with pytest.raises(MerchantSuspended):
        world.sale(card, 500)
    assert expire(world) == expiry.Tally()
    with tenancy.scope(world.merchant_id):
        face = card_faces.face(card.id, world.at)
        assert face is not None
        assert face.card.points_balance == 123
        Merchant.objects.update(status="active", status_since=world.at)
    world.tick(days=30)
    assert expire(world) == expiry.Tally()
    world.tick(days=1)
    assert expire(world).points == 1


@pytest.mark.django_db
def test_a_card_shows_the_last_day_of_its_points() -> None:
    world = shop()
    card, empty = with_points(world), world.card()
    with tenancy.scope(world.merchant_id):
        faces = card_faces.faces(card_faces.cards().order_by("seq"), world.at)
        days = {face.card.pk: face.points_expire_on for face in faces}
    assert days == {card.pk: date(2026, 6, 18), empty.pk: None}


# --- rewards of full cards


def full(world: World) -> Card:
    card = world.card()
    world.stamp(card, 3)
    return world.fresh(card)


@pytest.mark.django_db
@pytest.mark.parametrize("full_card", ["carry_over", "collect_first"])
def test_rule_6_a_reward_expires_after_its_last_day(full_card: str) -> None:
    world = shop(loyalty_type="stamps", stamps_target=3, stamps_reward_valid_days=7, full_card=full_card)
    card = full(world)
    world.change(stamps_target=5)
    world.at = datetime(2026, 3, 17, 22, 59, 59, tzinfo=UTC)
    assert expire(world) == expiry.Tally()
    assert stamps.preview_redeem(world.call(), card=CardRef("card_id", card.id))["stamps_redeemed"] == 3
    world.tick(seconds=1)
    with pytest.raises(InsufficientStamps):
        world.redeem(card)

    assert expire(world) == expiry.Tally(rewards=1)
    assert expire(world) == expiry.Tally()

    after = world.assert_adds_up(card)
    row = world.rows(card)[-1]
    with tenancy.scope(world.merchant_id):
        assert IssuedReward.objects.get().state == "expired"
    held = 3 if full_card == "collect_first" else 0
    # A cycle that runs already keeps its target; the one that begins now has the new one.
    assert (after.stamp_count, after.rewards_ready, after.stamps_target) == (0, 0, 5 if held else 3)
    assert (row.type, row.stamps_delta, row.occurred_at) == ("reward_expired", -held, world.at)
    assert row.business_date == date(2026, 3, 18)
    assert_agrees(world)


@pytest.mark.django_db
def test_rule_6_a_card_that_waited_for_an_expired_reward_is_stamped_again_before_the_job_comes() -> None:
    world = shop(loyalty_type="stamps", stamps_target=3, stamps_reward_valid_days=7, full_card="collect_first")
    card = full(world)
    world.tick(days=8)
    with tenancy.scope(world.merchant_id):
        face = card_faces.face(card.id, world.at)
        assert face is not None
        assert (face.card.stamp_count, face.rewards) == (0, [])

    assert world.stamp(card)["stamp_count"] == 1

    assert [row.type for row in world.rows(card)][-2:] == ["reward_expired", "stamp_earned"]
    world.assert_adds_up(card)
    assert_agrees(world)


@pytest.mark.django_db
def test_points_and_reward_of_one_card_expire_each_at_its_time() -> None:
    world = shop(loyalty_type="hybrid", days=10, stamps_target=1, stamps_reward_valid_days=20)
    card = world.card()
    world.sale(card, 500)
    world.tick(days=30)
    done = expire(world)
    assert (done.points, done.rewards, done.failed) == (1, 1, 0)
    rows = world.rows(card)[-2:]
    assert [(row.type, row.business_date) for row in rows] == [
        ("points_expired", date(2026, 3, 21)), ("reward_expired", date(2026, 3, 31)),
    ]  # fmt: skip
    assert world.assert_adds_up(card).rewards_ready == 0
    assert_agrees(world)


# --- in bulk, beside tills


def test_one_broken_card_stops_no_other(real_db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "AT_ONCE", 2)
    world = shop()
    cards = [with_points(world) for _ in range(7)]
    broken = cards[3]
    with psycopg.connect(real_db.superuser_url, autocommit=True) as behind:
        behind.execute("SET session_replication_role = replica")
        # The next row of this card is there already: its write is refused by the ledger.
        behind.execute("UPDATE loyalty_card SET seq = 1 WHERE id = %s", [str(broken.pk)])
    world.tick(days=101)

    done = expire(world)

    assert (done.points, done.failed) == (6, 1)
    assert [world.fresh(card).points_balance for card in cards] == [0, 0, 0, 123, 0, 0, 0]
    again = expire(world)
    assert (again.points, again.failed) == (0, 1)


def together(*jobs: Any) -> list[str]:
    """Run jobs at once, each on a connection of its own; return how each ended."""
    barrier = threading.Barrier(len(jobs))

    def one(job: Any) -> str:
        barrier.wait()
        try:
            job()
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(one, job) for job in jobs]]


def test_rule_13_the_job_races_with_itself_and_an_earn(real_db: Any) -> None:
    world = shop()
    card = with_points(world)
    world.tick(days=101)

    ends = together(*[lambda: expire(world)] * 4, lambda: world.sale(card, 500))

    assert set(ends) <= {"done", "card_busy"}
    after = world.assert_adds_up(card)
    assert after.points_balance == (5 if ends[-1] == "done" else 0)
    assert [row.type for row in world.rows(card)].count("points_expired") == 1
    assert_agrees(world)


def test_rule_13_the_job_races_with_a_redemption_and_the_points_are_gone_either_way(real_db: Any) -> None:
    world = shop()
    card, voucher = with_points(world), reward(world)
    world.tick(days=101)

    ends = together(*[lambda: expire(world)] * 3, *[lambda: world.spend(card, voucher)] * 3)

    assert ends[:3] == ["done"] * 3
    assert set(ends[3:]) <= {"insufficient_points", "card_busy"}
    assert world.assert_adds_up(card).points_balance == 0
    assert [row.type for row in world.rows(card)].count("points_expired") == 1
    assert_agrees(world)


def test_rule_13_on_the_last_day_a_redemption_wins_over_a_job_that_is_early(real_db: Any) -> None:
    world = shop()
    card, voucher = with_points(world), reward(world)
    world.at = LAST["Europe/Luxembourg"]

    ends = together(*[lambda: expire(world)] * 3, lambda: world.spend(card, voucher))

    assert ends[:3] == ["done"] * 3
    assert ends[3] in ("done", "card_busy")
    assert "points_expired" not in [row.type for row in world.rows(card)]
    assert_agrees(world)


@pytest.fixture
def eager() -> Iterator[None]:
    """Run at once what a task starts."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def test_the_task_runs_at_each_merchant(real_db: Any, eager: None) -> None:
    plan = BEAT_SCHEDULE["expire points"]
    assert (plan["task"], plan["schedule"].hour, plan["schedule"].minute) == ("loyalty.expire_points", {2}, {0})
    start = timezone.now() - timedelta(days=150)
    worlds = [shop(at=start), shop(at=start, zone="Pacific/Auckland")]
    cards = [with_points(world) for world in worlds]

    tasks.expire_points()

    assert [world.fresh(card).points_balance for world, card in zip(worlds, cards, strict=True)] == [0, 0]
