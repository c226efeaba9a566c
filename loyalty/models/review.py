"""What a till did without a connection and the server could not book: a manager looks at it (rule 19)."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey
from loyalty.enums import ReviewState
from merchants.models import TenantModel


class ReviewItem(TenantModel):
    """A queued operation that was refused when it arrived; nothing is dropped silently. `body` holds no PIN or session.

    code: why it was refused (`too_old`, `daily_limit_reached`, `staff_pin_invalid`, …). transaction: what booked it.
    fingerprint: which request it is (core.idempotency); a till may send several bodies under one key by mistake.
    """

    store = TenantForeignKey("stores.Store", null=True, blank=True)
    terminal = TenantForeignKey("stores.Terminal", null=True, blank=True)
    staff_pin = TenantForeignKey("stores.StaffPin", null=True, blank=True)
    card = TenantForeignKey("loyalty.Card", null=True, blank=True)
    transaction = TenantForeignKey("loyalty.Transaction", null=True, blank=True)
    key = models.CharField(max_length=128, db_collation="C")
    fingerprint = models.CharField(max_length=64, blank=True, default="", editable=False)
    op = models.CharField(_("operation"), max_length=16)
    body = models.JSONField(default=dict)
    code = models.CharField(_("reason"), max_length=32)
    facts = models.JSONField(default=dict)
    occurred_at = models.DateTimeField(_("when"))
    received_at = models.DateTimeField(_("received"))
    state = models.CharField(_("state"), max_length=10, choices=ReviewState.choices, default=ReviewState.OPEN)
    resolved_by = models.ForeignKey(
        "merchants.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )  # fmt: skip
    resolved_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("item to review")
        verbose_name_plural = _("items to review")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "key", "fingerprint"], name="loyalty_review_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["merchant", "-received_at"], name="loyalty_review_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.op}: {self.code}"
