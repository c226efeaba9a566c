"""What a merge may not get around, whom it may join, chains, and the way back in time (rules 4, 8, 13, 14, 22, 25)."""

from datetime import timedelta
from uuid import UUID

import pytest

from core import tenancy
from core.errors import DomainError
from core.ids import uuid7
from customers.models import Consent, Customer
from customers.queries import people
from customers.services import own_cards
from loyalty.models import Card, CardMerge
from loyalty.queries import merges as queries
from loyalty.queries import recoveries
from loyalty.queries.corrections import AlreadyRedeemed
from loyalty.services import adjustments, merges
from loyalty.services.operations import CardNotActive
from loyalty.services.voids import VoidNotAllowed, VoidWindowClosed
from tests.factories.loyalty import CardFactory, ProgramFactory
from tests.support.merging import join, part, points, settled, two
from tests.support.world import World

pytestmark = pytest.mark.django_db


def test_rule_4_the_cycle_that_is_nearer_to_its_reward_goes_on() -> None:
    world, lost, new = two(stamps_target=5)
    world.stamp(lost, 3)
    world.change(stamps_target=12)
    late = world.card()
    world.stamp(late, 1)
    join(world, lost, late)
    (target,) = settled(world, late)
    assert (target.stamp_count, target.stamps_target) == (4, 5)
    assert new.stamps_target == 5


def test_rule_14_no_cooldown_or_daily_limit_is_evaded() -> None:
    world, lost, new = two(cooldown_minutes=15, max_daily_stamps=4)
    world.stamp(lost, 2)
    world.tick(minutes=20)
    world.stamp(new, 1)
    world.tick(minutes=16)
    join(world, new, lost)
    assert world.stamp(lost)["stamps_remaining_today"] == 0
    world.tick(minutes=20)
    with pytest.raises(DomainError) as refused:
        world.stamp(lost)
    assert refused.value.code == "daily_limit_reached"
    part(world, new)
    for card in (lost, new):
        with pytest.raises(DomainError) as refused:
            world.stamp(card)
        assert refused.value.code == "daily_limit_reached"


def test_rule_14_the_newest_stamp_of_both_starts_the_cooldown() -> None:
    world, lost, new = two(cooldown_minutes=15)
    world.stamp(lost)
    join(world, lost, new)
    with pytest.raises(DomainError) as refused:
        world.stamp(new)
    assert refused.value.code == "cooldown_active"
    # Undone, it counts for nothing: the cooldown goes with it, on the card that goes on.
    given = world.rows(lost)[1]
    world.void(str(given.pk))
    assert world.stamp(new)["stamp_count"] == 1


def test_rule_8_a_stamp_from_before_the_merge_can_be_undone_while_its_reward_waits() -> None:
    world, lost, new = two(stamps_target=3)
    world.stamp(lost, 2)
    completing = world.stamp(lost, 1)
    join(world, lost, new)
    answer = world.void(completing["transaction_id"])
    assert (answer["stamp_count"], answer["rewards_available"]) == (2, 0)
    part(world, lost)
    source, target = settled(world, lost, new)
    assert (source.stamp_count, source.rewards_ready, target.stamp_count) == (2, 0, 0)


def test_rule_8_a_stamp_whose_reward_was_handed_out_after_the_merge_cannot() -> None:
    world, lost, new = two(stamps_target=3)
    completing = world.stamp(lost, 3)
    world.stamp(new, 2)
    join(world, lost, new)
    world.redeem(new)
    with pytest.raises(AlreadyRedeemed):
        world.void(completing["transaction_id"])
    settled(world, lost, new)


def test_stamps_that_went_back_cannot_be_undone_twice() -> None:
    world, lost, new = two(stamps_target=10)
    given = world.stamp(lost, 2)
    join(world, lost, new)
    adjustments.adjust(world.call(), card_id=new.pk, stamps_delta=-2, reason="wrong")
    with pytest.raises(VoidNotAllowed):
        world.void(given["transaction_id"])
    settled(world, lost, new)


def test_rule_13_merging_counts_as_no_visit_and_revives_nothing() -> None:
    world, silent, lively = points(points_expiration_days=30)
    world.sale(silent, 5000)
    world.tick(days=40)
    world.sale(lively, 1000)
    join(world, silent, lively)
    source, target = settled(world, silent, lively)
    assert "points_expired" in [row.type for row in world.rows(silent)]
    assert (target.points_balance, target.last_activity_on) == (10, world.at.date())
    assert source.last_activity_on < target.last_activity_on


