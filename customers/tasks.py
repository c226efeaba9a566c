"""Mails to customers: what causes one, and the sending of what waits."""

import time
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from customers.enums import MailKind, MailState
from customers.services import mailbox, mails

# A worker sends for so long, then leaves the rest to the next one: a task must end in good time.
SENDING_SECONDS = 40.0


@shared_task(name="customers.mail_after_enrollment", ignore_result=True)
def mail_after_enrollment(merchant_id: str, *, customer_id: str, card_id: str, pages: str, **_: Any) -> None:
    """Queue what follows an enrolment: the link that confirms the address, or word that there is a card already."""
    mails.after_enrollment(
        merchant_id=UUID(merchant_id), customer_id=UUID(customer_id), card_id=UUID(card_id), pages=pages,
        at=timezone.now(),
    )  # fmt: skip


@shared_task(name="customers.mail_new_address", ignore_result=True)
def mail_new_address(
    merchant_id: str, *, customer_id: str, card_id: str, pages: str, event: str, **_: Any
) -> None:  # fmt: skip
    """Queue the link that confirms an address typed into the profile."""
    mails.new_address(
        merchant_id=UUID(merchant_id), customer_id=UUID(customer_id), card_id=UUID(card_id), pages=pages, event=event,
        at=timezone.now(),
    )  # fmt: skip


@shared_task(name="customers.mail_way_back", ignore_result=True)
def mail_way_back(
    merchant_id: str, *, customer_id: str | None, card_id: str | None, pages: str, event: str = "",
    kind: str = MailKind.RECOVER, **_: Any,
) -> None:  # fmt: skip
    """Queue the link back to a card; an address that nobody knows gets none."""
    if not customer_id or not card_id:
        return
    mails.way_back(
        merchant_id=UUID(merchant_id), customer_id=UUID(customer_id), card_id=UUID(card_id), pages=pages,
        event=event or f"recover/{customer_id}/{timezone.now():%Y%m%d%H%M}", kind=MailKind(kind), at=timezone.now(),
    )  # fmt: skip


@shared_task(name="customers.send_mails", ignore_result=True)
def send_mails(merchant_id: str = "", **_: Any) -> int:
    """Send what is due, of all merchants in turns; returns how many went out. Also run every half minute."""
    mailbox.rescue(at=timezone.now())
    sent, began = 0, time.monotonic()
    while time.monotonic() - began < SENDING_SECONDS:
        batch = mailbox.claim(at=timezone.now())
        if not batch:
            break
        sent += sum(mailbox.deliver(mail, at=timezone.now()) == MailState.SENT for mail in batch)
    return sent
