"""Promise 13: a day of tries finds a six-digit PIN with a chance of 0.1 % at most, and nobody outside locks a shop.

tests/support/guessing.py guesses for two days; the worst 24 hours of them count.
"""

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core import tenancy
from loyalty.queries import access
from loyalty.services.operations import StaffProof
from merchants.models import MerchantSettings
from stores.models import PinGuard, StaffPin, Store
from stores.rules import pins as rules
from stores.services import terminals
from tests.support.api import Caller
from tests.support.guessing import DAY, MOST, NOON, PINS, Shop, alone, insider, mixed, named, patient, space, spend
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.slow
@pytest.mark.parametrize("way", [alone, named, mixed, insider, patient])
@pytest.mark.parametrize(
    "allowed",
    [{}, {"pin_max_failed_attempts": 20, "pin_lockout_minutes": 1}, {"pin_max_failed_attempts": 1}],
    ids=["usual", "lax", "strict"],
)
def test_promise_13_a_day_of_tries_finds_no_pin(
    cheap_hashes: Any, way: Callable[[Shop], list[datetime | None]], allowed: dict[str, int]
) -> None:
    shop = Shop.make(**allowed)

    spend(shop, way)

    assert len(shop.tried) >= 5, "the drill has to try something"
    assert shop.chance() <= MOST


@pytest.mark.slow
@pytest.mark.parametrize("way", [mixed, insider, patient])
def test_promise_13_holds_in_a_store_with_many_people(
    cheap_hashes: Any, way: Callable[[Shop], list[datetime | None]]
) -> None:
    """A PIN without a name may be any of 40 people's, so it costs 40 tries of the till's day."""
    shop = Shop.make(people=40)

    spend(shop, way)

    assert len(shop.tried) >= 5
    assert shop.chance() <= MOST


def test_promise_13_locks_of_a_till_double_over_the_day(cheap_hashes: Any) -> None:
    """Without a name 30 tries a day are left of 5 at a time: 30 min, 1 h, 2 h, 4 h, 8 h."""
    shop = Shop.make()

    spend(shop, alone, days=1)

    assert len(shop.tried) == 30


@pytest.mark.slow
def test_promise_13_spraying_over_merchants_buys_nothing_at_any_of_them(cheap_hashes: Any) -> None:
    """Somebody with a till at each of many merchants: each counts for itself, so 1,000 are 1,000 times the one."""
    alone_there = Shop.make()
    spend(alone_there, mixed, days=1)
    shops = [Shop.make() for _ in range(5)]

    end = NOON + DAY
    while min(shop.at for shop in shops) < end:
        for shop in sorted(shops, key=lambda shop: shop.at):
            waits = mixed(shop) if shop.at < end else [end]
            if None not in waits:
                shop.at = min(wait for wait in waits if wait is not None)

    assert {len(shop.tried) for shop in shops} == {len(alone_there.tried)}
    assert max(shop.chance() for shop in shops) <= MOST
    assert 1_000 * alone_there.chance() < 1, "less than one PIN a day at 1,000 merchants"


def test_promise_13_four_and_five_digits_carry_a_warning(cheap_hashes: Any) -> None:
    """They are found more often than promised, which is why whoever makes one is told."""
    assert rules.WARN_BELOW_DIGITS == 6
    assert rules.MOST_A_DAY / 10**4 > MOST


# From outside


@pytest.fixture
def world() -> World:
    """A shop that gives on customers' phones, with Anna (482193)."""
    world = World.make(at=timezone.now())
    with tenancy.scope(world.merchant_id):
        Store.objects.update(own_device_enabled=True)
        MerchantSettings.objects.update(staff_pin_policy="required")
    world.staff(pin=PINS[0])
    return world


def stamp(world: World, secret: str, card_id: Any, pin: str, ip: str) -> Any:
    """Ask for a stamp on a customer's phone."""
    return Client(REMOTE_ADDR=ip).post(
        f"/stamp/{world.store.code}", {"pass_id": str(card_id), "staff_pin": pin, "confirm": True},
        content_type="application/json", headers={"Authorization": f"Card {secret}"},
    )  # fmt: skip


