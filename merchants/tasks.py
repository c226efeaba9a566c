"""Mails to people who work for a merchant, sent after the transaction in which their reason happened."""

from smtplib import SMTPException
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from merchants.services import invitation_mails

RETRY: dict[str, Any] = {
    "autoretry_for": (SMTPException, OSError),
    "max_retries": 5,
    "retry_backoff": 5,
    "retry_backoff_max": 300,
    "ignore_result": True,
}


@shared_task(name="merchants.mail_invitation", **RETRY)
def mail_invitation(merchant_id: str, *, invitation_id: str, **_: Any) -> None:
    """Send the link of an invitation, unless it was taken back meanwhile."""
    message = invitation_mails.letter(
        merchant_id=UUID(merchant_id), invitation_id=UUID(invitation_id), at=timezone.now()
    )
    if message is not None:
        message.send()
