"""Consents: what counts now, what a merge keeps, one click out (rules 23 and 25)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.signing import Signer

from core import tenancy
from core.errors import NotFound, ValidationFailed
from core.ids import uuid7
from customers.models import Consent, Customer
from customers.queries import people
from customers.services import addresses, consents, customers, unsubscribes
from merchants.models import MerchantSettings
from tests.support.world import World

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
NEWS, OFFERS, SMS = ("service", "email"), ("marketing", "email"), ("marketing", "sms")
pytestmark = pytest.mark.django_db


def person(world: World, email: str = "marie@example.com", *, confirmed: datetime | None = None) -> Customer:
    contact = customers.read_contact(country="LU", email=email, phone="621 123 456")
    made = customers.create(merchant_id=world.merchant_id, contact=contact, default_language="fr")
    if confirmed:
        customers.confirm(merchant_id=world.merchant_id, customer_id=made.pk, at=confirmed)
    return made


def decide(
    world: World, who: Customer, kind: tuple[str, str] = NEWS, *, granted: bool = True, at: datetime = NOON
) -> Consent:
    return consents.decide(
        merchant_id=world.merchant_id, customer_id=who.pk, purpose=kind[0], channel=kind[1], granted=granted,
        source="profile", language="fr", at=at,
    )  # fmt: skip


def allowed(world: World, who: Customer, kind: tuple[str, str] = NEWS) -> bool:
    with tenancy.scope(world.merchant_id):
        return consents.allowed(who.pk, *kind)


def count(world: World) -> int:
    with tenancy.scope(world.merchant_id):
        return Consent.objects.count()


def now(world: World, who: Customer) -> dict[tuple[str, str], tuple[bool, str]]:
    with tenancy.scope(world.merchant_id):
        return {(row.purpose, row.channel): (row.granted, row.source) for row in people.consents_of(who.pk)}


def test_it_works() -> None:
    world = World.make()
    who = person(world, confirmed=NOON - timedelta(days=1))

    row = decide(world, who)

    assert allowed(world, who)
    assert not allowed(world, who, OFFERS), "one purpose says nothing about another"
    assert (row.granted, row.address, row.text_version) == (True, "marie@example.com", consents.TEXT_VERSION)
    assert (row.language, row.source, row.recorded_at, row.confirmed_at) == ("fr", "profile", NOON, NOON)


def test_the_newest_word_counts() -> None:
    world = World.make()
    who = person(world, confirmed=NOON)
    decide(world, who)
    decide(world, who, granted=False, at=LATER)

    assert not allowed(world, who)
    assert count(world) == 2


def test_double_opt_in_waits_for_the_address() -> None:
    world = World.make()
    who = person(world)
    decide(world, who)
    before = allowed(world, who)
    addresses.prove(merchant_id=world.merchant_id, customer_id=who.pk, address="marie@example.com", at=LATER)

    assert (before, allowed(world, who)) == (False, False), "who only opened a card agreed to nothing"
    with tenancy.scope(world.merchant_id):
        proven = Customer.objects.get(pk=who.pk)
    consents.confirm(merchant_id=world.merchant_id, customer=proven, of=who.pk, at=LATER)
    assert allowed(world, who)


def test_a_merchant_without_double_opt_in_takes_the_first_yes() -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(double_opt_in=False)
    who = person(world)
    decide(world, who)

    assert allowed(world, who)


def test_a_consent_is_about_the_address_it_names() -> None:
    world = World.make()
    who = person(world, confirmed=NOON)
    decide(world, who)
    decide(world, who, SMS)
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=who.pk).update(
            email="x@example.com", email_key="x@example.com", phone="+352621000000"
        )

    assert not allowed(world, who)
    assert not allowed(world, who, SMS)


def test_a_proven_change_of_address_takes_the_consent_along() -> None:
    world = World.make()
    who = person(world, confirmed=NOON)
    decide(world, who)
    decide(world, who, OFFERS, granted=False)
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=who.pk).update(pending_email="new@example.com")
    addresses.prove(merchant_id=world.merchant_id, customer_id=who.pk, address="new@example.com", at=LATER)

    assert allowed(world, who)
    assert now(world, who) == {NEWS: (True, "address_changed"), OFFERS: (False, "profile")}


def test_an_erased_customer_agrees_to_nothing() -> None:
    world = World.make()
    who = person(world, confirmed=NOON)
    decide(world, who)
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=who.pk).update(erased_at=LATER)

    assert not allowed(world, who)


@pytest.mark.parametrize("kind", [OFFERS, SMS])
def test_a_yes_needs_an_address_and_a_no_needs_none(kind: tuple[str, str]) -> None:
    world = World.make()
    made = customers.create(
        merchant_id=world.merchant_id, contact=customers.Contact(), default_language="fr"
    )  # fmt: skip

    with pytest.raises(ValidationFailed):
        decide(world, made, kind)

    assert decide(world, made, kind, granted=False).address == ""


@pytest.mark.parametrize(
    ("mine", "others", "kept"),
    [(True, False, False), (True, None, True), (True, True, True), (False, True, False), (None, True, None),
     (None, False, None)],
)  # fmt: skip
def test_rule_25_a_merge_keeps_the_most_restrictive(mine: bool | None, others: bool | None, kept: bool | None) -> None:
    world = World.make()
    into, other = person(world, confirmed=NOON), person(world)
    for who, granted in ((into, mine), (other, others)):
        if granted is not None:
            decide(world, who, granted=granted)

    written = consents.most_restrictive(merchant_id=world.merchant_id, into=into.pk, other=other.pk, at=LATER)

    assert now(world, into).get(NEWS, (None, ""))[0] is kept
    assert bool(written) is (mine is True and others is False)
    consents.restore(merchant_id=world.merchant_id, written=written, at=LATER + timedelta(days=1))
    assert now(world, into).get(NEWS, (None, ""))[0] is mine
    assert allowed(world, into) is (mine is True)


def test_rule_25_a_merge_leaves_other_channels_alone() -> None:
    world = World.make()
    into, other = person(world, confirmed=NOON), person(world)
    for kind in (NEWS, OFFERS, SMS):
        decide(world, into, kind)
    decide(world, other, OFFERS, granted=False)

    consents.most_restrictive(merchant_id=world.merchant_id, into=into.pk, other=other.pk, at=LATER)

    assert {kind: granted for kind, (granted, _source) in now(world, into).items()} == {
        NEWS: True, OFFERS: False, SMS: True,
    }  # fmt: skip


def test_rule_25_what_was_decided_since_is_not_taken_back() -> None:
    world = World.make()
    into, other = person(world, confirmed=NOON), person(world)
    decide(world, into)
    decide(world, other, granted=False)
    written = consents.most_restrictive(merchant_id=world.merchant_id, into=into.pk, other=other.pk, at=LATER)
    decide(world, into, granted=False, at=LATER + timedelta(minutes=1))

    assert consents.restore(merchant_id=world.merchant_id, written=written, at=LATER + timedelta(days=1)) == []
    assert now(world, into)[NEWS] == (False, "profile")


def link_of(world: World, who: Customer, kind: tuple[str, str] = NEWS) -> unsubscribes.Subscription:
    return unsubscribes.read(unsubscribes.token(unsubscribes.Subscription(world.merchant_id, who.pk, *kind)))


def test_one_click_out_is_at_once_and_twice_is_as_good() -> None:
    world = World.make()
    who = person(world, confirmed=NOON)
    decide(world, who)
    decide(world, who, OFFERS)

    for _ in range(2):
        unsubscribes.unsubscribe(link_of(world, who), at=LATER)

    assert now(world, who) == {NEWS: (False, "unsubscribe"), OFFERS: (True, "profile")}
    assert count(world) == 3


def test_one_click_out_reaches_the_record_that_goes_on() -> None:
    world = World.make()
    old, new = person(world, confirmed=NOON), person(world, "other@example.com")
    decide(world, old)
    with tenancy.scope(world.merchant_id):
        Customer.objects.filter(pk=new.pk).update(merged_into=old)

    unsubscribes.unsubscribe(link_of(world, new), at=LATER)

    assert not allowed(world, old)


def test_undo_brings_back_what_was_and_no_more() -> None:
    world = World.make()
    who, never = person(world, confirmed=NOON), person(world, "never@example.com", confirmed=NOON)
    decide(world, who)
    for one in (who, never):
        unsubscribes.unsubscribe(link_of(world, one), at=LATER)
        unsubscribes.undo(link_of(world, one), at=LATER + timedelta(minutes=1))

    assert allowed(world, who)
    assert now(world, who)[NEWS] == (True, "unsubscribe_undone")
    assert not allowed(world, never), "an undo is no consent"


def test_undo_does_not_outlive_another_decision() -> None:
    world = World.make()
    who = person(world, confirmed=NOON)
    decide(world, who)
    unsubscribes.unsubscribe(link_of(world, who), at=LATER)
    decide(world, who, granted=False, at=LATER + timedelta(minutes=1))

    unsubscribes.undo(link_of(world, who), at=LATER + timedelta(minutes=2))

    assert now(world, who)[NEWS] == (False, "profile")


def test_a_token_outlives_a_change_of_the_data_key(settings: Any) -> None:
    world = World.make()
    signed = unsubscribes.token(link_of(world, person(world)))
    settings.LOYALTY_DATA_KEYS = ["a-new-key-of-thirty-two-characters", *settings.LOYALTY_DATA_KEYS]

    assert unsubscribes.read(signed).purpose == "service"


@pytest.mark.parametrize("bad", ["", "x", "a:b", "x" * 5000, "\x00", "é:ü", "W10:abc"])
def test_a_token_that_we_did_not_sign_is_none(bad: str) -> None:
    with pytest.raises(NotFound):
        unsubscribes.read(bad)


@pytest.mark.parametrize("words", [[], ["x"], [uuid7().hex, uuid7().hex, "service", "fax"], {"a": 1}, 5])
def test_a_signed_token_of_another_shape_is_none(words: Any, settings: Any) -> None:
    signed = Signer(key=settings.LOYALTY_DATA_KEYS[0], salt=unsubscribes.SALT).sign_object(words)

    with pytest.raises(NotFound):
        unsubscribes.read(signed)
