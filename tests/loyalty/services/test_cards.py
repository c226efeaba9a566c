"""Enrolment: customer, card and first ledger row in one transaction (rules 1, 2, 3, 5, 23)."""

import secrets
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import tenancy
from core.errors import NotFound, ValidationFailed
from core.idempotency import IdempotencyKeyReused
from core.models import OutboxEvent
from customers.models import Consent, Customer
from customers.services import customers
from customers.services import links as magic_links
from customers.services.links import LinkExpired
from loyalty.models import Card, Transaction, TransactionDetail
from loyalty.queries import access
from loyalty.services import cards, links
from loyalty.services.cards import Enrolled, EnrollmentClosed
from merchants.models import Merchant, MerchantSettings
from stores.models import Store
from tests.support.world import NOON, World

pytestmark = pytest.mark.django_db
OFFERS = ("marketing", "email")


def enroll(world: World, **how: Any) -> Enrolled:
    return cards.enroll(merchant_id=world.merchant_id, store_id=world.store.id, at=world.at, **how)


def counts(world: World) -> list[int]:
    with tenancy.scope(world.merchant_id):
        return [model.objects.count() for model in (Customer, Consent, Card, Transaction, TransactionDetail)]


def luhn(digits: str) -> int:
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in doubled) % 10


def test_it_works() -> None:
    world = World.make(stamps_target=8, stamps_reward_description="Free coffee")

    made = enroll(
        world, name="Marie Klein", email="Marie@example.com", phone="621 123 456", birthday="02-29", language="lu",
        consents={OFFERS: True, ("service", "email"): False}, ip="192.0.2.7", user_agent="Firefox",
    )  # fmt: skip

    card = world.assert_adds_up(made.card)
    assert len(card.card_number) == 12
    assert luhn(card.card_number) == 0
    assert card.card_number[0] != "0"
    assert len(card.qr_code_data) == 22
    assert (card.stamps_target, card.stamps_reward) == (8, "Free coffee")
    assert (card.enrolled_at, card.enrolled_store_id, card.seq) == (NOON, world.store.id, 1)
    (row,) = world.rows(card)
    assert (row.type, row.channel, row.stamps_delta, row.program_version) == ("card_enrolled", "storefront", 0, 1)
    with tenancy.scope(world.merchant_id):
        detail = TransactionDetail.objects.get(transaction=row)
        assert (detail.ip, detail.user_agent) == ("192.0.2.7", "Firefox")
        assert Customer.objects.get().language == "lb"
        assert [(row.purpose, row.granted) for row in Consent.objects.all()] == [("marketing", True)]


def test_publishes_what_mail_and_wallets_need() -> None:
    world = World.make()

    made = enroll(world, email="marie@example.com")

    with tenancy.scope(world.merchant_id):
        events = {row.topic: row.payload for row in OutboxEvent.objects.exclude(topic="program.changed")}
    assert set(events) == {"customers.enrolled", "card.changed"}
    assert events["customers.enrolled"] == {
        "card_id": str(made.card.id),
        "customer_id": str(made.card.customer_id),
        "pages": f"/loyalty/{world.store.code}",
    }
    assert events["card.changed"]["card_id"] == str(made.card.id)
    assert "marie" not in str(events)


def test_rule_2_needs_no_personal_data() -> None:
    world = World.make()

    made = enroll(world)

    with tenancy.scope(world.merchant_id):
        who = Customer.objects.get(pk=made.card.customer_id)
    assert (who.name, who.email, who.phone, who.birth_day, who.language) == ("", "", "", None, "fr")


def test_the_secret_is_derived_and_kept_as_a_hash() -> None:
    world = World.make()

    made = enroll(world)

    assert access.secret_of(world.fresh(made.card)) == made.access_secret
    assert access.card_of(made.access_secret) == (world.merchant_id, made.card.id)
    assert made.access_secret not in str(vars(made.card))
    assert access.card_of(made.card.qr_code_data) is None


def test_the_secret_survives_a_new_data_key(settings: Any) -> None:
    world = World.make()
    made = enroll(world)

    settings.LOYALTY_DATA_KEYS = ["bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE=", *settings.LOYALTY_DATA_KEYS]

    assert access.secret_of(world.fresh(made.card)) == made.access_secret
    assert access.secret_of(world.fresh(enroll(world).card)) != made.access_secret
    settings.LOYALTY_DATA_KEYS = settings.LOYALTY_DATA_KEYS[:1]
    with pytest.raises(LookupError):
        access.secret_of(world.fresh(made.card))


