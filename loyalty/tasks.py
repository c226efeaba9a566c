"""Edges of loyalty: what the timetable and the relay start. Ids in, one service call."""

from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from loyalty.services import expiry, news, nightly


@shared_task(name="loyalty.expire_points", ignore_result=True)
def expire_points() -> None:
    """Start the nightly expiry at each merchant that may need it, and the warnings of what expires soon."""
    for merchant_id in expiry.merchants(at=timezone.now()):
        expire_at_merchant.delay(str(merchant_id))
        warn_at_merchant.delay(str(merchant_id))


@shared_task(name="loyalty.expire_at_merchant", ignore_result=True)
def expire_at_merchant(merchant_id: str) -> None:
    """Expire what is over at one merchant; a second task goes on where the time of this one ends."""
    done = expiry.expire(merchant_id=UUID(merchant_id), at=timezone.now())
    if done.unfinished and (done.points or done.rewards):
        expire_at_merchant.delay(merchant_id)


@shared_task(name="loyalty.warn_at_merchant", ignore_result=True)
def warn_at_merchant(merchant_id: str) -> None:
    """Warn one merchant's customers of points that expire soon."""
    news.warn(merchant_id=UUID(merchant_id), at=timezone.now())


@shared_task(name="loyalty.tell_customer", ignore_result=True)
def tell_customer(merchant_id: str, *, card_id: str, why: str = "", **_: Any) -> None:
    """Tell a customer what a change of their card brings."""
    news.tell(merchant_id=UUID(merchant_id), card_id=UUID(card_id), why=why, at=timezone.now())


@shared_task(name="loyalty.verify_ledger_nightly", ignore_result=True, soft_time_limit=1500, time_limit=1560)
def verify_ledger_nightly() -> None:
    """Hold every number against the ledger, and keep the result."""
    nightly.verify(at=timezone.now())