def test_a_chain_leads_to_its_end_and_is_taken_apart_from_its_end() -> None:
    world = World.make(stamps_target=10)
    first, middle, last = world.card(), world.card(), world.card()
    for card, count in ((first, 1), (middle, 2), (last, 3)):
        world.stamp(card, count)
    join(world, first, middle)
    join(world, middle, last)

    def goes_on_as(card: Card) -> UUID | None:
        with tenancy.scope(world.merchant_id):
            return Customer.objects.get(pk=card.customer_id).merged_into_id

    assert [goes_on_as(card) for card in (first, middle, last)] == [last.customer_id, last.customer_id, None]
    assert world.stamp(first)["card_id"] == str(last.pk)
    with pytest.raises(CardNotActive) as refused:
        part(world, first)
    assert "merged further" in refused.value.detail
    part(world, middle)
    assert [goes_on_as(card) for card in (first, middle)] == [middle.customer_id, None]
    assert world.stamp(first)["card_id"] == str(middle.pk)
    part(world, first)
    found = settled(world, first, middle, last)
    assert [card.stamp_count for card in found] == [1, 3, 4]


def test_a_refund_at_the_end_of_a_chain_goes_back_with_its_sale() -> None:
    world = World.make(loyalty_type="points", points_per_euro="1/10")
    first, middle, last = world.card(), world.card(), world.card()
    sale = world.sale(first, 4000)
    join(world, first, middle)
    join(world, middle, last)
    assert world.refund(sale["transaction_id"], 1000)["card_id"] == str(last.pk)
    part(world, middle)
    part(world, first)
    found = settled(world, first, middle, last)
    assert [card.points_balance for card in found] == [3, 0, 0]


def test_a_card_can_be_merged_again_after_it_came_back() -> None:
    world, lost, new = two()
    world.stamp(lost, 2)
    for _ in range(2):
        join(world, lost, new)
        part(world, lost)
    join(world, new, lost)
    (target,) = settled(world, lost)
    assert target.stamp_count == 2
    with tenancy.scope(world.merchant_id):
        assert CardMerge.objects.count() == 3


def test_thirty_days_to_the_instant() -> None:
    world, lost, new = two()
    join(world, lost, new)
    world.tick(days=30)
    part(world, lost)
    join(world, lost, new)
    world.tick(days=30, seconds=1)
    with pytest.raises(VoidWindowClosed) as refused:
        part(world, lost)
    assert refused.value.facts["void_until"] == world.at - timedelta(seconds=1)
    assert world.fresh(lost).status == "merged"


@pytest.mark.parametrize("state", ["frozen", "closed", "erased", "source erased"])
def test_taking_back_is_refused_clearly_when_the_other_card_is_not_in_use(state: str) -> None:
    world, lost, new = two()
    join(world, lost, new)
    with tenancy.scope(world.merchant_id):
        if state in ("frozen", "closed"):
            Card.objects.filter(pk=new.pk).update(status=state)
        else:
            person = new.customer_id if state == "erased" else lost.customer_id
            Customer.objects.filter(pk=person).update(erased_at=world.at)
    with pytest.raises(CardNotActive) as refused:
        part(world, lost)
    assert refused.value.detail != str(CardNotActive.message)
    assert world.fresh(lost).status == "merged"


@pytest.mark.parametrize("which", ["source", "target"])
@pytest.mark.parametrize("status", ["frozen", "closed"])
def test_cards_that_are_not_in_use_are_not_merged(which: str, status: str) -> None:
    world, lost, new = two()
    world.stamp(lost, 2)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=(lost if which == "source" else new).pk).update(status=status)
    with pytest.raises(CardNotActive):
        join(world, lost, new)
    assert world.fresh(lost).stamp_count == 2


def test_the_person_goes_on_in_one_record_with_the_stricter_consent_and_back() -> None:
    world, lost, new = two()

    def says(card: Card, channel: str, granted: bool) -> None:
        with tenancy.scope(world.merchant_id):
            Consent.objects.create(
                customer_id=card.customer_id, purpose="marketing", channel=channel, granted=granted, text_version="1",
                language="fr", source="storefront", recorded_at=world.at,
            )  # fmt: skip

    def granted(card: Card) -> dict[str, bool]:
        with tenancy.scope(world.merchant_id):
            return {row.channel: row.granted for row in people.consents_of(card.customer_id)}

    says(new, "email", True)
    says(new, "sms", True)
    says(lost, "email", False)
    world.tick(minutes=1)
    join(world, lost, new)
    assert granted(new) == {"email": False, "sms": True}
    with tenancy.scope(world.merchant_id):
        assert Customer.objects.get(pk=lost.customer_id).merged_into_id == new.customer_id
    world.tick(minutes=1)
    part(world, lost)
    assert granted(new) == {"email": True, "sms": True}
    with tenancy.scope(world.merchant_id):
        assert Customer.objects.get(pk=lost.customer_id).merged_into_id is None


def test_rule_22_a_colleagues_card_stays_one_when_it_is_merged() -> None:
    world, own, new = two()
    staff_id, _ = world.staff("Anna")
    own_cards.link(merchant_id=world.merchant_id, customer_id=own.customer_id, staff_id=staff_id, at=world.at)
    join(world, own, new)
    with tenancy.scope(world.merchant_id):
        assert Customer.objects.get(pk=new.customer_id).staff_pin_id == staff_id
    part(world, own)
    with tenancy.scope(world.merchant_id):
        assert Customer.objects.get(pk=new.customer_id).staff_pin_id is None


