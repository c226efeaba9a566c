"""Voids: windows, ownership, rewards that stamps paid for (rules 8 and 11)."""

from dataclasses import replace
from uuid import UUID

import pytest

from core import tenancy
from core.errors import NotFound, PermissionDenied
from core.ids import uuid7
from loyalty.queries.corrections import AlreadyRedeemed
from loyalty.services import voids
from merchants.models import Membership, MerchantSettings
from stores.queries.access import Credential
from stores.services import api_keys
from tests.support.world import World

pytestmark = pytest.mark.django_db


def till_key(world: World) -> Credential:
    made = api_keys.create(merchant_id=world.merchant_id, name="Till", scopes=["earn"], at=world.at)
    return Credential("api_key", world.merchant_id, made.api_key.id)


def test_it_works() -> None:
    world = World.make()
    card = world.card()
    given = world.stamp(card, 2)

    answer = world.void(given["transaction_id"])

    assert answer["stamp_count"] == 0
    assert answer["reverses"] == given["transaction_id"]
    assert world.assert_adds_up(card).stamps_today == 0


def test_rule_8_void_of_the_completing_stamp_cancels_the_reward() -> None:
    world = World.make(stamps_target=10)
    card = world.card()
    world.stamp(card, 9)
    completing = world.stamp(card, 3)

    answer = world.void(completing["transaction_id"])

    assert (answer["stamp_count"], answer["rewards_available"]) == (9, 0)
    assert world.stamp(card, 1)["reward_earned"] is True
    world.assert_adds_up(card)


def test_rule_8_void_is_refused_once_the_reward_is_redeemed_and_says_when_and_by_whom() -> None:
    world = World.make(stamps_target=10, require_staff_pin=True)
    _, anna = world.staff("Anna")
    card = world.card()
    world.stamp(card, 9, staff=anna)
    completing = world.stamp(card, 1, staff=anna)
    world.redeem(card, staff=anna)

    with pytest.raises(AlreadyRedeemed) as refused:
        world.void(completing["transaction_id"], staff=anna)

    assert refused.value.facts["redeemed_at"] == world.at
    assert refused.value.facts["redeemed_by"] == "Anna"
    assert world.assert_adds_up(card).stamp_count == 0


def test_rule_8_an_earlier_stamp_of_a_redeemed_reward_is_refused_too() -> None:
    world = World.make(stamps_target=3)
    card = world.card()
    early = world.stamp(card, 1)
    world.stamp(card, 2)
    world.redeem(card)
    world.stamp(card, 2)

    with pytest.raises(AlreadyRedeemed):
        world.void(early["transaction_id"])


def test_rule_8_surplus_stamps_of_a_redeemed_reward_can_be_undone() -> None:
    world = World.make(stamps_target=3)
    card = world.card()
    world.stamp(card, 3)
    world.redeem(card)
    surplus = world.stamp(card, 1)

    assert world.void(surplus["transaction_id"])["stamp_count"] == 0
    world.assert_adds_up(card)


def test_collect_first_void_of_the_completing_stamp_cancels_the_reward() -> None:
    world = World.make(stamps_target=3, full_card="collect_first")
    card = world.card()
    world.stamp(card, 2)
    completing = world.stamp(card, 1)

    answer = world.void(completing["transaction_id"])

    assert (answer["stamp_count"], answer["rewards_available"]) == (2, 0)
    world.assert_adds_up(card)


def test_void_of_a_redemption_makes_the_reward_ready_again() -> None:
    world = World.make(stamps_target=2)
    card = world.card()
    world.stamp(card, 2)
    handed_out = world.redeem(card)

    assert world.void(handed_out["transaction_id"])["rewards_available"] == 1
    again = world.redeem(card)
    world.assert_adds_up(card)
    world.void(again["transaction_id"])
    assert world.redeem(card)["rewards_available"] == 0


def test_stamps_of_a_reward_whose_redemption_was_undone_can_be_undone() -> None:
    world = World.make(stamps_target=2)
    card = world.card()
    completing = world.stamp(card, 2)
    world.void(world.redeem(card)["transaction_id"])

    assert world.void(completing["transaction_id"])["rewards_available"] == 0
    assert world.assert_adds_up(card).stamp_count == 0


def test_rule_11_twice_is_refused() -> None:
    world = World.make()
    given = world.stamp(world.card())
    world.void(given["transaction_id"])

    with pytest.raises(voids.AlreadyVoided):
        world.void(given["transaction_id"])


def test_rule_11_own_operation_within_the_window() -> None:
    world = World.make(void_window_minutes=10)
    till, card = till_key(world), world.card()
    first = world.stamp(card, who=till)
    second = world.stamp(card, who=till)
    world.tick(minutes=10)
    world.void(first["transaction_id"], who=till)
    world.tick(seconds=1)

    with pytest.raises(voids.VoidWindowClosed):
        world.void(second["transaction_id"], who=till)
    assert world.void(second["transaction_id"])["stamp_count"] == 0, "a manager may, the same business day"


def test_rule_11_a_manager_may_until_the_business_day_ends() -> None:
    world = World.make()
    given = world.stamp(world.card())
    world.tick(hours=11)

    with pytest.raises(voids.VoidWindowClosed):
        world.void(given["transaction_id"])


def test_rule_11_a_key_undoes_only_its_own() -> None:
    world = World.make()
    given = world.stamp(world.card())

    with pytest.raises(PermissionDenied):
        world.void(given["transaction_id"], who=till_key(world))


def test_rule_11_staff_undo_only_their_own() -> None:
    world = World.make(require_staff_pin=True)
    _, anna = world.staff("Anna", "482193")
    _, ben = world.staff("Ben", "735941")
    till = world.terminal()
    given = world.stamp(world.card(), who=till, staff=anna)

    with pytest.raises(voids.VoidNotAllowed):
        world.void(given["transaction_id"], who=till, staff=ben)
    world.void(given["transaction_id"], who=till, staff=anna)


def test_platform_may_forbid_voids() -> None:
    world = World.make()
    given = world.stamp(world.card())
    assert given["void_until"] is not None
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(allow_void_transactions=False)

    with pytest.raises(voids.VoidNotAllowed):
        world.void(given["transaction_id"])


def test_enrolment_cannot_be_voided() -> None:
    world = World.make()
    card = world.card()

    with pytest.raises(voids.VoidNotAllowed):
        world.void(str(world.rows(card)[0].id))


def test_foreign_and_unknown_rows_are_not_found() -> None:
    world, other = World.make(), World.make()
    card = other.card()
    given = other.stamp(card)

    for transaction_id in (given["transaction_id"], str(uuid7())):
        with pytest.raises(NotFound):
            world.void(transaction_id)
    assert other.fresh(card).stamp_count == 1


def test_void_restores_the_cooldown_of_the_stamp_before() -> None:
    world = World.make(cooldown_minutes=10)
    card = world.card()
    world.stamp(card)
    world.tick(minutes=10)
    second = world.stamp(card)
    world.void(second["transaction_id"])

    assert world.stamp(card)["stamp_count"] == 2


def test_a_manager_corrects_in_the_back_office_without_a_pin() -> None:
    world = World.make(require_staff_pin=True)
    with tenancy.scope(world.merchant_id):
        Membership.objects.create(user=world.owner, role="owner")
    _, anna = world.staff("Anna")
    given = world.stamp(world.card(), staff=anna)
    call = replace(world.call(who=Credential("user", world.merchant_id, world.owner.pk)), channel="dashboard")

    answer = voids.void(call, transaction_id=UUID(given["transaction_id"]))

    assert answer.body["stamp_count"] == 0
