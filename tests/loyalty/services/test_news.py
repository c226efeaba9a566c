"""Reward news: what is worth a mail, once per event, to whom (rules 13 and 23)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from core import tenancy
from core.models import OutboxEvent
from customers.models import Customer, Mail
from customers.services import consents
from loyalty.models import Card, Program, Reward
from loyalty.services import expiry, news
from loyalty_platform.events import ROUTES
from merchants.models import Merchant
from tests.support.world import World


def friend(world: World, *, agrees: bool = True, confirmed: bool = True, email: str = "marie@example.com") -> Card:
    """A card whose customer proved an address and agreed to reward news."""
    card = world.card(email=email)
    with tenancy.scope(world.merchant_id):
        customer = Customer.objects.get(pk=card.customer_id)
        if confirmed:
            customer.confirmed_at = world.at
            customer.save()
        consents.record(
            merchant_id=world.merchant_id, customer=customer, decisions={("service", "email"): agrees},
            source="storefront", language="fr", at=world.at,
        )  # fmt: skip
    return card


def tell(world: World, card: Card, why: str = "stamp_earned") -> int:
    return news.tell(merchant_id=world.merchant_id, card_id=card.pk, why=why, at=world.at)


def warn(world: World) -> int:
    return news.warn(merchant_id=world.merchant_id, at=world.at)


def mails(world: World, state: str = "queued") -> list[Mail]:
    with tenancy.scope(world.merchant_id):
        return list(Mail.objects.filter(state=state, purpose="service").order_by("created_at", "id"))


def kinds(world: World, state: str = "queued") -> list[str]:
    return [mail.kind for mail in mails(world, state)]


@pytest.mark.django_db
def test_one_stamp_away_and_ready_are_told_once_each() -> None:
    world = World.make(stamps_target=3)
    card = friend(world)
    world.stamp(card)
    assert tell(world, card) == 0
    world.stamp(card)
    assert [tell(world, card), tell(world, card)] == [1, 0]
    (mail,) = mails(world)
    assert (mail.kind, mail.customer_id) == ("one_stamp_away", card.customer_id)
    assert mail.event == f"one_stamp_away:{card.pk}:0"
    pages = f"/loyalty/{world.store.code}"
    assert mail.facts == {"card_id": str(card.pk), "pages": pages, "reward_name": "Free coffee"}
    assert mail.due_at == world.at + news.LET_SETTLE
    world.stamp(card)
    assert [tell(world, card), tell(world, card)] == [1, 0]
    # One stamp more made the first one untrue before it went.
    assert kinds(world) == ["reward_ready"]
    assert kinds(world, "dropped") == ["one_stamp_away"]
    world.stamp(card, 2)
    assert tell(world, card) == 1
    assert kinds(world) == ["reward_ready", "one_stamp_away"]
    assert mails(world)[1].event == f"one_stamp_away:{card.pk}:1"


@pytest.mark.django_db
def test_a_reward_that_was_collected_at_once_is_not_told() -> None:
    world = World.make(stamps_target=2)
    card = friend(world)
    world.stamp(card, 2)
    world.redeem(card)
    assert tell(world, card) == 0
    world.stamp(card, 2)
    assert tell(world, card) == 1
    world.redeem(card)
    assert tell(world, card, "stamp_redeemed") == 0
    assert kinds(world) == []
    assert kinds(world, "dropped") == ["reward_ready"]


@pytest.mark.django_db
def test_an_undone_stamp_takes_its_news_back() -> None:
    world = World.make(stamps_target=2)
    card = friend(world)
    world.stamp(card)
    tell(world, card)
    done = world.stamp(card)
    tell(world, card)
    assert kinds(world) == ["reward_ready"]
    world.void(done["transaction_id"])
    tell(world, card, "void")
    assert "reward_ready" not in kinds(world)
    world.stamp(card)
    tell(world, card)
    assert kinds(world) == ["reward_ready"]


@pytest.mark.django_db
def test_what_was_put_off_until_tomorrow_stays_while_it_is_true() -> None:
    world = World.make(stamps_target=2)
    card = friend(world)
    world.stamp(card, 2)
    tell(world, card)
    world.tick(days=3)
    world.stamp(card)
    tell(world, card)
    assert kinds(world) == ["reward_ready", "one_stamp_away"]


@pytest.mark.django_db
@pytest.mark.parametrize("how", [{"agrees": False}, {"confirmed": False}, {"email": ""}])
def test_rule_23_nothing_is_queued_for_whom_no_mail_may_reach(how: dict[str, Any]) -> None:
    world = World.make(stamps_target=1)
    card = world.card() if how.get("email") == "" else friend(world, **how)
    world.stamp(card)
    assert tell(world, card) == 0
    assert mails(world) == []


@pytest.mark.django_db
def test_a_change_without_news_costs_no_query(django_assert_num_queries: Any) -> None:
    world = World.make()
    card = world.card()
    with django_assert_num_queries(0):
        assert tell(world, card, "card_enrolled") == 0
    # Savepoint, settings, the card, settings and the way back: this runs with every stamp of every card.
    with django_assert_num_queries(5):
        assert tell(world, card) == 0
    assert news.tell(merchant_id=world.merchant_id, card_id=uuid4(), why="x", at=world.at) == 0


@pytest.mark.django_db
def test_another_merchant_is_told_nothing() -> None:
    world, other = World.make(stamps_target=1), World.make(stamps_target=1)
    card = friend(world)
    world.stamp(card)
    assert tell(other, card) == 0
    assert mails(world) == mails(other) == []


@pytest.mark.django_db
def test_points_that_reach_a_reward_are_told_once_each_time() -> None:
    world = World.make(loyalty_type="points", points_per_euro="1", minimum_redemption_points=0)
    with tenancy.scope(world.merchant_id):
        small = Reward.objects.create(program=world.program, name="Bag", points_cost=100)
        Reward.objects.create(program=world.program, name="Coat", points_cost=500)
    card = friend(world)
    world.sale(card, 99_00)
    assert tell(world, card, "points_earned") == 0
    world.sale(card, 1_00)
    assert [tell(world, card, "points_earned") for _ in range(2)] == [1, 0]
    world.sale(card, 50_00)
    assert tell(world, card, "points_earned") == 0
    assert [mail.facts["reward_name"] for mail in mails(world)] == ["Bag"]
    world.spend(card, small.pk)
    tell(world, card, "points_redeemed")
    assert kinds(world) == []
    world.sale(card, 450_00)
    assert tell(world, card, "points_earned") == 1
    assert [mail.facts["reward_name"] for mail in mails(world)] == ["Coat"]


@pytest.mark.django_db
def test_every_change_of_a_card_is_heard() -> None:
    world = World.make()
    card = world.card()
    world.stamp(card)
    assert ROUTES["card.changed"] == ("loyalty.tell_customer", "wallets.note_change")
    with tenancy.scope(world.merchant_id):
        topics = list(OutboxEvent.objects.order_by("id").values_list("topic", flat=True))
    assert topics.count("card.changed") == 2


def test_one_event_told_by_many_workers_is_one_mail(real_db: Any) -> None:
    world = World.make(stamps_target=1)
    card = friend(world)
    world.stamp(card)

    def work(_: int) -> int:
        try:
            return tell(world, card)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 1
    assert kinds(world) == ["reward_ready"]


# --- points that expire


def expiring(days: int = 100, **rules: Any) -> World:
    return World.make(loyalty_type="points", points_per_euro="1", points_expiration_days=days, **rules)


@pytest.mark.django_db
def test_rule_13_a_warning_comes_30_and_7_days_before_once_each() -> None:
    world = expiring()
    card = friend(world)
    world.sale(card, 1_000)
    start, seen = world.at, {}
    for day in range(110):
        world.at = start + timedelta(days=day, hours=-10)
        if warn(world):
            seen[day] = mails(world)[-1]
        assert warn(world) == 0

    assert list(seen) == [70, 93]
    first, second = seen.values()
    assert first.event == f"points_expiring:{card.pk}:2026-06-18:30"
    assert second.event == f"points_expiring:{card.pk}:2026-06-18:7"
    assert first.facts == {
        "card_id": str(card.pk), "pages": f"/loyalty/{world.store.code}", "points": 10, "expires_on": "2026-06-18",
        "days": 30,
    }  # fmt: skip
    # Queued at two in the night (UTC), to be sent at nine in the shop's morning.
    assert first.due_at == datetime(2026, 5, 19, 7, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(("late", "told"), [(3, [("30", 27)]), (25, [("7", 5)]), (30, [("7", 0)]), (31, [])])
def test_rule_13_a_late_job_sends_the_warning_that_fits_best(late: int, told: list[tuple[str, int]]) -> None:
    world = expiring()
    card = friend(world)
    world.sale(card, 1_000)
    world.tick(days=70 + late)
    warn(world)
    assert [(mail.event.rsplit(":", 1)[1], mail.facts["days"]) for mail in mails(world)] == told


@pytest.mark.django_db
def test_rule_13_a_visit_begins_anew() -> None:
    world = expiring()
    card = friend(world)
    world.sale(card, 1_000)
    world.tick(days=80)
    assert warn(world) == 1
    world.sale(card, 1_000)
    world.tick(days=60)
    assert warn(world) == 0
    world.tick(days=15)
    assert warn(world) == 1


@pytest.mark.django_db
def test_rule_13_a_shorter_time_warns_everybody_first() -> None:
    world = expiring(days=0)
    card = friend(world)
    world.sale(card, 1_000)
    world.tick(days=300)
    world.change(points_expiration_days=60)
    assert warn(world) == 1
    assert mails(world)[0].facts["days"] == 30
    assert expiry.expire(merchant_id=world.merchant_id, at=world.at) == expiry.Tally()


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["paused", "stopped", "no points", "frozen", "no consent"])
def test_nobody_is_warned_of_what_will_not_happen(what: str) -> None:
    world = expiring()
    card = friend(world, agrees=what != "no consent")
    if what != "no points":
        world.sale(card, 1_000)
    with tenancy.scope(world.merchant_id):
        if what == "paused":
            Program.objects.update(status="paused")
        if what == "stopped":
            Merchant.objects.update(status="suspended", status_since=world.at)
        if what == "frozen":
            Card.objects.update(status="frozen")
    world.tick(days=80)
    assert warn(world) == 0
    assert mails(world) == []


@pytest.mark.django_db
def test_warnings_reach_everybody_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "AT_ONCE", 2)
    world = expiring()
    for number in range(5):
        world.sale(friend(world, email=f"friend{number}@example.com"), 1_000)
    world.tick(days=80)
    assert warn(world) == 5
    assert warn(world) == 0
