"""The queue where changes, registrations, workers and rescues meet: several connections, both orders, nothing lost."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from core import tenancy
from loyalty.models import Card
from tests.conftest import RealDatabase
from tests.support.world import World
from tests.wallets.pipeline.phones import Phones
from wallets.enums import Priority, Provider, UpdateState
from wallets.models import PassUpdate
from wallets.services import changes, queue, statements, tags


class Aside:
    """Work in a thread with a connection of its own, which may have to wait for a lock."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.error: BaseException | None = None
        self.result: Any = None
        self._work = work
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again by `end`
            self.error = error
        finally:
            connection.close()

    def waits(self) -> bool:
        """Tell whether it is still at it after a moment."""
        self._thread.join(0.3)
        return self._thread.is_alive()

    def end(self) -> Any:
        """Wait for its end and return what it returned."""
        self._thread.join(10)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.result


def hold(real_db: RealDatabase, sql: str, *values: Any) -> psycopg.Connection:
    """Run a statement in a transaction that stays open."""
    own = real_db.connect_as_superuser()
    own.execute(sql, values)
    return own


LOCK_UPDATE = "SELECT 1 FROM wallets_passupdate WHERE card_id = %s FOR UPDATE"


def test_change_then_settlement(phones: Phones) -> None:
    card = phones.card("phone")
    phones.note(card)
    (claimed,) = phones.claim()
    phones.note(card)

    phones.settlement(claimed, "sent")

    row = phones.update_of(card)
    assert (row.state, row.wanted_version) == (UpdateState.QUEUED, claimed.version + 1)
    assert row.due_at == phones.at


def test_settlement_then_change(phones: Phones) -> None:
    card = phones.card("phone")
    phones.note(card)
    (claimed,) = phones.claim()
    phones.settlement(claimed, "sent")
    phones.note(card)

    row = phones.update_of(card)
    assert (row.state, row.wanted_version, row.attempts) == (UpdateState.QUEUED, claimed.version + 1, 0)


@pytest.mark.parametrize("first", ["change", "settlement"])
def test_both_wait_for_the_same_row(phones: Phones, real_db: RealDatabase, first: str) -> None:
    """Whoever gets the row second decides on it as the first one left it."""
    card = phones.card("phone")
    phones.note(card)
    (claimed,) = phones.claim()
    steps = {"change": lambda: phones.note(card), "settlement": lambda: phones.settlement(claimed, "sent")}
    second = "settlement" if first == "change" else "change"
    with hold(real_db, LOCK_UPDATE, card.id) as own:
        one = Aside(steps[first])
        assert one.waits()
        two = Aside(steps[second])
        assert two.waits()
        own.rollback()
    one.end()
    two.end()

    row = phones.update_of(card)
    assert (row.state, row.wanted_version) == (UpdateState.QUEUED, claimed.version + 1)


@pytest.mark.parametrize("outcome", ["sent", "failed"])
def test_a_worker_that_was_thought_dead_settles_nothing(phones: Phones, outcome: str) -> None:
    card = phones.card("phone")
    phones.note(card)
    (slow,) = phones.claim()
    phones.tick(41)
    assert queue.rescue(at=phones.at) == 1
    (quick,) = phones.claim()

    phones.settlement(slow, outcome)

    assert phones.update_of(card).state == UpdateState.INFLIGHT
    phones.settlement(quick, "sent")
    assert phones.update_of(card).state == UpdateState.SENT


def test_the_rescue_leaves_fresh_claims_alone(phones: Phones) -> None:
    card = phones.card("phone")
    phones.note(card)
    phones.claim()
    phones.tick(39)

    assert queue.rescue(at=phones.at) == 0


def test_many_workers_claim_each_update_once(phones: Phones) -> None:
    for number in range(40):
        phones.note(phones.card(f"phone-{number}"))
    barrier = threading.Barrier(6)

    def work() -> list[Any]:
        barrier.wait()
        found = []
        while batch := phones.claim(size=3):
            found += batch
        return found

    workers = [Aside(work) for _ in range(6)]
    claimed = [update.id for worker in workers for update in worker.end()]

    assert len(claimed) == len(set(claimed)) == 40


