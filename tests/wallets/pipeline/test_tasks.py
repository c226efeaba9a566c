"""From an event to the word that wakes a worker: queues by name, one word at a time, and no broker at all."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core import claims, relay, tenancy
from core.models import OutboxEvent
from loyalty_platform.celery import BEAT_SCHEDULE, QUEUES, app
from loyalty_platform.events import ROUTES
from merchants.services import logos, merchants
from stores.services import stores
from tests.fakes.apns import FakeApns
from tests.support.broker import waiting
from tests.support.servers import ROOT
from tests.support.world import World
from tests.wallets.pipeline.phones import Phones
from wallets import tasks
from wallets.enums import Provider, UpdateState
from wallets.models import PassUpdate
from wallets.services import changes, missed, passes

NAMES = {
    "wallets.note_change": "wallets", "wallets.rescue": "wallets", "wallets.apple.push": "push.apple",
    "wallets.google.push": "push.google", "wallets.note_program": "bulk", "wallets.note_merchant": "bulk",
    "wallets.retire": "bulk", "wallets.warn_of_expiries": "bulk", "loyalty.sync_wallet_passes": "bulk",
}  # fmt: skip


@pytest.mark.parametrize(("name", "queue"), NAMES.items())
def test_every_task_has_its_queue(name: str, queue: str) -> None:
    app.loader.import_default_modules()
    assert name in app.tasks
    assert app.amqp.router.route({}, name)["queue"].name == queue


@pytest.mark.parametrize("file", ["Procfile", "docker-compose.yml"])
def test_every_queue_has_a_worker(file: str) -> None:
    lines = [line for line in (ROOT / file).read_text().splitlines() if " worker " in line]
    served = [name for line in lines for name in line.partition("--queues ")[2].split()[0].split(",")]
    assert sorted(served) == sorted(QUEUES)


def test_the_timetable_knows_the_net_below() -> None:
    plans = {plan["task"]: plan for plan in BEAT_SCHEDULE.values()}
    assert plans["wallets.apple.push"]["schedule"] == plans["wallets.google.push"]["schedule"] == 5.0
    assert plans["wallets.apple.push"]["options"]["expires"] < 5
    assert plans["wallets.rescue"]["schedule"] == 15.0
    assert plans["loyalty.sync_wallet_passes"]["schedule"].hour == set(range(24))
    assert len(plans["wallets.retire"]["schedule"].hour) == 1


def pass_on() -> None:
    """Take every event that is due to the broker."""
    outcome, _there = relay.publish(claims.claim(at=timezone.now()), relay.Publisher(), ROUTES)
    claims.settle(outcome, at=timezone.now())


def run(broker: str, queue: str, name: str) -> int:
    """Run the tasks of a name that wait in a queue; returns how many."""
    found = [task for task in waiting(broker, queue) if task.name == name]
    for task in found:
        app.tasks[task.name](**task.kwargs)
    return len(found)


def test_a_stamp_reaches_the_phone(phones: Phones, apns: FakeApns, broker: str) -> None:
    phones.at = timezone.now()
    card = phones.card("phone")
    pass_on()
    before = len(waiting(broker, "wallets"))
    phones.world.at = timezone.now()
    phones.world.stamp(card)
    pass_on()

    noted = waiting(broker, "wallets")[before:]
    assert [(task.name, task.kwargs["card_id"], task.kwargs["why"]) for task in noted] == [
        ("wallets.note_change", str(card.id), "stamp_earned")
    ]
    tasks.note_change(**noted[0].kwargs)
    assert run(broker, "push.apple", "wallets.apple.push") == 1

    assert apns.tokens == ["token-phone"]
    assert phones.update_of(card).state == UpdateState.SENT


def test_one_word_waits_at_most_and_the_next_one_comes_through_once_it_was_heard(phones: Phones, broker: str) -> None:
    for _ in range(5):
        tasks.wake(Provider.APPLE)
    assert len(waiting(broker, "push.apple")) == 1

    tasks.push_to_apple()
    tasks.wake(Provider.APPLE)
    assert len(waiting(broker, "push.apple")) == 2


def test_a_lost_word_holds_the_next_one_up_for_seconds_only(broker: str) -> None:
    from core.outbox import connect

    tasks.wake(Provider.APPLE)
    assert 0 < connect(timeout=1).pttl("wallets:wake:apple") <= tasks.WAKE_LIFE_MS


def test_without_a_broker_a_change_is_noted_all_the_same(phones: Phones, settings: Any) -> None:
    card = phones.card("phone")
    settings.REDIS_URL = "unix:///nobody/is/here"

    tasks.note_change(str(phones.world.merchant_id), card_id=str(card.id), why="stamp_earned")

    assert phones.update_of(card).state == UpdateState.QUEUED


def test_the_drain_stays_for_the_end_of_the_two_seconds(phones: Phones, apns: FakeApns) -> None:
    phones.at = timezone.now()
    card = phones.card("phone")
    for _ in range(2):
        phones.at = timezone.now()
        phones.note(card)
        began = timezone.now()
        tasks.push_to_apple()

    assert len(apns.pushes) == 2
    assert timedelta(seconds=1.5) < timezone.now() - began < timedelta(seconds=10)


def test_nothing_is_noted_where_no_wallet_is_in_use(phones: Phones, settings: Any) -> None:
    settings.LOYALTY_APPLE_PASS_TYPE_ID = ""
    card = phones.world.card()

    noted = changes.note_change(merchant_id=phones.world.merchant_id, card_id=card.id, why="void", at=phones.at)

    assert noted == frozenset()
    with tenancy.scope(phones.world.merchant_id):
        assert not PassUpdate.objects.exists()


def test_a_change_whose_task_died_is_found(phones: Phones, apns: FakeApns) -> None:
    phones.at = timezone.now()
    dead, noted = phones.card("phone"), phones.card("other")
    phones.world.card()
    pass_on()
    for card in (dead, noted):
        phones.world.stamp(card)
    pass_on()
    phones.at = timezone.now()
    phones.note(noted)
    phones.push()
    assert len(apns.pushes) == 1
    later = timezone.now() + missed.LATE

    found = missed.find(at=later)
    assert [(card_id, why) for _merchant, card_id, why in found] == [(dead.id, "stamp_earned")]
    assert missed.find(at=later - timedelta(seconds=10)) == []

    changes.note_change(merchant_id=phones.world.merchant_id, card_id=dead.id, why="stamp_earned", at=timezone.now())
    assert missed.find(at=later) == []


def test_a_card_that_goes_to_a_phone_after_its_enrolment_was_noted_is_not_missed(
    phones: Phones, apns: FakeApns
) -> None:  # fmt: skip
    """Its device downloaded what it shows, so a push would tell it nothing; what nobody noted is found all the same."""
    noted, dead = phones.world.card(), phones.world.card()
    pass_on()
    with tenancy.scope(phones.world.merchant_id):
        passes.apple(dead.pk)
    phones.note(noted, "card_enrolled")
    for number, card in enumerate((noted, dead)):
        phones.add(card, f"late{number}")
    with tenancy.scope(phones.world.merchant_id):
        # As after a download, by which the server knows that the device holds the newest.
        PassUpdate.objects.all().delete()

    found = missed.find(at=timezone.now() + missed.LATE)

    assert [card_id for _merchant, card_id, _why in found] == [dead.id]


def topics(merchant_id: Any) -> list[str]:
    with tenancy.scope(merchant_id):
        return list(OutboxEvent.objects.order_by("id").values_list("topic", flat=True))


def test_what_passes_show_of_merchant_and_stores_is_announced(db: None) -> None:
    world = World.make()
    ids = {"merchant_id": world.merchant_id, "at": world.at}
    known = len(topics(world.merchant_id))

    merchants.update(**ids, name="Another name")
    merchants.update(**ids, name="Another name")
    merchants.set_status(**ids, status="suspended")
    logos.remove(**ids, actor_id=None)
    store = stores.open_store(**ids, name="Two")
    stores.update(**ids, store_id=store.pk, city="Esch")
    stores.close(**ids, store_id=store.pk)

    assert topics(world.merchant_id)[known:] == ["merchant.changed"] * 2 + ["store.changed"] * 3


def test_a_merchant_s_change_reaches_every_card_of_every_program(phones: Phones, broker: str) -> None:
    cards = [phones.card("a"), phones.card("b")]
    merchants.update(merchant_id=phones.world.merchant_id, at=phones.at, card_color="#123456")
    pass_on()
    assert run(broker, "bulk", "wallets.note_merchant") == 1
    assert run(broker, "bulk", "wallets.note_program") >= 1
    for task in waiting(broker, "bulk"):
        if task.name == "wallets.note_program" and task.kwargs.get("provider") == "apple":
            tasks.note_program(**task.kwargs)

    assert {phones.update_of(card).state for card in cards} == {UpdateState.QUEUED}
