"""Erasing against everything that goes on at the same moment: real threads, real commits (rule 24)."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from core import tenancy
from core.errors import DomainError
from core.models import AuditEntry
from customers.models import Customer, MagicLink, Mail
from customers.services import erasure, mailbox
from customers.services import links as magic_links
from loyalty.models import Card, TransactionDetail
from loyalty.queries import verification
from loyalty.services import cards, links, profiles
from loyalty.services import erasure as of_cards
from tests.customers.test_mailbox import NOON, marie, queue
from tests.loyalty.services.test_links import token
from tests.loyalty.services.test_merge_races import in_turns, join
from tests.loyalty.services.test_races import race
from tests.loyalty.views.test_privacy import Visitor
from tests.support.smtp import MailServer
from tests.support.world import World

MARIE = {"name": "Marie", "email": "marie@example.com", "phone": "621 123 456"}


def erase(world: World, card: Card) -> dict[str, Any]:
    of_cards.erase_holder(merchant_id=world.merchant_id, card_id=card.pk, at=timezone.now())
    return {}


def assert_gone(world: World, card: Card) -> None:
    """Whatever came first: nothing personal is left, and the books are right."""
    with tenancy.scope(world.merchant_id):
        found = Card.objects.select_related("customer").get(pk=card.pk)
        who = found.customer
        assert who.erased_at is not None
        assert (who.name, who.email, who.pending_email, who.phone, who.confirmed_at) == ("", "", "", "", None)
        assert found.status in ("closed", "merged")
        assert not TransactionDetail.objects.filter(transaction__card=card).exists()
        assert not MagicLink.objects.filter(customer=who).exists()
    assert verification.verify().differences == ()


def test_many_at_once_erase_once(real_db: Any) -> None:
    world = World.make()
    card = world.card(**MARIE)

    seen = race(lambda: erase(world, card), 8)

    assert seen["done"] >= 1
    assert set(seen) <= {"done", "card_busy"}
    assert_gone(world, card)
    with tenancy.scope(world.merchant_id):
        assert AuditEntry.objects.filter(action="customer_erased").count() == 1


def test_a_stamp_is_on_the_books_or_refused(real_db: Any) -> None:
    world = World.make(stamps_target=50)
    card = world.card(**MARIE)

    seen = race(in_turns(lambda: erase(world, card), *[lambda: world.stamp(card)] * 7), 16)

    assert set(seen) <= {"done", "card_busy", "card_not_active"}
    while erase_again(world, card):
        pass
    world.assert_adds_up(card)
    assert_gone(world, card)


def erase_again(world: World, card: Card) -> bool:
    """Erase, where the race was lost to others that held the card; True while it has to be tried again."""
    with tenancy.scope(world.merchant_id):
        if Customer.objects.get(pk=card.customer_id).erased_at is not None:
            return False
    erase(world, card)
    return True


def test_a_changed_profile_does_not_come_back(real_db: Any) -> None:
    world = World.make()
    card = world.card(**MARIE)

    def change() -> dict[str, Any]:
        profiles.change(
            merchant_id=world.merchant_id, card_id=card.pk, changes={"name": "Maria", "email": "new@example.com"},
            at=timezone.now(),
        )  # fmt: skip
        return {}

    seen = race(in_turns(lambda: erase(world, card), *[change] * 7), 16)

    assert set(seen) <= {"done", "card_busy", "not_found"}
    assert_gone(world, card)


def test_somebody_who_joins_at_that_moment_is_somebody_new(real_db: Any) -> None:
    world = World.make()
    card = world.card(**MARIE)

    def enrol() -> dict[str, Any]:
        cards.enroll(merchant_id=world.merchant_id, store_id=world.store.pk, at=world.at, **MARIE)
        return {}

    seen = race(in_turns(lambda: erase(world, card), *[enrol] * 3), 8)

    assert seen["done"] == 8
    assert_gone(world, card)
    with tenancy.scope(world.merchant_id):
        assert Customer.objects.filter(erased_at__isnull=True).count() == 6


def test_a_link_that_is_tapped_brings_nobody_back(real_db: Any) -> None:
    world = World.make()
    card = world.card(**MARIE)
    sent = token(world, card)
    _merchant, link_id = magic_links.find(sent)

    def tap() -> dict[str, Any]:
        links.use(merchant_id=world.merchant_id, link_id=link_id, at=world.at)
        return {}

    seen = race(in_turns(lambda: erase(world, card), tap), 6)

    assert set(seen) <= {"done", "card_busy", "link_expired"}
    while erase_again(world, card):
        pass
    assert_gone(world, card)


def test_a_merge_at_that_moment_leaves_no_half(real_db: Any) -> None:
    world = World.make()
    lost, card = world.card(**MARIE), world.card(name="Marie")

    seen = race(in_turns(lambda: erase(world, card), lambda: join(world, lost, card)), 4)

    assert set(seen) <= {"done", "card_busy", "card_not_active"}
    while erase_again(world, card):
        pass
    assert_gone(world, card)
    with tenancy.scope(world.merchant_id):
        merged = Card.objects.get(pk=lost.pk).status == "merged"
    if merged:
        assert_gone(world, lost)


def test_a_mail_in_flight_is_sent_before_or_never(real_db: Any, settings: Any) -> None:
    world = World.make()
    who = marie(world)
    for number in range(12):
        queue(world, who, f"link-{number}", kind="recover")
    barrier = threading.Barrier(4)
    errors: list[Exception] = []

    def work() -> None:
        barrier.wait()
        try:
            while batch := mailbox.claim(at=NOON, size=2):
                for claimed in batch:
                    mailbox.deliver(claimed, at=NOON)
        except Exception as error:  # noqa: BLE001 - told to the test, whatever it is
            errors.append(error)
        finally:
            connection.close()

    with MailServer() as server:
        server.use(settings)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        barrier.wait()
        erasure.erase(merchant_id=world.merchant_id, customer_id=who.pk, at=NOON)
        for thread in threads:
            thread.join()

    assert errors == []
    with tenancy.scope(world.merchant_id):
        assert set(Mail.objects.values_list("state", flat=True)) <= {"sent", "dropped"}
        assert not MagicLink.objects.exists()


def test_a_busy_card_says_so_and_erases_nothing(real_db: Any) -> None:
    visitor = Visitor(name="Marie")
    with real_db.connect_as_superuser() as other:
        other.execute("SELECT 1 FROM loyalty_card WHERE id = %s FOR UPDATE", [visitor.card.pk])
        answer = visitor.post("privacy/erase", confirm="yes")

    assert answer.status_code == 409
    assert "being used" in answer.content.decode()
    assert visitor.customer.name == "Marie"
    assert visitor.world.fresh(visitor.card).status == "active"


def test_a_record_that_somebody_else_holds_is_waited_for_two_seconds_at_most(real_db: Any) -> None:
    world = World.make()
    card = world.card(**MARIE)
    with real_db.connect_as_superuser() as other:
        other.execute("SELECT 1 FROM customers_customer WHERE id = %s FOR UPDATE", [card.customer_id])
        with pytest.raises(DomainError) as refused:
            erase(world, card)

    assert (refused.value.code, refused.value.status, refused.value.retry_after) == ("card_busy", 409, 1)
    erase(world, card)
    assert_gone(world, card)
