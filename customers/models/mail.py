"""Mails to customers, as rows: written with what caused them, sent later, asked for consent at the last moment."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey
from customers.enums import MailKind, MailState
from merchants.models import TenantModel


class Mail(TenantModel):
    """A mail to a customer. `event` makes it one per event, however often the event is told.

    purpose: the consent it needs (`service`, `marketing`), empty for a mail that the person asked for themselves.
    facts: what the text is about (card id, reward, days), never a name or an address: those are read when it is sent.
    """

    customer = TenantForeignKey("customers.Customer")
    kind = models.CharField(_("kind"), max_length=24, choices=MailKind.choices)
    purpose = models.CharField(_("purpose"), max_length=12, blank=True)
    event = models.CharField(max_length=128, db_collation="C")
    facts = models.JSONField(default=dict)
    state = models.CharField(_("state"), max_length=8, choices=MailState.choices, default=MailState.QUEUED)
    due_at = models.DateTimeField(_("due"))
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(_("sent on"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        constraints: ClassVar = [models.UniqueConstraint(fields=["merchant", "event"], name="customers_mail_once")]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="customers_mail_due", condition=models.Q(state="queued")),
            models.Index(
                fields=["merchant", "due_at"], name="customers_mail_turns", condition=models.Q(state="queued")
            ),
            models.Index(fields=["claimed_at"], name="customers_mail_inflight", condition=models.Q(state="inflight")),
            models.Index(fields=["id"], name="customers_mail_failed", condition=models.Q(state="failed")),
            models.Index(fields=["merchant", "customer", "-created_at"], name="customers_mail_of"),
        ]

    def __str__(self) -> str:
        return self.kind
