"""The relay: every event reaches its tasks at least once, whatever dies meanwhile; nobody's flood starves others."""

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core import claims, relay, retention, tasks
from core.ids import uuid7
from core.models import IdempotencyRecord
from core.outbox import WAKE_LIST, connect, flush
from loyalty_platform.launcher.state import short_folder
from loyalty_platform.launcher.valkey import Valkey
from tests.support import outbox
from tests.support.broker import waiting
from tests.support.relay import RelayProcess, eventually

TOPIC = "customers.recover_requested"  # the process knows the product's own routes only
TASK = "customers.mail_way_back"
QUEUE = "mail"
AT_ONCE = 3.0  # seconds; a wait that was not cut short would take longer on top of the interpreter's own end


@pytest.fixture(autouse=True)
def _real_commits(real_db: Any) -> None:
    """Commit for real: the relay looks from outside."""


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    folder = short_folder()
    server = Valkey(sockets=folder, log=folder / "valkey.log")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


def pass_on(table: relay.Routes = outbox.ROUTES) -> claims.Outcome:
    """Do one round of the relay's work."""
    outcome, _ = relay.publish(claims.claim(at=timezone.now()), relay.Publisher(), table)
    claims.settle(outcome, at=timezone.now())
    return outcome


def test_it_works(broker: str) -> None:
    merchant_id = uuid7()
    ids = outbox.publish(merchant_id=merchant_id, card_id="c1")

    pass_on()

    assert outbox.states(*ids) == ["sent"]
    assert [(task.name, task.kwargs) for task in waiting(broker)] == [
        ("tests.hear", {"merchant_id": str(merchant_id), "card_id": "c1"})
    ]


def test_a_topic_goes_to_all_tasks_that_hear_it(broker: str) -> None:
    outbox.publish("tests.heard_twice")

    pass_on()

    assert [task.name for task in waiting(broker)] == ["tests.hear", "tests.hear_too"]


def test_a_topic_that_nobody_hears_is_done_at_once(broker: str) -> None:
    ids = outbox.publish("tests.unheard")

    pass_on()

    assert outbox.states(*ids) == ["sent"]
    assert waiting(broker) == []


def test_every_route_of_the_product_names_a_task_that_exists() -> None:
    from loyalty_platform.celery import BEAT_SCHEDULE, app

    app.loader.import_default_modules()
    named = {name for names in relay.routes().values() for name in names}
    named |= {entry["task"] for entry in BEAT_SCHEDULE.values()}

    assert named <= set(app.tasks)
    assert {"core.sweep_outbox", "core.purge"} <= named


def test_a_crash_between_claim_and_publish_loses_nothing(broker: str) -> None:
    ids = outbox.publish(count=3)
    claimed = claims.claim(at=timezone.now() - timedelta(seconds=61))
    assert len(claimed) == 3
    assert outbox.states(*ids) == ["inflight"] * 3
    assert pass_on().sent == []

    tasks.sweep_outbox()

    assert outbox.states(*ids) == ["queued"] * 3
    flush()
    assert connect(timeout=1).llen(WAKE_LIST) == 1
    assert len(pass_on().sent) == 3
    assert len(waiting(broker)) == 3


def test_the_sweep_leaves_fresh_claims_alone() -> None:
    ids = outbox.publish(count=2)
    claims.claim(at=timezone.now() - timedelta(seconds=59))

    assert claims.sweep(at=timezone.now()) == 0
    assert outbox.states(*ids) == ["inflight"] * 2


def test_a_relay_that_was_thought_dead_and_settles_late_does_not_undo_the_second_one(broker: str) -> None:
    ids = outbox.publish()
    slow = claims.claim(at=timezone.now() - timedelta(seconds=61))
    claims.sweep(at=timezone.now())
    pass_on()

    late, _ = relay.publish(slow, relay.Publisher(), outbox.ROUTES)
    claims.settle(late, at=timezone.now())

    assert outbox.states(*ids) == ["sent"]
    assert len(waiting(broker)) == 2  # at least once: consumers are idempotent


def test_two_relays_never_claim_the_same_event() -> None:
    ids = outbox.publish(count=120)
    claimed: list[int] = []
    gate = threading.Barrier(4)

    def work() -> None:
        from django.db import connection

        gate.wait()
        for _ in range(10):
            claimed.extend(event.id for event in claims.claim(at=timezone.now(), size=20))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(claimed) == sorted(ids)


def test_a_flood_of_one_merchant_starves_nobody() -> None:
    loud, quiet, third = uuid7(), uuid7(), uuid7()
    outbox.publish(merchant_id=loud, count=300)
    outbox.publish(merchant_id=quiet, count=2)
    outbox.publish(merchant_id=third, count=1)

    batch = claims.claim(at=timezone.now(), size=10)

    assert Counter(event.merchant_id for event in batch) == {loud: 7, quiet: 2, third: 1}


