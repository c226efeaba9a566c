"""The mailbox under redelivery and many workers: real broker, real commits, a real mail server."""

import threading
from typing import Any

from django.core import mail
from django.db import connection
from django.utils import timezone

from core import claims, relay, tenancy
from customers.models import MagicLink
from customers.services import mailbox
from loyalty_platform.celery import app
from loyalty_platform.events import ROUTES
from tests.customers.test_mailbox import NOON, marie, queue, states
from tests.support.broker import waiting
from tests.support.smtp import MailServer
from tests.support.world import World


def deliver_twice(broker: str, at_most: int = 10) -> None:
    """Take every event to the broker and run each task twice, as a redelivery does; again until nothing is new."""
    app.loader.import_default_modules()
    done = 0
    for _ in range(at_most):
        events = claims.claim(at=timezone.now())
        outcome, _there = relay.publish(events, relay.Publisher(), ROUTES)
        claims.settle(outcome, at=timezone.now())
        found = [task for task in waiting(broker, "mail") if task.name.startswith("customers.")]
        for task in found[done:]:
            for _ in range(2):
                app.tasks[task.name](**task.kwargs)
        if len(found) == done:
            return
        done = len(found)


def test_a_redelivered_event_mails_once(real_db: Any, broker: str) -> None:
    world = World.make()
    world.card(email="marie@example.com", language="en")

    deliver_twice(broker)

    assert [message.subject for message in mail.outbox] == ["Your CoffeeLux card: confirm your address"]
    with tenancy.scope(world.merchant_id):
        assert MagicLink.objects.count() == 1


def test_many_workers_send_each_mail_once_and_one_news_a_day(real_db: Any, settings: Any) -> None:
    world = World.make()
    who = marie(world)
    for number in range(6):
        queue(world, who, f"news-{number}")
    for number in range(6):
        queue(world, who, f"link-{number}", kind="recover")
    barrier = threading.Barrier(6)

    def work() -> None:
        barrier.wait()
        try:
            while batch := mailbox.claim(at=NOON, size=2):
                for claimed in batch:
                    mailbox.deliver(claimed, at=NOON)
        finally:
            connection.close()

    with MailServer() as server:
        server.use(settings)
        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    subjects = [line for text in server.taken for line in text.splitlines() if line.startswith("Subject: ")]
    assert (
        sorted(subjects) == ["Subject: Free coffee is waiting at CoffeeLux"] + ["Subject: Your card at CoffeeLux"] * 6
    )
    assert sorted(states(world)) == ["queued"] * 5 + ["sent"] * 7