def test_a_registration_waits_for_a_change_and_sees_it(phones: Phones, real_db: RealDatabase) -> None:
    """The change holds the pass; the device registers meanwhile: it is pushed."""
    card = phones.card()
    row = phones.pass_of(card)
    with hold(real_db, statements.RAISE.format(provider="apple") % {"at": "now()", "pass": f"'{row.pk}'"}) as own:
        registration = Aside(lambda: phones.add(card, "phone"))
        assert registration.waits()
        own.commit()
    registration.end()

    update = phones.update_of(card)
    assert (update.state, update.wanted_version) == (UpdateState.QUEUED, row.requested_version + 1)


def test_a_change_waits_for_a_registration_and_sees_it(phones: Phones, real_db: RealDatabase) -> None:
    """The registration holds the pass; the change comes meanwhile: it finds the device."""
    card = phones.card("watch")
    row = phones.pass_of(card)
    with tenancy.scope(phones.world.merchant_id):
        connection.cursor().execute("DELETE FROM wallets_passupdate WHERE card_id = %s", [card.id])
        connection.cursor().execute("DELETE FROM wallets_appledeviceregistration")
    lock = "SELECT 1 FROM wallets_applepass WHERE id = %s FOR NO KEY UPDATE"
    with hold(real_db, lock, row.pk) as own:
        change = Aside(lambda: phones.note(card))
        assert change.waits()
        own.execute(
            "INSERT INTO wallets_appledeviceregistration (id, merchant_id, apple_pass_id, device_id, tag, "
            "pushed_version, registered_at) SELECT gen_random_uuid(), %s, %s, id, 1, 0, now() FROM wallets_appledevice",
            [phones.world.merchant_id, row.pk],
        )
        own.commit()
    change.end()

    assert phones.update_of(card).state == UpdateState.QUEUED


def test_something_asked_for_anew_at_the_same_version_is_not_settled_away(phones: Phones) -> None:
    card = phones.card("phone")
    phones.note(card)
    (claimed,) = phones.claim()
    with tenancy.scope(phones.world.merchant_id):
        queue.enqueue(
            merchant_id=phones.world.merchant_id, card_id=card.id, provider=Provider.APPLE, version=claimed.version,
            priority=Priority.STAMP, at=phones.at,
        )  # fmt: skip

    phones.settlement(claimed, "sent")

    row = phones.update_of(card)
    assert (row.state, row.wanted_version) == (UpdateState.QUEUED, claimed.version)


def test_tasks_out_of_order_and_twice_end_in_the_same_state(phones: Phones) -> None:
    card = phones.card("phone")
    whys = ["stamp_earned", "void", "stamp_earned", "card_frozen"]
    for why in [*reversed(whys), *whys]:
        phones.note(card, why)
    (claimed,) = phones.claim()

    assert claimed.version == phones.pass_of(card).requested_version
    assert claimed.priority == Priority.REDEEM
    phones.settlement(claimed, "sent")
    assert phones.claim() == []


def test_a_whole_program_meets_settlements_in_any_order_without_a_deadlock(phones: Phones) -> None:
    cards = [phones.card(f"phone-{number}") for number in range(30)]
    for card in cards:
        phones.note(card)

    def settles() -> None:
        for _ in range(15):
            batch = phones.claim()
            ends = [queue.Settlement(each.id, each.claimed_at, "retry", phones.at) for each in reversed(batch)]
            queue.settle(ends, at=phones.at)

    def notes() -> None:
        for _ in range(15):
            changes.note_cards(
                merchant_id=phones.world.merchant_id, program_id=phones.world.program.id, provider=Provider.APPLE,
                at=phones.at,
            )  # fmt: skip

    workers = [Aside(work) for work in (settles, notes, settles, notes)]
    for worker in workers:
        worker.end()

    assert {phones.pass_of(card).requested_version - phones.update_of(card).wanted_version for card in cards} == {0}
    assert {phones.update_of(card).state for card in cards} == {UpdateState.QUEUED}


def test_numbers_are_committed_in_their_order(phones: Phones, real_db: RealDatabase) -> None:
    """Pitfall 3: whoever comes second waits for the first one's commit, so no smaller number shows up later."""
    with tenancy.scope(phones.world.merchant_id):
        assert tags.take("pass.order", 3) == 1
        second = Aside(lambda: _take("pass.order", phones))
        assert second.waits()
    assert second.end() == 4