def test_events_of_one_merchant_go_in_their_order() -> None:
    ids = outbox.publish(count=30)

    assert [event.id for event in claims.claim(at=timezone.now(), size=10)] == ids[:10]


def test_an_event_that_cannot_be_published_waits_ever_longer_and_fails_in_the_end(broker: str) -> None:
    bad = outbox.publish(payload={"deep": 1})
    good = outbox.publish()

    class Refuses(relay.Publisher):
        def send(self, name: str, kwargs: dict[str, Any]) -> None:
            if "payload" in kwargs:
                raise TypeError("cannot be written as JSON")
            super().send(name, kwargs)

    at, waits = timezone.now(), []
    for _ in range(claims.MAX_ATTEMPTS):
        outcome, there = relay.publish(claims.claim(at=at), Refuses(), outbox.ROUTES)
        claims.settle(outcome, at=at)
        assert there
        row = outbox.rows(*bad)[0]
        assert row.retry_at is not None
        waits.append(int((row.retry_at - at).total_seconds()))
        assert claims.claim(at=row.retry_at - timedelta(milliseconds=1)) == []
        at = row.retry_at

    assert waits == [1, 2, 4, 8, 16, 30, 30, 30, 30, 30]
    assert outbox.states(*bad, *good) == ["failed", "sent"]
    assert "cannot be written" in outbox.rows(*bad)[0].last_error
    assert claims.claim(at=at + timedelta(days=1)) == []


def test_a_broker_that_is_away_costs_no_event_its_chances(own_valkey: Valkey, monkeypatch: Any) -> None:
    from celery import current_app

    ids = outbox.publish(count=5)
    monkeypatch.setattr(
        current_app.conf, "broker_url", own_valkey.address.replace("unix://", "redis+socket://"), raising=False
    )
    own_valkey.stop()
    at = timezone.now()
    for _ in range(claims.MAX_ATTEMPTS + 2):
        outcome, there = relay.publish(claims.claim(at=at), relay.Publisher(), outbox.ROUTES)
        claims.settle(outcome, at=at)
        assert not there
        at += timedelta(seconds=31)

    assert outbox.states(*ids) == ["queued"] * 5
    assert max(row.attempts for row in outbox.rows(*ids)[1:]) <= claims.MAX_ATTEMPTS
    own_valkey.start()
    outcome, there = relay.publish(claims.claim(at=at), relay.Publisher(), outbox.ROUTES)
    assert there
    assert len(outcome.sent) == 5
    assert len(waiting(own_valkey.address)) == 5


def test_the_process_delivers_within_a_moment_and_ends_at_once(real_db: Any, broker: str) -> None:
    with RelayProcess(real_db, broker) as running:
        running.wait_until_started()
        ids = outbox.publish(TOPIC, count=3, card_id=None)

        assert eventually(lambda: outbox.states(*ids) == ["sent"] * 3)
        assert [task.name for task in waiting(broker, QUEUE)] == [TASK] * 3
        status, seconds = running.terminate()

    assert status == 0
    assert seconds < AT_ONCE


def test_the_process_ends_at_once_in_the_middle_of_work_and_gives_back_what_it_had(real_db: Any, broker: str) -> None:
    ids = outbox.publish(TOPIC, count=2000)
    with RelayProcess(real_db, broker) as running:
        assert eventually(lambda: "sent" in outbox.states(*ids[:60]))
        status, seconds = running.terminate()

    assert status == 0
    assert seconds < AT_ONCE
    left = Counter(outbox.states(*ids))
    assert left["inflight"] == 0
    assert left["queued"] > 0
    assert len(waiting(broker, QUEUE)) == left["sent"]


def test_a_process_killed_in_the_middle_loses_nothing(real_db: Any, broker: str) -> None:
    ids = outbox.publish(TOPIC, count=1500)
    numbered = {str(number) for number in ids}
    with RelayProcess(real_db, broker) as running:
        assert eventually(lambda: len(waiting(broker, QUEUE)) > 20)
        running.kill()
    at = timezone.now()
    claims.sweep(at=at + claims.STALE + timedelta(seconds=1))
    while events := claims.claim(at=at):
        outcome, _ = relay.publish(events, relay.Publisher(), relay.routes())
        claims.settle(outcome, at=at)

    assert Counter(outbox.states(*ids)) == {"sent": len(numbered)}
    assert len(numbered) <= len(waiting(broker, QUEUE)) <= len(numbered) + claims.SHARE


def test_redis_away_and_back_without_its_memory(real_db: Any, own_valkey: Valkey) -> None:
    with RelayProcess(real_db, own_valkey.address) as running:
        running.wait_until_started()
        before = outbox.publish(TOPIC, card_id="before")
        assert eventually(lambda: outbox.states(*before) == ["sent"])
        own_valkey.stop()
        meanwhile = outbox.publish(TOPIC, card_id="meanwhile")
        own_valkey.start()

        assert eventually(lambda: outbox.states(*meanwhile) == ["sent"], seconds=20)
        cards = [task.kwargs["card_id"] for task in waiting(own_valkey.address, QUEUE)]

    # What waited in the broker when it died is sent again.
    assert sorted(cards) == ["before", "meanwhile"]


