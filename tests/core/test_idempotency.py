"""One key, one effect: what makes a request the same, what is replayed, and what is refused."""

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from core import idempotency, tenancy
from core.errors import DomainError, ValidationFailed
from core.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from core.ids import uuid7
from core.models import IdempotencyRecord, OutboxEvent

BODY = {"card_id": "42", "quantity": 2}


def asked(key: str | None = "k-1", operation: str = "stamp", body: Any = None) -> idempotency.Request:
    return idempotency.request(key, operation, "/stamp", BODY if body is None else body)


class Work:
    """A write that leaves a row and counts its runs."""

    def __init__(self, merchant_id: UUID) -> None:
        self.merchant_id, self.runs = merchant_id, 0

    def __call__(self) -> tuple[int, Any, Any]:
        """Do it."""
        self.runs += 1
        return 201, {"n": self.runs, "secret": "once"}, {"n": self.runs, "secret": None}


@pytest.mark.parametrize("left_out", ["staff_pin", "staff_session", "confirm"])
def test_fingerprint_leaves_out_what_may_differ_and_must_not_be_guessed(left_out: str) -> None:
    plain = idempotency.fingerprint("stamp", "/stamp", BODY)

    assert idempotency.fingerprint("stamp", "/stamp", {**BODY, left_out: "4821"}) == plain
    assert idempotency.fingerprint("stamp", "/stamp", {**BODY, left_out: "9999"}) == plain


def test_fingerprint_tells_everything_else_apart() -> None:
    found = {
        idempotency.fingerprint("stamp", "/stamp", BODY),
        idempotency.fingerprint("points", "/stamp", BODY),
        idempotency.fingerprint("stamp", "/other", BODY),
        idempotency.fingerprint("stamp", "/stamp", {**BODY, "quantity": 3}),
        idempotency.fingerprint("stamp", "/stamp", {**BODY, "quantity": "2"}),
        idempotency.fingerprint("stamp", "/stamp", {**BODY, "quantity": None}),
        idempotency.fingerprint("stamp", "/stamp", {"card_id": "42"}),
        idempotency.fingerprint("stamp", "/stamp", []),
    }
    assert len(found) == 8


def test_fingerprint_does_not_depend_on_the_order_of_names() -> None:
    assert idempotency.fingerprint("a", "/", {"x": 1, "y": 2}) == idempotency.fingerprint("a", "/", {"y": 2, "x": 1})


def test_fingerprint_is_keyed(settings: Any) -> None:
    """A plain hash of a body would let anyone who reads the table try what was in it."""
    before = idempotency.fingerprint("stamp", "/stamp", BODY)
    settings.SECRET_KEY = "another-secret-key-0123456789-0123456789"

    assert idempotency.fingerprint("stamp", "/stamp", BODY) != before


@pytest.mark.parametrize("key", ["a", "x" * 128, "order 42/7", "01890b4e-7d4b-7c3e-9a5e-2f6b8c1d0e3f"])
def test_keys_that_are_taken(key: str) -> None:
    assert asked(key).key == key


