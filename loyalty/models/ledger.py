"""The ledger: append-only rows that explain every balance. The database refuses to change or delete them."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey, TenantOneToOneField
from loyalty.enums import Channel, TransactionType
from merchants.models import TenantModel


class Transaction(TenantModel):
    """One line of an operation. All lines of an operation share the idempotency key and count up `line` from 0.

    points_delta is the change of points_balance, debt_delta that of points_debt; micro_delta and granted_delta those
    of the card's carried worth and grants. points_granted on a sale's row is what the sale granted before a debt was
    paid. Σ of each over a card equals the card's cached figure. credit_delta_cents is reserved.
    business_date is the store's business day on which it counts.
    """

    card = TenantForeignKey("loyalty.Card")
    program = TenantForeignKey("loyalty.Program")
    program_version = models.PositiveIntegerField()
    seq = models.PositiveIntegerField()
    idempotency_key = models.CharField(max_length=128, db_collation="C")
    line = models.PositiveSmallIntegerField(default=0)
    type = models.CharField(_("type"), max_length=16, choices=TransactionType.choices)
    stamps_delta = models.IntegerField(_("stamps"), default=0)
    points_delta = models.IntegerField(_("points"), default=0)
    debt_delta = models.IntegerField(default=0)
    micro_delta = models.BigIntegerField(default=0)
    granted_delta = models.BigIntegerField(default=0)
    credit_delta_cents = models.BigIntegerField(default=0)
    stamps_after = models.PositiveIntegerField()
    points_after = models.PositiveIntegerField()
    points_granted = models.IntegerField(default=0)
    purchase_amount_cents = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    order_reference = models.CharField(max_length=64, blank=True)
    reward = TenantForeignKey("loyalty.Reward", null=True, blank=True)
    issued_reward = TenantForeignKey("loyalty.IssuedReward", null=True, blank=True)
    reverses = TenantForeignKey("self", null=True, blank=True)
    store = TenantForeignKey("stores.Store", null=True, blank=True)
    staff_pin = TenantForeignKey("stores.StaffPin", null=True, blank=True)
    terminal = TenantForeignKey("stores.Terminal", null=True, blank=True)
    api_key = TenantForeignKey("stores.ApiKey", null=True, blank=True)
    user = models.ForeignKey(
        "merchants.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )  # fmt: skip
    channel = models.CharField(max_length=12, choices=Channel.choices)
    business_date = models.DateField()
    occurred_at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "idempotency_key", "line"], name="loyalty_ledger_key"),
            models.UniqueConstraint(fields=["merchant", "card", "seq"], name="loyalty_ledger_seq"),
            models.UniqueConstraint(
                fields=["merchant", "reverses"], condition=models.Q(type="void"), name="loyalty_ledger_void_once"
            ),
            models.UniqueConstraint(
                fields=["merchant", "issued_reward"],
                condition=models.Q(type__in=["stamp_redeemed", "points_redeemed"]),
                name="loyalty_ledger_redeem_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["merchant", "-recorded_at"], name="loyalty_ledger_recent"),
            models.Index(fields=["merchant", "business_date"], name="loyalty_ledger_day"),
            models.Index(
                fields=["merchant", "reward"], condition=models.Q(reward__isnull=False), name="loyalty_ledger_reward"
            ),
            models.Index(
                fields=["merchant", "reverses"], condition=models.Q(reverses__isnull=False), name="loyalty_ledger_rev"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} #{self.seq}"


class TransactionDetail(TenantModel):
    """What an operation carried of personal data or free text; erasable, unlike the ledger row."""

    transaction = TenantOneToOneField("loyalty.Transaction")
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return str(self.pk)


class RefusedAttempt(TenantModel):
    """An operation that was refused, with its code: kept beside the ledger, never in it."""

    card = TenantForeignKey("loyalty.Card", null=True, blank=True)
    store = TenantForeignKey("stores.Store", null=True, blank=True)
    staff_pin = TenantForeignKey("stores.StaffPin", null=True, blank=True)
    operation = models.CharField(max_length=32)
    code = models.CharField(max_length=32)
    caller_kind = models.CharField(max_length=12)
    caller_id = models.UUIDField(null=True, blank=True)
    facts = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        verbose_name = _("refused attempt")
        verbose_name_plural = _("refused attempts")
        indexes: ClassVar = [models.Index(fields=["merchant", "-occurred_at"], name="loyalty_refused_recent")]

    def __str__(self) -> str:
        return f"{self.operation}: {self.code}"