def test_a_flushed_broker_is_noticed(real_db: Any, broker: str) -> None:
    with RelayProcess(real_db, broker) as running:
        running.wait_until_started()
        ids = outbox.publish(TOPIC, count=2)
        assert eventually(lambda: len(waiting(broker, QUEUE)) == 2)
        assert eventually(lambda: outbox.states(*ids) == ["sent"] * 2)
        connect(timeout=1).flushdb()

        assert eventually(lambda: len(waiting(broker, QUEUE)) == 2)


def test_what_was_sent_long_ago_is_not_sent_again() -> None:
    at = timezone.now()
    old, new, queued = outbox.publish(), outbox.publish(), outbox.publish()
    for ids, age in ((old, timedelta(minutes=6)), (new, timedelta(minutes=4))):
        assert [event.id for event in claims.claim(at=at - age, size=1)] == ids
        claims.settle(claims.Outcome(sent=ids), at=at)

    assert claims.recall(at=at) == 1
    assert outbox.states(*old, *new, *queued) == ["sent", "queued", "queued"]


def test_the_database_may_restart(real_db: Any, broker: str) -> None:
    import psycopg

    with RelayProcess(real_db, broker) as running:
        running.wait_until_started()
        first = outbox.publish(TOPIC)
        assert eventually(lambda: outbox.states(*first) == ["sent"])
        with psycopg.connect(real_db.superuser_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND usename = 'loyalty_app'"
            )
        from django.db import connection

        connection.close()
        second = outbox.publish(TOPIC)

        assert eventually(lambda: outbox.states(*second) == ["sent"])


def test_what_was_published_while_the_database_went_away_is_not_published_twice(real_db: Any, broker: str) -> None:
    import psycopg

    class Cutting(dict[str, tuple[str, ...]]):
        """The routes of the tests; whoever looks one up loses all connections to the database."""

        def get(self, topic: str, default: Any = ()) -> Any:
            with psycopg.connect(real_db.superuser_url, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND usename = 'loyalty_app'"
                )
            return super().get(topic, default)

    ids = outbox.publish(count=3)
    process = relay.Relay()
    process._table = Cutting(outbox.ROUTES)
    process.step()
    assert outbox.states(*ids) == ["inflight"] * 3

    process.step()

    assert outbox.states(*ids) == ["sent"] * 3
    assert len(waiting(broker)) == 3


def test_purge_deletes_what_is_older_than_its_time() -> None:
    from core import tenancy

    now, merchant_id = timezone.now(), uuid7()
    ages = {"sent": 8, "kept": 6, "failed": 100, "queued": 100}
    ids = {state: outbox.publish(merchant_id=merchant_id)[0] for state in ages}
    with tenancy.platform(reason="tests"):
        from core.models import OutboxEvent

        for name, days in ages.items():
            OutboxEvent.objects.filter(pk=ids[name]).update(
                created_at=now - timedelta(days=days), state="sent" if name == "kept" else name
            )
    with tenancy.scope(merchant_id):
        for key, days in (("old", 31), ("new", 29)):
            IdempotencyRecord.objects.create(
                merchant_id=merchant_id, key=key, operation="x", fingerprint="x", status=201, body="{}",
                created_at=now - timedelta(days=days),
            )  # fmt: skip

    tasks.purge()

    assert {row.pk for row in outbox.rows()} == {ids["kept"], ids["failed"], ids["queued"]}
    with tenancy.scope(merchant_id):
        assert [record.key for record in IdempotencyRecord.objects.all()] == ["new"]


def test_purge_goes_on_until_nothing_old_is_left(monkeypatch: Any) -> None:
    monkeypatch.setattr(retention, "STEP", 3)
    outbox.publish(count=7)
    pass_on()

    assert retention.purge(at=timezone.now() + timedelta(days=8)) == 7
    assert outbox.rows() == []


def test_a_claim_stays_quick_behind_a_flood() -> None:
    """The flood is hopped over, not walked through: half a million rows cost a claim nothing."""
    from django.db import connection

    from core import tenancy

    loud, quiet = uuid7(), uuid7()
    with tenancy.platform(reason="tests"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_outboxevent (merchant_id, topic, payload, state, attempts, last_error, created_at) "
            "SELECT %s, 'tests.heard', '{}', 'queued', 0, '', now() FROM generate_series(1, 100000)",
            [loud],
        )
    outbox.publish(merchant_id=quiet)
    with tenancy.platform(reason="tests"), connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + claims.CLAIM,
            {"at": timezone.now(), "size": claims.BATCH, "share": claims.SHARE},
        )
        plan = cursor.fetchone()[0][0]

    assert plan["Execution Time"] < 100