def test_rule_3_a_known_address_makes_the_same_rows_with_the_same_statements() -> None:
    world = World.make()
    first = enroll(world, email="marie@example.com")
    customers.confirm(merchant_id=world.merchant_id, customer_id=first.card.customer_id, at=world.at)
    enroll(world, email="warm-up@example.com")

    def shape(email: str) -> tuple[list[str], list[int]]:
        before = counts(world)
        with CaptureQueriesContext(connection) as queries:
            enroll(world, email=email, consents={OFFERS: True})
        words = [query["sql"].split("(")[0].split("FROM")[0][:40].split(' "s')[0] for query in queries]
        return words, [after - old for after, old in zip(counts(world), before, strict=True)]

    assert shape("marie@example.com") == shape("nobody@example.com")


def test_rule_23_staff_cannot_consent_for_the_customer() -> None:
    world = World.make()

    enroll(world, email="marie@example.com", source="staff", consents={OFFERS: True})

    assert counts(world)[1] == 0


def test_names_who_made_the_card() -> None:
    world = World.make()
    staff_id, _ = world.staff()

    by_key = enroll(world, source="staff", actor=cards.Actor.of(world.key, staff_id))
    by_till = enroll(world, source="staff", actor=cards.Actor.of(world.terminal()))

    (row,) = world.rows(by_key.card)
    assert (row.channel, row.api_key_id, row.staff_pin_id) == ("api", world.key.id, staff_id)
    (row,) = world.rows(by_till.card)
    assert (row.channel, row.api_key_id) == ("terminal", None)
    assert row.terminal_id is not None


@pytest.mark.parametrize("status", ["late", "suspended", "closed"])
def test_rule_5_a_merchant_late_or_suspended_takes_no_new_cards(status: str) -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        Merchant.objects.filter(pk=world.merchant_id).update(status=status)
    before = counts(world)

    for source in ("storefront", "staff"):
        with pytest.raises(EnrollmentClosed) as refused:
            enroll(world, source=source)
        assert refused.value.facts["reason"] == "merchant_suspended"

    assert counts(world) == before


@pytest.mark.parametrize("steps", [["paused"], ["paused", "ended"]])
def test_rule_4_a_paused_or_ended_program_takes_no_new_cards(steps: list[str]) -> None:
    world = World.make()
    for status in steps:
        world.change(status=status)

    with pytest.raises(EnrollmentClosed) as refused:
        enroll(world)

    assert refused.value.facts["reason"] == "program_not_active"
    assert counts(world)[2] == 0


def test_with_self_enrolment_off_only_staff_make_cards() -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        MerchantSettings.objects.update(allow_self_enrollment=False)

    with pytest.raises(EnrollmentClosed) as refused:
        enroll(world)
    enroll(world, source="staff")

    assert refused.value.facts["reason"] == "self_enrollment_off"
    assert counts(world)[2] == 1


def test_a_store_without_a_program_takes_no_cards() -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        world.program.__class__.objects.filter(pk=world.program.pk).update(is_default=False)
        bare = Store.objects.create(code=f"{world.store.code}-2", name="Kirchberg")

    with pytest.raises(EnrollmentClosed):
        cards.enroll(merchant_id=world.merchant_id, store_id=bare.id, at=world.at)


def test_a_closed_store_is_not_there() -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        Store.objects.update(closed_at=world.at)

    with pytest.raises(NotFound):
        enroll(world)


def test_another_merchants_store_is_not_there_and_nothing_changes() -> None:
    world, other = World.make(), World.make()

    with pytest.raises(NotFound):
        cards.enroll(merchant_id=world.merchant_id, store_id=other.store.id, at=world.at)

    assert counts(world) == counts(other) == [0, 0, 0, 0, 0]


def test_bad_input_leaves_nothing() -> None:
    world = World.make()

    with pytest.raises(ValidationFailed) as refused:
        enroll(world, email="nonsense", phone="12", birthday="x")
    with pytest.raises(ValidationFailed):
        enroll(world, consents={OFFERS: True})

    assert set(refused.value.errors) == {"email", "phone", "birthday"}
    assert counts(world) == [0, 0, 0, 0, 0]


def test_bad_input_is_named_before_a_closed_door() -> None:
    world = World.make()
    world.change(status="paused")

    with pytest.raises(ValidationFailed):
        enroll(world, email="nonsense")


def test_a_proxys_nonsense_is_no_address() -> None:
    world = World.make()

    made = enroll(world, ip="unknown, 10.0.0.1", user_agent="x" * 500)

    with tenancy.scope(world.merchant_id):
        detail = TransactionDetail.objects.get(transaction__card=made.card)
    assert detail.ip is None
    assert len(detail.user_agent) == 200


