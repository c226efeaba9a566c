"""Changes, registrations and fetches that meet: whoever comes second sees the other (pitfalls 3, 42)."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from core import tenancy
from tests.fakes.iphone import VirtualIPhone
from tests.wallets.web_service.conftest import PASS_TYPE, Shop
from wallets.models import AppleDeviceRegistration, ApplePass, PassUpdate
from wallets.queries import device_changes
from wallets.services import queue, registrations, tags
from wallets.services.phones import Holder

Phones = Callable[..., VirtualIPhone]
Owners = list[tuple[Shop, Any]]


@pytest.fixture
def aside() -> Iterator[Callable[..., Future[Any]]]:
    """Run things on connections of their own."""
    with ThreadPoolExecutor(max_workers=8) as pool:

        def run(work: Callable[[], Any]) -> Future[Any]:
            def alone() -> Any:
                try:
                    return work()
                finally:
                    connection.close()

            return pool.submit(alone)

        yield run


@contextmanager
def blocked(real_db: Any, count: int = 1) -> Iterator[None]:
    """Go on once `count` other connections wait for a lock."""
    with psycopg.connect(real_db.superuser_url, autocommit=True) as watcher:
        ends = time.monotonic() + 20
        sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
        while watcher.execute(sql, [real_db.name]).fetchone()[0] < count:
            assert time.monotonic() < ends, "nobody waits"
            time.sleep(0.01)
    yield


def holder(shop: Shop, card: Any) -> Holder:
    return Holder(shop.world.merchant_id, shop.row(card).pk)


def queued(shop: Shop) -> int:
    with tenancy.scope(shop.world.merchant_id):
        return int(PassUpdate.objects.filter(state="queued").count())


def test_a_registration_waits_for_a_change_and_then_is_told(
    shop: Shop, real_db: Any, phone: Phones, aside: Callable[..., Future[Any]]
) -> None:
    """The change is first and finds nobody; the registration sees it and queues the push itself."""
    card, iphone = shop.card(), phone()
    iphone.add(shop.link(card), register=False)
    shop.world.stamp(card)
    with tenancy.scope(shop.world.merchant_id):
        noted = queue.request_apple(merchant_id=shop.world.merchant_id, card_id=card.pk, at=timezone.now())
        waiting = aside(lambda: _register(shop, card))
        with blocked(real_db):
            pass
    assert noted is False
    assert waiting.result(20) == registrations.Registered(created=True, queued=True)
    assert queued(shop) == 1


def test_a_change_waits_for_a_registration_and_finds_it(
    shop: Shop, real_db: Any, phone: Phones, aside: Callable[..., Future[Any]]
) -> None:
    """The registration is first; the change sees it as soon as it is committed."""
    card, iphone = shop.card(), phone()
    iphone.add(shop.link(card), register=False)
    at, merchant_id = timezone.now(), shop.world.merchant_id

    def change() -> bool:
        with tenancy.scope(merchant_id):
            return queue.request_apple(merchant_id=merchant_id, card_id=card.pk, at=at)

    with tenancy.scope(merchant_id):
        row = ApplePass.objects.select_for_update(no_key=True).get(card_id=card.pk)
        device, _ = registrations._keep("device-1", "token-1", at)
        tag = tags.take(PASS_TYPE, 1)
        AppleDeviceRegistration.objects.create(apple_pass_id=row.pk, device_id=device, tag=tag, registered_at=at)
        waiting = aside(change)
        with blocked(real_db):
            pass
    assert waiting.result(20) is True
    assert queued(shop) == 1


def test_a_larger_number_is_never_seen_before_a_smaller_one(
    shop: Shop, another: Shop, real_db: Any, aside: Callable[..., Future[Any]]
) -> None:
    """Pitfall 3: a list that names a number has named all below it, across merchants."""
    ours, theirs = shop.card(), another.card()
    _register(shop, ours)
    before = device_changes.of_device("device-1", pass_type=PASS_TYPE, since="")
    assert before is not None
    since = str(before.newest)
    with tenancy.scope(shop.world.merchant_id):
        row = ApplePass.objects.select_for_update(no_key=True).get(card_id=ours.pk)
        row.change_tag = tags.take(PASS_TYPE, 1)
        row.save(update_fields=["change_tag"])
        second = aside(lambda: _register(another, theirs))
        with blocked(real_db):
            pass
        listed = aside(lambda: device_changes.of_device("device-1", pass_type=PASS_TYPE, since=since))
        assert listed.result(20) is None
    assert second.result(20).created is True
    after = device_changes.of_device("device-1", pass_type=PASS_TYPE, since=since)
    assert after is not None
    assert after.serials == sorted([shop.row(ours).serial, another.row(theirs).serial])
    assert after.newest == before.newest + 2


def test_two_merchants_passes_on_one_device_come_and_go_at_once(
    shop: Shop, another: Shop, aside: Callable[..., Future[Any]]
) -> None:
    """A device that registers here while it takes its leave there is not forgotten."""
    ours, theirs = shop.card(), another.card()
    for _ in range(15):
        _register(shop, ours)
        both = [
            aside(lambda: registrations.unregister(holder(shop, ours), device="device-1")),
            aside(lambda: _register(another, theirs)),
        ]
        assert both[0].result(20)
        both[1].result(20)
        found = device_changes.of_device("device-1", pass_type=PASS_TYPE, since="")
        assert found is not None
        assert found.serials == [another.row(theirs).serial]
        registrations.unregister(holder(another, theirs), device="device-1")


def test_two_registrations_of_one_device_at_once_are_one(shop: Shop, aside: Callable[..., Future[Any]]) -> None:
    card = shop.card()
    for _ in range(10):
        done = [one.result(20) for one in [aside(lambda: _register(shop, card)) for _ in range(3)]]
        assert sorted(one.created for one in done) == [False, False, True]
        registrations.unregister(holder(shop, card), device="device-1")


def test_after_a_storm_every_phone_holds_the_newest(
    shop: Shop, another: Shop, phone: Phones, aside: Callable[..., Future[Any]]
) -> None:
    """Random changes, lists, fetches, and phones that come and go; then one push to each phone."""
    owners: Owners = [(shop, shop.card()), (shop, shop.card()), (another, another.card())]
    devices = [phone(f"device-{number}", f"token-{number}", root=None) for number in range(3)]
    for device in devices:
        _complete(device, owners)
    ends = time.monotonic() + 4
    work = [aside(lambda seed=seed: _change(owners, seed, ends)) for seed in range(2)]
    work += [aside(lambda d=device, s=seed: _live(d, owners, s, ends)) for seed, device in enumerate(devices)]
    assert min([one.result(60) for one in work]) > 5

    for device in devices:
        _complete(device, owners)
        device.on_push()
        assert device.log == []
        for owner, card in owners:
            fresh = owner.world.fresh(card)
            shown = device.passes[owner.row(card).serial].values["stamps"]
            assert shown == f"{fresh.stamp_count}/{fresh.stamps_target}"
    for owner, card in owners:
        row = owner.row(card)
        assert (row.fetched_version, row.behind_since) == (row.requested_version, None)


def _change(owners: Owners, seed: int, ends: float) -> int:
    """Give stamps until the time is over; returns how often."""
    dice, done = random.Random(seed), 0
    while time.monotonic() < ends:
        owner, card = dice.choice(owners)
        owner.stamp(card)
        done += 1
    return done


def _live(device: VirtualIPhone, owners: Owners, seed: int, ends: float) -> int:
    """Use a phone until the time is over; returns how much was done."""
    dice, done = random.Random(seed), 0
    while time.monotonic() < ends:
        owner, card = dice.choice(owners)
        serial, what = owner.row(card).serial, dice.randrange(5)
        if serial not in device.passes:
            device.add(owner.link(card))
        elif what == 0:
            device.remove(serial)
        elif what == 1:
            device.register(serial)
        else:
            device.on_push()
        done += 1
    return done


def _complete(device: VirtualIPhone, owners: Owners) -> None:
    for owner, card in owners:
        if owner.row(card).serial not in device.passes:
            device.add(owner.link(card))


def _register(shop: Shop, card: Any) -> registrations.Registered:
    return registrations.register(
        holder(shop, card), device="device-1", push_token="token-1", at=timezone.now()
    )  # fmt: skip
