"""What an administrator does about a pass: it is told anew or queued again, and who did it and why stays written."""

from uuid import uuid4

import pytest

from core import tenancy
from core.errors import NotFound, ValidationFailed
from core.models import AuditEntry, OutboxEvent
from loyalty.enums import CardStatus
from loyalty.models import Card
from tests.fakes.google import FakeGoogle
from tests.support.world import World
from tests.wallets.repair import state
from wallets.enums import Priority
from wallets.models import ApplePass, GoogleClass, GooglePass
from wallets.services import google_push, passes, resync


def again(world: World, card: Card, reason: str = "looked wrong") -> None:
    resync.card(
        merchant_id=world.merchant_id, card_id=card.pk, reason=reason, actor_id=world.owner.pk, at=world.at
    )  # fmt: skip


def audited(world: World) -> list[tuple[str, str, str]]:
    with tenancy.scope(world.merchant_id):
        rows = AuditEntry.objects.filter(action__startswith="wallet")
        return [(row.action, row.target, row.reason) for row in rows.order_by("pk")]


def topics(world: World) -> set[str]:
    with tenancy.scope(world.merchant_id):
        return set(OutboxEvent.objects.filter(topic__startswith="wallets.").values_list("topic", flat=True))


def test_both_wallets_are_told_anew_before_what_is_less_urgent(apple: None, google: FakeGoogle, world: World) -> None:
    card = world.card()
    state.apple(world, card, requested_version=4, pushed_version=4, fetched_version=4)
    state.google(world, card, requested_version=2, accepted_version=2, accepted={"state": "ACTIVE"})

    again(world, card)

    for provider in ("apple", "google"):
        row = state.row_of(world, card, provider)
        assert (row.state, row.priority) == ("queued", Priority.REDEEM)
    assert topics(world) == {"wallets.apple_queued", "wallets.google_queued"}
    assert audited(world) == [("wallets_resynced", f"card {card.pk}", "looked wrong")]
    with tenancy.scope(world.merchant_id):
        assert ApplePass.objects.get(card_id=card.pk).requested_version == 5


def test_google_is_sent_everything_and_nobody_is_told_of_a_reward_twice(google: FakeGoogle, world: World) -> None:
    card = world.card(name="Marie")
    world.stamp(card, 10)
    again(world, card)
    google_push.drain(at=world.at)
    name = state.google(world, card).object_id
    google.shelf.kept["loyaltyObject"][name] |= {"state": "EXPIRED", "accountName": "Somebody"}
    google.shelf.kept["loyaltyObject"][name].pop("loyaltyPoints")

    again(world, card)
    google_push.drain(at=world.at)

    held = google.shelf.get("loyaltyObject", name)
    assert (held["state"], held["accountName"]) == ("ACTIVE", "Marie")
    assert "loyaltyPoints" in held
    assert state.google(world, card).notified_at == []


def test_a_card_without_passes_gets_an_object_and_no_pass(apple: None, google: FakeGoogle, world: World) -> None:
    card, over = world.card(), world.card()
    with tenancy.scope(world.merchant_id):
        Card.objects.filter(pk=over.pk).update(status=CardStatus.CLOSED)

    again(world, card)
    again(world, over)

    assert state.queued(world, "google") == {card.pk}
    with tenancy.scope(world.merchant_id):
        assert not ApplePass.objects.exists()
        assert not GooglePass.objects.filter(card_id=over.pk).exists()


def test_it_needs_a_reason_that_names_nobody_and_a_card_of_the_merchant(google: FakeGoogle, world: World) -> None:
    card, other = world.card(name="Marie Muller"), World.make()

    for reason in ("", "x", "marie@example.com", "Muller called"):
        with pytest.raises(ValidationFailed):
            again(world, card, reason)
    with pytest.raises(NotFound):
        resync.card(
            merchant_id=other.merchant_id, card_id=card.pk, reason="looked wrong", actor_id=world.owner.pk, at=world.at
        )

    assert state.queued(world, "google") == set()
    assert audited(world) == []


def test_failed_updates_are_queued_with_fresh_tries_and_others_left_alone(google: FakeGoogle, world: World) -> None:
    failed, sent = world.card(), world.card()
    bad = state.update(world, failed, "google", "failed", world.at, attempts=9, last_error="400: no")
    good = state.update(world, sent, "google", "sent", world.at)

    asked = {"reason": "mended it", "actor_id": world.owner.pk, "at": world.tick(hours=1)}
    assert resync.requeue(ids=[bad.pk, good.pk, uuid4()], **asked) == 1
    assert resync.requeue(ids=[bad.pk], **asked) == 0

    row = state.row_of(world, failed, "google")
    assert (row.state, row.attempts, row.due_at, row.queued_at) == ("queued", 0, world.at, world.at)
    assert state.row_of(world, sent, "google").state == "sent"
    assert audited(world) == [("wallet_update_requeued", f"passupdate {bad.pk}", "mended it")]
    assert topics(world) == {"wallets.google_queued"}


def test_failed_classes_are_queued_again(google: FakeGoogle, world: World) -> None:
    with tenancy.scope(world.merchant_id):
        row = passes.google_class(world.program.pk, world.at)
        GoogleClass.objects.filter(pk=row.pk).update(state="failed", settled_at=world.at, attempts=3)

    assert resync.requeue_classes(ids=[row.pk], reason="mended it", actor_id=world.owner.pk, at=world.at) == 1

    with tenancy.scope(world.merchant_id):
        row.refresh_from_db()
    assert (row.state, row.attempts) == ("queued", 0)
