"""The statistics' timetable: count what is new, sweep, and hold a sample against the ledger."""

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from dashboard.services import rollup_checks, rollups

RENEWING, RENEWING_SECONDS = "kept-renewing", 150


@shared_task(name="dashboard.refresh_rollups", ignore_result=True)
def refresh_rollups() -> None:
    """Count anew what changed since the last time; as often as you like, by as many workers as you like."""
    rollups.refresh_waiting(at=timezone.now())


@shared_task(name="dashboard.renew_kept", ignore_result=True)
def renew_kept() -> None:
    """Count anew what is shown somewhere and takes too long for a page; one worker at a time."""
    if cache.add(RENEWING, 1, RENEWING_SECONDS):
        try:
            rollups.renew_kept(at=timezone.now())
        finally:
            cache.delete(RENEWING)


@shared_task(name="dashboard.sweep_rollups", ignore_result=True)
def sweep_rollups() -> None:
    """Count anew every business day of which a row was recorded within the last hours."""
    rollups.refresh_waiting(at=timezone.now(), back=rollups.SWEPT)


@shared_task(name="dashboard.check_rollups", ignore_result=True)
def check_rollups() -> None:
    """Hold a sample of merchants and days against the ledger, and repair what differs."""
    rollup_checks.check_sample(at=timezone.now())