def test_a_person_with_another_programs_card_keeps_the_record() -> None:
    world, lost, new = two()
    with tenancy.scope(world.merchant_id):
        person = Customer.objects.get(pk=lost.customer_id)
        CardFactory(program=ProgramFactory(), enrolled_store=world.store, customer=person)
    join(world, lost, new)
    with tenancy.scope(world.merchant_id):
        assert Customer.objects.get(pk=lost.customer_id).merged_into_id is None


def test_taking_back_is_refused_when_the_person_has_another_card_by_now() -> None:
    world, lost, new = two()
    join(world, lost, new)
    other = world.card()
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=other.pk).update(customer_id=lost.customer_id)
    with pytest.raises(CardNotActive) as refused:
        part(world, lost)
    assert "another one by now" in refused.value.detail
    settled(world, new)


def test_the_welcome_bonus_is_remembered_by_both() -> None:
    world, lost, new = points(welcome_bonus_points=5)
    world.sale(lost, 100)
    join(world, lost, new)
    assert world.sale(new, 100)["welcome_bonus_points"] == 0
    part(world, lost)
    assert (world.fresh(lost).welcome_granted, world.fresh(new).welcome_granted) == (True, False)
    settled(world, lost, new)


def test_more_than_a_card_can_hold_is_refused() -> None:
    world, lost, new = points()
    adjustments.adjust(world.call(), card_id=lost.pk, points_delta=2**31 - 1, reason="x")
    adjustments.adjust(world.call(), card_id=new.pk, points_delta=1, reason="x")
    with pytest.raises(DomainError) as refused:
        join(world, lost, new)
    assert refused.value.code == "validation_error"
    settled(world, lost, new)


def test_a_preview_says_what_then_happens_and_changes_nothing() -> None:
    world, lost, new = two(loyalty_type="hybrid", points_per_euro="1/50", stamps_target=3)
    world.sale(lost, 2500)
    world.sale(new, 2500)
    world.stamp(lost, 1)
    asked = {"merchant_id": world.merchant_id, "card_id": lost.pk, "at": world.at}
    before = merges.preview(**asked, into_id=new.pk)
    assert world.fresh(lost).status == "active"
    join(world, lost, new)
    (target,) = settled(world, new)
    shown = {name: getattr(target, name) for name in ("stamp_count", "points_balance", "points_micro", "rewards_ready")}
    assert shown == {name: before[name] for name in shown}
    back = merges.preview_back(**asked)
    part(world, lost)
    (source,) = settled(world, lost)
    assert (back["stamps"], back["points"]) == (source.stamp_count, source.points_balance)


def test_nobody_there_is_not_found() -> None:
    world, lost, new = two()
    for ids in ((uuid7(), new.pk), (lost.pk, uuid7())):
        with pytest.raises(DomainError) as refused:
            merges.merge(
                merchant_id=world.merchant_id, card_id=ids[0], into_id=ids[1], reason="", at=world.at, channel="api"
            )
        assert refused.value.code == "not_found"
    with pytest.raises(DomainError) as refused:
        merges.unmerge(merchant_id=world.merchant_id, card_id=uuid7(), reason="", at=world.at, channel="api")
    assert refused.value.code == "not_found"
    with tenancy.scope(world.merchant_id):
        assert queries.resolved(UUID(int=1)) is None


def test_the_address_of_a_merged_card_is_a_way_back_to_the_one_that_goes_on() -> None:
    world = World.make()
    lost, new = world.card(email="marie@example.com", name="Marie", birthday="03-21"), world.card(name="Marie K")

    def person(card: Card) -> tuple[object, ...]:
        with tenancy.scope(world.merchant_id):
            who = Customer.objects.get(pk=card.customer_id)
        return who.name, who.email, who.email_key, who.confirmed_at, who.birth_month

    def way_back() -> tuple[UUID, UUID] | None:
        with tenancy.scope(world.merchant_id):
            return recoveries.card_of("marie@example.com", "", world.program)

    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=lost.customer_id).update(confirmed_at=world.at)
    before = person(lost), person(new)
    join(world, lost, new)
    # What the one that goes on never told comes from the other; an address is proven on one record at a time.
    assert person(new) == ("Marie K", "marie@example.com", "marie@example.com", world.at, 3)
    assert person(lost)[3] is None
    assert way_back() == (new.pk, new.customer_id)
    part(world, lost)
    assert (person(lost), person(new)) == before
    assert way_back() == (lost.pk, lost.customer_id)


def test_what_the_person_changed_since_is_not_taken_back() -> None:
    world = World.make()
    lost, new = world.card(email="marie@example.com", phone="+352621123456"), world.card()
    join(world, lost, new)
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=new.customer_id).update(email="new@example.com", email_key="new@example.com")
    part(world, lost)
    with tenancy.scope(world.merchant_id):
        who = Customer.objects.get(pk=new.customer_id)
    assert (who.email, who.phone) == ("new@example.com", "")