@pytest.mark.parametrize("key", ["", "x" * 129, "ä", "a\nb", "a\x00", "\x7f"])
def test_keys_that_are_refused(key: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        asked(key)
    assert list(refused.value.errors) == ["Idempotency-Key"]


def test_once_runs_once_and_replays_what_was_kept(db: None) -> None:
    merchant_id = uuid7()
    work = Work(merchant_id)

    first = idempotency.once(merchant_id, asked(), work)
    second = idempotency.once(merchant_id, asked(), work)

    assert (first.status, first.body, first.replayed) == (201, {"n": 1, "secret": "once"}, False)
    assert (second.status, second.body, second.replayed) == (201, {"n": 1, "secret": None}, True)
    assert work.runs == 1


def test_once_without_a_key_just_runs(db: None) -> None:
    merchant_id = uuid7()
    work = Work(merchant_id)

    for _ in range(3):
        assert not idempotency.once(merchant_id, asked(None), work).replayed
    assert work.runs == 3
    with tenancy.scope(merchant_id):
        assert IdempotencyRecord.objects.count() == 0


def test_a_retry_across_a_rotation_of_the_secret_is_a_replay(db: None, settings: Any) -> None:
    merchant_id = uuid7()
    work = Work(merchant_id)
    settings.SECRET_KEY = "before"
    idempotency.once(merchant_id, asked(), work)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "after", ["before"]

    assert idempotency.once(merchant_id, asked(), work).replayed
    with pytest.raises(IdempotencyKeyReused):
        idempotency.once(merchant_id, asked(body={**BODY, "quantity": 9}), work)


@pytest.mark.parametrize("other", [asked(operation="points"), asked(body={**BODY, "quantity": 9})])
def test_once_refuses_a_key_that_was_used_otherwise(db: None, other: idempotency.Request) -> None:
    merchant_id = uuid7()
    work = Work(merchant_id)
    idempotency.once(merchant_id, asked(), work)

    with pytest.raises(IdempotencyKeyReused) as refused:
        idempotency.once(merchant_id, other, work)

    assert (refused.value.status, work.runs) == (422, 1)


def test_once_keeps_nothing_of_a_refusal(db: None) -> None:
    merchant_id = uuid7()
    work = Work(merchant_id)

    def refuse() -> tuple[int, Any, Any]:
        OutboxEvent.objects.create(topic="x", merchant_id=merchant_id, created_at="2026-01-01T00:00:00Z")
        raise DomainError

    with pytest.raises(DomainError):
        idempotency.once(merchant_id, asked(), refuse)

    assert not idempotency.once(merchant_id, asked(), work).replayed
    with tenancy.scope(merchant_id):
        assert OutboxEvent.objects.count() == 0


def test_rule_18_merchants_are_independent(db: None) -> None:
    one, other = uuid7(), uuid7()

    for merchant_id in (one, other):
        assert idempotency.once(merchant_id, asked(), Work(merchant_id)).body["n"] == 1
        assert not idempotency.once(merchant_id, asked("k-2"), Work(merchant_id)).replayed


def test_a_key_whose_request_still_runs_is_told_to_wait(real_db: Any) -> None:
    merchant_id = uuid7()
    running, finish = threading.Event(), threading.Event()
    work = Work(merchant_id)

    def slow() -> tuple[int, Any, Any]:
        running.set()
        finish.wait(10)
        return work()

    def first() -> None:
        idempotency.once(merchant_id, asked(), slow)
        connections.close_all()

    thread = threading.Thread(target=first)
    thread.start()
    running.wait(10)
    with pytest.raises(IdempotencyInProgress) as refused:
        idempotency.once(merchant_id, asked(), work)
    other_key = idempotency.once(merchant_id, asked("k-2"), Work(merchant_id))
    finish.set()
    thread.join()

    assert (refused.value.status, refused.value.retry_after) == (409, 1)
    assert not other_key.replayed
    assert idempotency.once(merchant_id, asked(), work).replayed
    assert work.runs == 1


def test_promise_3_many_at_once_with_one_key_have_one_effect(real_db: Any) -> None:
    merchant_id = uuid7()
    work, answers = Work(merchant_id), []
    start = threading.Barrier(12)

    def call() -> None:
        start.wait()
        try:
            answers.append(idempotency.once(merchant_id, asked(), work).body["n"])
        except IdempotencyInProgress:
            answers.append("busy")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert work.runs == 1
    assert len(answers) == 12
    assert set(answers) <= {1, "busy"}
    assert 1 in answers


def test_replays_are_the_same_to_the_letter(db: None) -> None:
    """Instants keep their microseconds: a time that is cut off would come too early."""
    from datetime import UTC, datetime
    from decimal import Decimal

    merchant_id = uuid7()
    body = {
        "at": datetime(2026, 3, 10, 12, 0, 0, 123456, tzinfo=UTC),
        "id": merchant_id,
        "d": Decimal("1.50"),
        "ä": "é",
    }

    first = idempotency.once(merchant_id, asked(), lambda: (200, body, body))
    second = idempotency.once(merchant_id, asked(), lambda: (200, body, body))

    assert (
        first.body
        == second.body
        == {"at": "2026-03-10T12:00:00.123456Z", "id": str(merchant_id), "d": "1.50", "ä": "é"}
    )
