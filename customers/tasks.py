"""Mails to customers, sent after the transaction in which their reason happened."""

from smtplib import SMTPException
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from customers.services import mails

RETRY: dict[str, Any] = {
    "autoretry_for": (SMTPException, OSError),
    "max_retries": 5,
    "retry_backoff": 5,
    "retry_backoff_max": 300,
    "ignore_result": True,
}


@shared_task(name="customers.mail_after_enrollment", **RETRY)
def mail_after_enrollment(merchant_id: str, *, customer_id: str, card_id: str, pages: str, **_: Any) -> None:
    """Send what follows an enrolment: the link that confirms the address, or word that there is a card already."""
    message = mails.after_enrollment(
        merchant_id=UUID(merchant_id), customer_id=UUID(customer_id), card_id=UUID(card_id), pages=pages,
        at=timezone.now(),
    )  # fmt: skip
    if message is not None:
        message.send()


@shared_task(name="customers.mail_way_back", **RETRY)
def mail_way_back(
    merchant_id: str, *, customer_id: str | None, card_id: str | None, pages: str, **_: Any
) -> None:  # fmt: skip
    """Send the link back to a card; an address that nobody knows gets none."""
    if not customer_id or not card_id:
        return
    message = mails.way_back(
        merchant_id=UUID(merchant_id), customer_id=UUID(customer_id), card_id=UUID(card_id), pages=pages,
        at=timezone.now(),
    )  # fmt: skip
    if message is not None:
        message.send()