@pytest.mark.slow
def test_promise_13_a_stranger_with_cards_locks_nobody_out(
    cheap_hashes: Any, world: World, settings: Any, time_machine: Any
) -> None:
    """A day of tries from a phone, with a new card whenever one is locked: the shop never notices."""
    settings.LOYALTY_THROTTLE_SCALE = 1_000_000
    begin, tries, wrong = timezone.now(), 0, itertools.count(100_007, 7)
    time_machine.move_to(begin, tick=False)
    till = world.terminal()
    card = world.card()
    while timezone.now() < begin + DAY:
        answer = stamp(world, access.secret_of(card), card.pk, f"{next(wrong):06}", "198.51.100.7")
        if answer.status_code == 403:
            tries += 1
        else:
            assert answer.status_code == 423
            fresh = world.card()
            again = stamp(world, access.secret_of(fresh), fresh.pk, f"{next(wrong):06}", "198.51.100.7")
            card = fresh
            tries += again.status_code == 403
            if again.status_code == 423:
                time_machine.shift(int(again["Retry-After"]))

    with tenancy.scope(world.merchant_id):
        assert list(StaffPin.objects.values_list("failed_attempts", "locked_until")) == [(0, None)]
        assert set(PinGuard.objects.values_list("subject_kind", flat=True)) == {"card", "address", "day"}
    assert 20 <= tries <= 200
    assert tries / space() <= MOST
    world.at = timezone.now()
    proof = PINS[0]
    guest = world.card()
    assert world.stamp(guest, who=till, staff=StaffProof(pin=proof))["stamp_count"] == 1, "the till goes on"
    assert Caller.of(world).post("stamp", {"card_id": str(guest.pk), "staff_pin": proof}).status_code == 201
    other = world.card()
    assert stamp(world, access.secret_of(other), other.pk, proof, "203.0.113.5").status_code == 201


def test_promise_13_the_right_pin_opens_nothing_without_a_till_or_key(cheap_hashes: Any, world: World) -> None:
    """Every way in is asked for with the right PIN, as nobody, with what was revoked and with another's."""
    card, other = world.card(), World.make(at=world.at)
    made = terminals.make_pairing_code(
        merchant_id=world.merchant_id, store_id=world.store.pk, name="Till", user_id=world.owner.pk, at=world.at
    )
    gone = terminals.pair(code=made.code, at=world.at)
    terminals.revoke(merchant_id=world.merchant_id, terminal_id=gone.terminal.pk, at=world.at)
    revoked = Caller()
    revoked.client.cookies["terminal"] = gone.token
    callers = {
        "nobody": Caller(), "a revoked till": revoked, "an invented key": Caller({"Authorization": "Bearer lk_x_y"}),
        "a card": Caller({"Authorization": f"Card {access.secret_of(card)}"}),
        "another shop's key": Caller.of(other), "another shop's till": Caller.terminal(other),
    }  # fmt: skip
    body = {"card_id": str(card.pk), "staff_pin": PINS[0]}
    for who, caller in callers.items():
        for path in ("stamp", "points", "stamp/redeem", "pins/verify", "preview"):
            sent = {"staff_pin": PINS[0]} if path == "pins/verify" else body
            sent = {**sent, **({"purchase_amount_cents": 500} if path == "points" else {})}
            sent = {**sent, **({"op": "stamp"} if path == "preview" else {})}
            answer = caller.post(path, sent)
            assert answer.status_code in (401, 403, 404), (who, path, answer.status_code, answer.content)
            assert "staff_session" not in answer.content.decode()
    assert stamp(world, "nonsense", card.pk, PINS[0], "198.51.100.7").status_code == 401
    assert world.fresh(card).stamp_count == 0
    with tenancy.scope(world.merchant_id):
        assert not PinGuard.objects.exists()
        assert StaffPin.objects.get().last_used_at is None
