"""Customers: made from what was typed, confirmed once per address; consents as rows (rules 2 and 23)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import tenancy
from core.errors import ValidationFailed
from customers.models import Consent, Customer
from customers.queries import people
from customers.services import consents, customers
from tests.support.world import World

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
OFFERS = ("marketing", "email")


def person(world: World, **typed: str) -> Customer:
    contact = customers.read_contact(country="LU", today=TODAY, **typed)
    return customers.create(merchant_id=world.merchant_id, contact=contact, default_language="fr")


def test_it_works() -> None:
    world = World.make()

    made = person(world, name=" Marie  Klein ", email="Marie@Example.com", phone="621 123 456", birthday="02-29")

    assert (made.name, made.name_key) == ("Marie Klein", "marie klein")
    assert (made.email, made.email_key) == ("Marie@Example.com", "marie@example.com")
    assert (made.phone, made.phone_key) == ("+352621123456", "+352621123456")
    assert (made.birth_day, made.birth_month, made.birth_year) == (29, 2, None)
    assert made.language == "fr"
    assert made.confirmed_at is None


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", "x" * 81),
        ("email", "nonsense"),
        ("email", "a@b@example.com"),
        ("email", "marie@example.com\nBcc: all@example.com"),
        ("email", f"{'m' * 250}@example.com"),
        ("phone", "12"),
        ("birthday", "31-12"),
        ("language", "tlh"),
    ],
)
def test_names_the_field_that_cannot_be_read(field: str, typed: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        customers.read_contact(country="LU", today=TODAY, **{field: typed})

    assert list(refused.value.errors) == [field]


def test_names_every_field_at_once() -> None:
    with pytest.raises(ValidationFailed) as refused:
        customers.read_contact(country="LU", today=TODAY, email="x", phone="y", birthday="z")

    assert set(refused.value.errors) == {"email", "phone", "birthday"}


@pytest.mark.parametrize(("typed", "kept"), [("lu", "lb"), ("de-AT", "de"), ("FR", "fr"), ("", "")])
def test_reads_a_language(typed: str, kept: str) -> None:
    assert customers.read_contact(language=typed, country="LU", today=TODAY).language == kept


def test_writes_to_the_address_by_which_somebody_is_known() -> None:
    world = World.make()

    made = person(world, email="ｍarie@ｅxample.com")

    assert (made.email, made.email_key) == ("marie@example.com", "marie@example.com")


def test_rule_1_confirms_an_address_for_one_customer_only() -> None:
    world = World.make()
    first, second = person(world, email="marie@example.com"), person(world, email="MARIE@example.com")

    answers = [customers.confirm(merchant_id=world.merchant_id, customer_id=who.pk, at=NOW) for who in (first, second)]

    assert answers == [True, False]
    with tenancy.scope(world.merchant_id):
        assert people.confirmed_by_email("marie@example.com") == first
        assert Customer.objects.get(pk=second.pk).confirmed_at is None


def test_rule_2_the_same_person_at_two_merchants_is_two_records() -> None:
    one, other = World.make(), World.make()
    for world in (one, other):
        made = person(world, email="marie@example.com")
        assert customers.confirm(merchant_id=world.merchant_id, customer_id=made.pk, at=NOW)

    with tenancy.scope(one.merchant_id):
        assert Customer.objects.filter(email_key="marie@example.com").count() == 1


def consent_rows(world: World, customer: Customer) -> list[Any]:
    with tenancy.scope(world.merchant_id):
        return list(Consent.objects.filter(customer=customer).order_by("id"))


def record(world: World, customer: Customer, at: datetime, **decisions: bool) -> None:
    kinds = {tuple(name.split("_")): granted for name, granted in decisions.items()}
    consents.record(
        merchant_id=world.merchant_id, customer=customer, decisions=kinds, source="storefront", language="fr", at=at
    )  # fmt: skip


def test_rule_23_a_consent_is_a_row_with_its_evidence() -> None:
    world = World.make()
    marie = person(world, email="marie@example.com", phone="621 123 456")

    record(world, marie, NOW, marketing_email=True, marketing_sms=True)

    rows = consent_rows(world, marie)
    assert [(row.purpose, row.channel, row.granted, row.address) for row in rows] == [
        ("marketing", "email", True, "marie@example.com"),
        ("marketing", "sms", True, "+352621123456"),
    ]
    assert {(row.source, row.language, row.text_version, row.recorded_at) for row in rows} == {
        ("storefront", "fr", consents.TEXT_VERSION, NOW)
    }


def test_rule_23_the_newest_decision_counts_and_the_old_one_stays() -> None:
    world = World.make()
    marie = person(world, email="marie@example.com")
    record(world, marie, NOW, marketing_email=True)
    record(world, marie, NOW + timedelta(days=1), marketing_email=False)

    with tenancy.scope(world.merchant_id):
        counts = people.consents_of(marie.pk)

    assert [row.granted for row in counts] == [False]
    assert len(consent_rows(world, marie)) == 2


def test_rule_23_double_opt_in_adds_a_confirmed_row_once() -> None:
    world = World.make()
    marie = person(world, email="marie@example.com", phone="621 123 456")
    record(world, marie, NOW, marketing_email=True, marketing_sms=True)

    for _ in range(2):
        consents.confirm(merchant_id=world.merchant_id, customer=marie, of=marie.pk, at=NOW)

    rows = consent_rows(world, marie)
    assert [(row.channel, row.source, row.confirmed_at is not None) for row in rows] == [
        ("email", "storefront", False),
        ("sms", "storefront", False),
        ("email", "confirmation_link", True),
    ]


def test_rule_23_a_withdrawn_consent_is_not_confirmed() -> None:
    world = World.make()
    marie = person(world, email="marie@example.com")
    record(world, marie, NOW, marketing_email=True)
    record(world, marie, NOW + timedelta(minutes=1), marketing_email=False)

    consents.confirm(merchant_id=world.merchant_id, customer=marie, of=marie.pk, at=NOW + timedelta(minutes=2))

    assert [row.granted for row in consent_rows(world, marie)] == [True, False]


def test_rule_23_the_database_keeps_consents() -> None:
    world = World.make()
    marie = person(world, email="marie@example.com")
    record(world, marie, NOW, marketing_email=True)

    with pytest.raises(Exception, match="permission denied"), tenancy.scope(world.merchant_id):
        Consent.objects.filter(customer=marie).delete()

    assert len(consent_rows(world, marie)) == 1


@pytest.mark.parametrize(
    ("decisions", "field"),
    [({OFFERS: True}, "email"), ({("marketing", "sms"): True}, "phone"), ({OFFERS: False}, None)],
)
def test_asks_for_the_address_a_box_is_about(decisions: dict[tuple[str, str], bool], field: str | None) -> None:
    if field is None:
        consents.require_addresses(decisions, email="", phone="")
        return
    with pytest.raises(ValidationFailed) as refused:
        consents.require_addresses(decisions, email="", phone="")
    assert list(refused.value.errors) == [field]
