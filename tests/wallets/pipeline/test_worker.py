"""A worker as the Procfile starts it, killed while it pushes: whoever comes next tells everybody."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from django.utils import timezone

from tests.conftest import RealDatabase
from tests.fakes.apns import FakeApns
from tests.support.relay import eventually
from tests.support.servers import ENVIRONMENT, ROOT
from tests.wallets.pipeline.phones import Phones
from wallets import tasks
from wallets.enums import Provider, UpdateState
from wallets.services import queue

APPLE = ("PASS_TYPE_ID", "TEAM_ID", "WWDR_CERT_PATH", "SIGNER_CERT_PATH", "SIGNER_KEY_PATH", "APNS_URL", "APNS_CA_PATH")
CARDS = 12
# By then a worker that has nothing to do has ended its task.
REST_SECONDS = 1.0
OTHERS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'loyalty_app' AND state = 'idle' AND pid <> %s
"""


@contextmanager
def worker(database: RealDatabase) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker of the queue for Apple on a test's own database, in a process group of its own."""
    servers = {
        "DATABASE_URL": database.app_url, "DATABASE_OWNER_URL": database.owner_url, "REDIS_URL": settings.REDIS_URL,
    }  # fmt: skip
    apple = {f"LOYALTY_APPLE_{name}": str(getattr(settings, f"LOYALTY_APPLE_{name}")) for name in APPLE}
    env = {**os.environ, ENVIRONMENT: json.dumps({**servers, **apple})}
    env["DJANGO_SETTINGS_MODULE"] = "loyalty_platform.settings.test"
    command = [sys.executable, "-m", "celery", "--app", "loyalty_platform", "worker", "--queues", "push.apple"]
    command += ["--concurrency", "2", "--without-gossip", "--without-mingle", "--loglevel", "warning"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_worker_is_killed_while_it_pushes(phones: Phones, apns: FakeApns, real_db: RealDatabase) -> None:
    phones.at = timezone.now()
    cards = [phones.card(f"phone-{number}") for number in range(CARDS)]
    apns.latency = 1.0
    for card in cards:
        phones.note(card)
    tasks.wake(Provider.APPLE)
    with worker(real_db):
        assert eventually(lambda: apns.opened > 0, 60.0)
        assert eventually(lambda: {phones.update_of(card).state for card in cards} == {UpdateState.INFLIGHT})
    assert {phones.update_of(card).state for card in cards} == {UpdateState.INFLIGHT}

    apns.latency = 0.0
    assert queue.rescue(at=timezone.now() + queue.STALE + queue.STALE) == CARDS
    phones.at = timezone.now() + queue.STALE + queue.STALE
    phones.push()

    assert {phones.update_of(card).state for card in cards} == {UpdateState.SENT}
    assert set(Counter(apns.tokens)) == {f"token-phone-{number}" for number in range(CARDS)}


def test_a_worker_pushes_what_it_is_woken_for(phones: Phones, apns: FakeApns, real_db: RealDatabase) -> None:
    phones.at = timezone.now()
    card = phones.card("phone")
    with worker(real_db):
        for count in (1, 2):
            phones.at = timezone.now()
            phones.note(card)
            tasks.wake(Provider.APPLE)
            assert eventually(lambda count=count: len(apns.tokens) == count, 60.0)
        assert eventually(lambda: phones.update_of(card).state == UpdateState.SENT)
    assert apns.opened <= 2


def test_a_worker_keeps_its_connection_and_gets_over_its_loss(
    phones: Phones, apns: FakeApns, real_db: RealDatabase
) -> None:  # fmt: skip
    phones.at = timezone.now()
    card = phones.card("phone")
    with worker(real_db), real_db.connect_as_superuser(autocommit=True) as aside:
        for count in (1, 2):
            phones.at = timezone.now()
            phones.note(card)
            tasks.wake(Provider.APPLE)
            assert eventually(lambda count=count: len(apns.tokens) == count, 60.0)
            assert eventually(lambda: phones.update_of(card).state == UpdateState.SENT)
            time.sleep(REST_SECONDS)
            kept = aside.execute(OTHERS, [connection.connection.info.backend_pid]).fetchall()
            assert kept
            for (pid,) in kept:
                aside.execute("SELECT pg_terminate_backend(%s)", [pid])
