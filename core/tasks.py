"""The ground floor's timetable: rescue what a relay left behind, and forget what is no longer needed."""

from celery import shared_task
from django.utils import timezone

from core import claims, outbox, retention


@shared_task(name="core.sweep_outbox", ignore_result=True)
def sweep_outbox() -> None:
    """Queue events again that a relay claimed and never settled, and wake the relay."""
    if claims.sweep(at=timezone.now()):
        outbox.wake()


@shared_task(name="core.purge", ignore_result=True)
def purge() -> None:
    """Delete answers under a key and delivered events whose time is over."""
    retention.purge(at=timezone.now())
