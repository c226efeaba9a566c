"""What /metrics says of the outbox and of the nightly check of the ledger."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from core import backlog, tenancy
from core.models import AuditEntry, OutboxEvent
from core.tenancy import platform
from tests.support import outbox as events


def scrape(client: Client, settings: Any) -> dict[str, float]:
    """Return the figures of the outbox and the ledger by their full name."""
    settings.METRICS_TOKEN = "a-token"
    text = client.get("/metrics", headers={"Authorization": "Bearer a-token"}).content.decode()
    lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith(("outbox_", "ledger_"))]
    return {name: float(value) for name, _, value in lines}


def change(ids: list[int], **columns: Any) -> None:
    with platform(reason="tests"):
        OutboxEvent.objects.filter(pk__in=ids).update(**columns)


@pytest.mark.django_db
def test_it_works(client: Client, settings: Any) -> None:
    empty = scrape(client, settings)
    old, failed = events.publish(count=2), events.publish(count=1)
    change(old, created_at=timezone.now() - timedelta(seconds=90))
    change(failed, state="failed", created_at=timezone.now() - timedelta(days=2))

    found = scrape(client, settings)

    assert empty['outbox_rows{state="queued"}'] == 0
    assert empty["outbox_age_seconds"] == 0
    assert found['outbox_rows{state="queued"}'] == 2
    assert found['outbox_rows{state="failed"}'] == 1
    assert 90 <= found["outbox_age_seconds"] < 110, "what failed does not wait"


@pytest.mark.django_db
def test_what_a_worker_holds_waits_as_well(client: Client, settings: Any) -> None:
    ids = events.publish(count=1)
    change(ids, state="inflight", created_at=timezone.now() - timedelta(seconds=30))

    found = scrape(client, settings)

    assert found['outbox_rows{state="inflight"}'] == 1
    assert 30 <= found["outbox_age_seconds"] < 50


@pytest.mark.django_db
def test_the_last_verification_of_the_ledger(client: Client, settings: Any) -> None:
    assert not [name for name in scrape(client, settings) if name.startswith("ledger_")]
    with platform(reason="tests"):
        AuditEntry.objects.create(action="ledger_verified", target="ledger", facts={"differences": 3})
        AuditEntry.objects.create(action="ledger_verified", target="ledger", facts={"differences": 0})

    found = scrape(client, settings)

    assert found["ledger_differences"] == 0
    assert 0 <= found["ledger_verified_age_seconds"] < 20


@pytest.mark.django_db
def test_counting_reads_only_what_is_open() -> None:
    question = " UNION ALL ".join(backlog.COUNTED.format(state=state, most=backlog.MOST) for state in backlog.STATES)
    with tenancy.platform(reason="tests"), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + question)
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "Seq Scan" not in plan, plan