def test_the_ledger_knows_a_key_for_ever() -> None:
    world = World.make()
    enroll(world, idempotency_key="order-1")
    before = counts(world)

    with pytest.raises(IdempotencyKeyReused):
        enroll(world, idempotency_key="order-1")

    assert counts(world) == before


def test_two_merchants_may_use_the_same_key() -> None:
    one, other = World.make(), World.make()

    enroll(one, idempotency_key="order-1")
    enroll(other, idempotency_key="order-1")


def test_draws_a_number_again_that_another_card_has(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World.make()
    taken = enroll(world).card.card_number
    drawn = iter([int(taken[:-1]) - 10**10] * 2 + [0])
    monkeypatch.setattr(secrets, "randbelow", lambda _below: next(drawn))

    assert enroll(world).card.card_number == "100000000008"


def test_counts_on_the_stores_business_day() -> None:
    world = World.make(at=datetime(2026, 3, 10, 2, 30, tzinfo=UTC), day_start="04:00")

    card = enroll(world).card

    assert str(card.last_activity_on) == "2026-03-09"


def used(world: World, card: Card, purpose: str = "confirm") -> Card:
    now = timezone.now()
    with tenancy.scope(world.merchant_id):
        customer = Customer.objects.get(pk=card.customer_id)
    token = magic_links.issue(
        merchant_id=world.merchant_id, customer=customer, card_id=card.id,
        purpose=magic_links.LinkPurpose(purpose), at=now,
    )  # fmt: skip
    assert token is not None
    merchant_id, link_id = magic_links.find(token)
    return links.use(merchant_id=merchant_id, link_id=link_id, at=now)


def test_a_link_confirms_the_address_and_what_waited_for_it() -> None:
    world = World.make()
    card = enroll(world, email="marie@example.com", consents={OFFERS: True}).card

    assert used(world, card) == card

    with tenancy.scope(world.merchant_id):
        assert Customer.objects.get(pk=card.customer_id).confirmed_at is not None
        assert [row.confirmed_at is not None for row in Consent.objects.order_by("id")] == [False, True]


def test_rule_1_a_known_address_opens_the_card_that_is_there() -> None:
    world = World.make()
    old = enroll(world, email="marie@example.com").card
    used(world, old)
    world.stamp(old, 3)
    new = enroll(world, email="MARIE@example.com", consents={OFFERS: True}).card

    assert used(world, new, "recover") == old

    with tenancy.scope(world.merchant_id):
        assert Customer.objects.get(pk=new.customer_id).confirmed_at is None
        assert not Consent.objects.filter(customer_id=old.customer_id).exists(), "who opens a card agrees to nothing"
    world.assert_adds_up(old)
    world.assert_adds_up(new)


def test_rule_1_a_known_customer_without_a_card_here_gets_the_new_one() -> None:
    world = World.make()
    old = enroll(world, email="marie@example.com").card
    used(world, old)
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=old.pk).update(status="closed")
    new = enroll(world, email="marie@example.com").card

    assert used(world, new) == new

    assert world.fresh(new).customer_id == old.customer_id


def test_a_link_opens_no_card_of_another_customer() -> None:
    world = World.make()
    mine = enroll(world, email="marie@example.com").card
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=mine.pk).update(status="closed")
    foreign = enroll(world, email="lea@example.com").card
    mine.id = foreign.id

    with pytest.raises(LinkExpired):
        used(world, mine)


def recovered(world: World, email: str) -> dict[str, Any]:
    links.recover(merchant_id=world.merchant_id, store_id=world.store.id, email=email)
    with tenancy.scope(world.merchant_id):
        return dict(OutboxEvent.objects.filter(topic="customers.recover_requested").latest("id").payload)


def test_the_way_back_finds_the_proven_customers_card_first() -> None:
    world = World.make()
    proven = enroll(world, email="marie@example.com").card
    used(world, proven)
    enroll(world, email="marie@example.com")

    assert recovered(world, "Marie@example.com")["card_id"] == str(proven.id)


def test_the_way_back_takes_an_address_that_waits_for_its_confirmation() -> None:
    world = World.make()
    card = enroll(world, email="marie@example.com").card

    assert recovered(world, "marie@example.com")["card_id"] == str(card.id)


def test_rule_3_the_way_back_does_the_same_for_an_unknown_address() -> None:
    world, other = World.make(), World.make()
    enroll(other, email="marie@example.com")

    known, unknown = recovered(other, "marie@example.com"), recovered(world, "marie@example.com")

    assert {name: len(text) for name, text in known.items()} == {name: len(text) for name, text in unknown.items()}
    with tenancy.scope(world.merchant_id):
        assert not Card.objects.filter(pk=unknown["card_id"]).exists(), "an unknown address names nobody"
        assert not Customer.objects.filter(pk=unknown["customer_id"]).exists()
