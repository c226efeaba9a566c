"""Links: they prove the address they were sent to, make two cards one, and lock a lost phone out (rules 1, 3, 25)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core import tenancy
from core.models import OutboxEvent
from customers.models import Customer
from customers.services import links as magic_links
from customers.services.links import LinkExpired
from loyalty.models import Card, CardMerge
from loyalty.queries import access
from loyalty.services import links, lockouts, profiles
from tests.support.world import World

pytestmark = pytest.mark.django_db
MARIE = "marie@example.com"


def token(world: World, card: Card, purpose: str = "confirm", address: str | None = None) -> str:
    with tenancy.scope(world.merchant_id):
        made = magic_links.issue(
            merchant_id=world.merchant_id, customer=Customer.objects.get(pk=card.customer_id), card_id=card.pk,
            purpose=magic_links.LinkPurpose(purpose), at=timezone.now(), address=address,
        )  # fmt: skip
    assert made is not None
    return made


def click(text: str, **how: bool) -> Card:
    merchant_id, link_id = magic_links.find(text)
    return links.use(merchant_id=merchant_id, link_id=link_id, at=timezone.now(), **how)


def proven(world: World, email: str = MARIE) -> Card:
    card = world.card(email=email)
    click(token(world, card))
    return card


def person(world: World, card: Card) -> Customer:
    with tenancy.scope(world.merchant_id):
        return Customer.objects.get(pk=card.customer_id)


def change(world: World, card: Card, **changes: str | None) -> None:
    profiles.change(merchant_id=world.merchant_id, card_id=card.pk, changes=changes, at=timezone.now())


def test_rule_3_a_card_made_with_a_known_address_is_merged_into_the_old_one() -> None:
    world = World.make()
    old = proven(world)
    world.stamp(old, 4)
    new = world.card(email="MARIE@example.com")
    world.stamp(new, 2)

    assert click(token(world, new, "recover")) == old

    assert world.assert_adds_up(old).stamp_count == 6
    gone = world.assert_adds_up(new)
    assert (gone.status, gone.stamp_count, gone.merged_into_id) == ("merged", 0, old.pk)
    assert access.card_of(access.secret_of(gone)) == (world.merchant_id, old.pk), "the new phone goes on working"
    with tenancy.scope(world.merchant_id):
        assert CardMerge.objects.get().reason == "address confirmed"
        assert person(world, new).merged_into_id == old.customer_id


def test_the_owner_of_an_address_may_leave_a_strangers_card_apart() -> None:
    world = World.make()
    old, strangers = proven(world), world.card(email=MARIE)

    assert click(token(world, strangers, "recover"), join=False) == old

    assert world.fresh(strangers).status == "active"
    assert access.card_of(access.secret_of(strangers)) == (world.merchant_id, strangers.pk)


def test_a_frozen_card_is_not_merged_and_opens_all_the_same() -> None:
    world = World.make()
    old, new = proven(world), world.card(email=MARIE)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=old.pk).update(status="frozen")

    assert click(token(world, new, "recover")) == old
    assert world.fresh(new).status == "active"


def test_a_link_proves_the_address_it_was_sent_to_not_what_was_typed_since() -> None:
    world = World.make()
    card = world.card(email=MARIE)
    sent = token(world, card)
    change(world, card, email="other@example.com")

    with pytest.raises(LinkExpired):
        click(sent)

    assert person(world, card).confirmed_at is None


def test_a_proven_address_counts_until_the_new_one_is_proven() -> None:
    world = World.make()
    card = proven(world)
    change(world, card, email="new@example.com")
    waiting = person(world, card)
    back = click(token(world, card, "recover"))
    click(token(world, card, address="new@example.com"))

    after = person(world, card)
    assert (waiting.email, waiting.pending_email) == (MARIE, "new@example.com")
    assert back == card
    assert (after.email, after.email_key, after.pending_email) == ("new@example.com", "new@example.com", "")


def test_a_link_to_the_former_address_opens_nothing_any_more() -> None:
    world = World.make()
    card = proven(world)
    old_mailbox = token(world, card, "recover")
    change(world, card, email="new@example.com")
    click(token(world, card, address="new@example.com"))

    with pytest.raises(LinkExpired):
        click(old_mailbox)


def test_a_new_address_that_another_customer_proved_makes_the_two_one() -> None:
    world = World.make()
    old, mine = proven(world), proven(world, "mine@example.com")
    world.stamp(mine, 3)
    change(world, mine, email=MARIE)

    assert click(token(world, mine, address=MARIE)) == old

    assert world.assert_adds_up(old).stamp_count == 3
    world.assert_adds_up(mine)
    assert person(world, mine).pending_email == ""
    assert recovered(world, email="mine@example.com")["card_id"] == str(old.pk), "the former address leads there, too"


def recovered(world: World, **by: str) -> dict[str, Any]:
    links.recover(merchant_id=world.merchant_id, store_id=world.store.pk, **by)
    with tenancy.scope(world.merchant_id):
        payload: dict[str, Any] = OutboxEvent.objects.filter(topic="customers.recover_requested").latest("id").payload
        return payload


def test_the_way_back_by_number_goes_to_a_proven_address_only() -> None:
    world = World.make()
    unproven = world.card(email="x@example.com", phone="621 123 456")
    nobody = recovered(world, phone="+352 621 123 456")
    click(token(world, unproven))

    assert nobody["card_id"] != str(unproven.pk)
    assert recovered(world, phone="00352621123456")["card_id"] == str(unproven.pk)


def test_a_lost_phone_is_locked_out_on_demand_only() -> None:
    world = World.make()
    card = proven(world)
    lost = access.secret_of(card)

    both = click(token(world, card, "recover"))
    assert access.secret_of(both) == lost, "both phones open the card"
    alone = click(token(world, card, "recover"), lock_out=True)

    assert access.card_of(lost) is None
    assert access.card_of(access.secret_of(alone)) == (world.merchant_id, card.pk)
    assert alone.access_version == 2


def test_locking_out_reaches_the_secrets_of_merged_cards() -> None:
    world = World.make()
    old, new = proven(world), world.card(email=MARIE)
    merged = access.secret_of(new)
    click(token(world, new, "recover"))
    before = access.card_of(merged)

    lockouts.lock_out(merchant_id=world.merchant_id, card_id=old.pk, at=timezone.now())

    assert before == (world.merchant_id, old.pk)
    assert access.card_of(merged) is None


def test_nobody_locks_another_merchants_card() -> None:
    world, other = World.make(), World.make()
    card = other.card()

    lockouts.lock_out(merchant_id=world.merchant_id, card_id=card.pk, at=timezone.now())

    assert other.fresh(card).access_version == 1


def test_an_old_link_leads_to_the_card_that_goes_on() -> None:
    world = World.make()
    old, new = proven(world), world.card(email=MARIE)
    first, second = token(world, new, "recover"), token(world, new, "recover")
    click(first)

    assert click(second) == old


@pytest.mark.parametrize("later", [timedelta(days=4)])
def test_a_link_that_is_too_old_proves_nothing(later: timedelta) -> None:
    world = World.make()
    card = world.card(email=MARIE)
    merchant_id, link_id = magic_links.find(token(world, card))

    with pytest.raises(LinkExpired):
        links.use(merchant_id=merchant_id, link_id=link_id, at=timezone.now() + later)

    assert person(world, card).confirmed_at is None