def _take(pass_type: str, phones: Phones) -> int:
    with tenancy.scope(phones.world.merchant_id):
        return tags.take(pass_type, 1)


def test_a_number_that_was_rolled_back_is_given_again(phones: Phones) -> None:
    with pytest.raises(RuntimeError), tenancy.scope(phones.world.merchant_id):
        tags.take("pass.back", 5)
        raise RuntimeError
    assert _take("pass.back", phones) == 1


def test_numbers_need_a_transaction(phones: Phones) -> None:
    with pytest.raises(Exception, match="in the transaction"):
        tags.take("pass.any", 1)


def test_turns_among_merchants_and_the_urgent_first(phones: Phones, real_db: RealDatabase) -> None:
    for number in range(6):
        phones.note(phones.card(f"flood-{number}"))
    small = Phones(World.make(at=phones.at))
    stamp, frozen = small.card("one"), small.card("two")
    small.note(stamp)
    small.note(frozen, "card_frozen")

    first = phones.claim(size=4)

    assert first[0].card_id == frozen.id
    assert {each.merchant_id for each in first[1:]} == {phones.world.merchant_id, small.world.merchant_id}


def test_a_row_that_waits_keeps_its_time_and_something_urgent_shortens_it(phones: Phones) -> None:
    card = phones.card("phone")
    phones.note(card)
    (claimed,) = phones.claim()
    until = phones.at + timedelta(seconds=2)
    phones.settlement(claimed, "later", due_at=until)

    phones.note(card)
    assert phones.update_of(card).due_at == until
    phones.note(card, "stamp_redeemed")
    assert phones.update_of(card).due_at == phones.at


def test_a_new_change_does_not_shorten_the_pause_after_a_fault(phones: Phones) -> None:
    card = phones.card("phone")
    phones.note(card)
    (claimed,) = phones.claim()
    until = phones.at + timedelta(seconds=8)
    phones.settlement(claimed, "retry", due_at=until, error="500")

    phones.note(card, "stamp_redeemed")

    row = phones.update_of(card)
    assert (row.due_at, row.attempts, row.last_error) == (until, 1, "500")


@pytest.mark.parametrize(
    ("attempts", "waited", "least", "most"),
    [(1, 0, 0.8, 1.2), (2, 1, 1.6, 2.4), (3, 3, 3.2, 4.8), (4, 7, 6.4, 9.6), (5, 15, 12, 18), (9, 75, 12, 18),
     (50, 601, 240, 360)],
)  # fmt: skip
def test_the_pauses(phones: Phones, attempts: int, waited: int, least: float, most: float) -> None:
    card = phones.card()
    found = queue.after_fault(
        row_id=card.id, claimed_at=phones.at, queued_at=phones.at - timedelta(seconds=waited), attempts=attempts,
        at=phones.at, lasting=False, error="500",
    )  # fmt: skip
    assert found.outcome == "retry"
    assert found.due_at is not None
    assert least <= (found.due_at - phones.at).total_seconds() <= most


def test_a_program_queues_its_cards_in_wallets_chunk_by_chunk(phones: Phones, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "CHUNK", 2)
    held = [phones.card(f"phone-{number}") for number in range(5)]
    phones.card()
    last, rounds = None, 0
    while True:
        last = changes.note_cards(
            merchant_id=phones.world.merchant_id, program_id=phones.world.program.id, provider=Provider.APPLE,
            at=phones.at, after=last,
        )  # fmt: skip
        rounds += 1
        if last is None:
            break

    assert rounds == 3
    claimed = phones.claim()
    assert sorted(each.card_id for each in claimed) == sorted(card.id for card in held)
    assert {each.priority for each in claimed} == {Priority.BULK}


def test_a_closed_card_gets_no_new_pass_but_its_old_one_is_told(phones: Phones) -> None:
    held, bare = phones.card("phone"), phones.world.card()
    with tenancy.scope(phones.world.merchant_id):
        Card.objects.filter(pk__in=[held.pk, bare.pk]).update(status="closed")
    phones.note(held, "erased")
    phones.note(bare, "erased")

    assert phones.update_of(held).priority == Priority.REDEEM
    with tenancy.scope(phones.world.merchant_id):
        assert not PassUpdate.objects.filter(card_id=bare.pk).exists()
