"""What /metrics says of passes: open rows and their age per queue, pushes by result, how long changes took."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from core import tenancy
from tests.support.world import World
from wallets import metrics
from wallets.enums import Provider
from wallets.models import ProviderState
from wallets.queries import backlog
from wallets.services import queue

BEARER = {"Authorization": "Bearer a-token"}


def scrape(client: Client, settings: Any) -> dict[str, float]:
    """Return the figures of the wallets by their full name."""
    settings.METRICS_TOKEN = "a-token"
    text = client.get("/metrics", headers=BEARER).content.decode()
    lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith("wallet_")]
    return {name: float(value) for name, _, value in lines}


def queue_a_card(world: World, provider: Provider, *, seconds_ago: float) -> None:
    """Put one new card's update into the queue, as if it had been asked for a while ago."""
    at = timezone.now() - timedelta(seconds=seconds_ago)
    card = world.card()
    with tenancy.scope(world.merchant_id):
        queue.enqueue(
            merchant_id=world.merchant_id, card_id=card.id, provider=provider, version=2, priority=2, at=at
        )  # fmt: skip


@pytest.mark.django_db
def test_it_works(client: Client, settings: Any) -> None:
    world = World.make()
    queue_a_card(world, Provider.APPLE, seconds_ago=40)
    queue_a_card(world, Provider.APPLE, seconds_ago=10)
    queue_a_card(world, Provider.GOOGLE, seconds_ago=5)

    found = scrape(client, settings)

    assert found['wallet_queue_rows{queue="apple",state="queued"}'] == 2
    assert found['wallet_queue_rows{queue="google",state="queued"}'] == 1
    assert found['wallet_queue_rows{queue="google_class",state="queued"}'] == 0
    assert 40 <= found['wallet_queue_age_seconds{queue="apple"}'] < 60
    assert 5 <= found['wallet_queue_age_seconds{queue="google"}'] < 25
    assert found['wallet_queue_age_seconds{queue="google_class"}'] == 0


@pytest.mark.django_db
def test_settled_rows_are_not_waiting(client: Client, settings: Any) -> None:
    world = World.make()
    queue_a_card(world, Provider.APPLE, seconds_ago=40)
    taken = queue.claim(provider=Provider.APPLE, at=timezone.now(), size=10)
    queue.settle([queue.Settlement(row.id, row.claimed_at, "sent") for row in taken], at=timezone.now())

    found = scrape(client, settings)

    assert found['wallet_queue_rows{queue="apple",state="queued"}'] == 0
    assert found['wallet_queue_age_seconds{queue="apple"}'] == 0


@pytest.mark.django_db
def test_a_provider_that_refuses_us_is_shown(client: Client, settings: Any) -> None:
    ProviderState.objects.create(provider="apple", credential="old", blocked_at=None)
    ProviderState.objects.create(provider="apple", credential="new", blocked_at=timezone.now())

    found = scrape(client, settings)

    assert found['wallet_provider_blocked{provider="apple"}'] == 1
    assert found['wallet_provider_blocked{provider="google"}'] == 0


@pytest.mark.django_db
def test_pushes_and_lags_are_counted(client: Client, settings: Any) -> None:
    before = scrape(client, settings)
    metrics.pushed(Provider.APPLE, "accepted")
    metrics.pushed("google", "a word of nobody's")
    metrics.fetched(1.5)
    metrics.accepted(-0.2)

    after = scrape(client, settings)

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert grown('wallet_pushes_total{provider="apple",result="accepted"}') == 1
    assert grown('wallet_pushes_total{provider="google",result="other"}') == 1
    assert grown('wallet_fetch_lag_seconds_bucket{le="2.0"}') == 1
    assert grown('wallet_fetch_lag_seconds_bucket{le="1.0"}') == 0
    assert grown('wallet_accept_lag_seconds_bucket{le="0.1"}') == 1
    assert 'wallet_pushes_total{provider="google",result="blocked"}' in before, "a rate starts at zero"


@pytest.mark.django_db
def test_counting_reads_only_what_is_open() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + backlog._question())
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "Seq Scan" not in plan, plan


def test_without_a_database_the_counters_are_still_there(client: Client, settings: Any, real_db: Any) -> None:
    with real_db.connect_as_owner(autocommit=True) as owner:
        owner.execute("ALTER TABLE wallets_passupdate RENAME TO gone")

    found = scrape(client, settings)

    assert 'wallet_pushes_total{provider="apple",result="accepted"}' in found
    assert not [name for name in found if name.startswith("wallet_queue")]
