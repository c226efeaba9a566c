"""A card: one customer's membership in one program, with the balances that the ledger explains."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey
from loyalty.enums import CardStatus
from merchants.models import TenantModel


class Card(TenantModel):
    """A card. Balances and counters are caches of the ledger, moved in the transaction that writes its rows.

    stamps_target, stamps_reward: of the running cycle, fixed when it began; a change of the program touches the next.
    points_micro: Σ of the exact worth of the card's carried sales, in millionths of a point (net of refunds).
    points_granted: points granted on those sales so far; always points_micro // 1_000_000.
    seq: number of ledger rows; version: changes of anything a pass shows. qr_code_data identifies the card to staff
    and opens nothing; access_hash is SHA-256 of the secret that opens it for its customer.
    No index contains a column that every stamp changes: that would end HOT updates.
    """

    program = TenantForeignKey("loyalty.Program")
    customer = TenantForeignKey("customers.Customer")
    enrolled_store = TenantForeignKey("stores.Store")
    card_number = models.CharField(_("card number"), max_length=12, db_collation="C")
    qr_code_data = models.CharField(max_length=32, unique=True, db_collation="C", editable=False)
    access_hash = models.CharField(max_length=64, unique=True, db_collation="C", editable=False)
    access_version = models.PositiveIntegerField(default=1, editable=False)
    status = models.CharField(_("status"), max_length=8, choices=CardStatus.choices, default=CardStatus.ACTIVE)
    status_reason = models.CharField(_("reason"), max_length=200, blank=True)
    merged_into = TenantForeignKey("self", null=True, blank=True)
    stamp_count = models.PositiveIntegerField(_("stamps"), default=0, editable=False)
    stamps_target = models.PositiveSmallIntegerField(_("stamps for a full card"), default=10, editable=False)
    stamps_reward = models.CharField(max_length=120, blank=True, editable=False)
    points_balance = models.PositiveIntegerField(_("points"), default=0, editable=False)
    points_debt = models.PositiveIntegerField(_("points owed"), default=0, editable=False)
    points_micro = models.BigIntegerField(default=0, editable=False)
    points_granted = models.BigIntegerField(default=0, editable=False)
    rewards_ready = models.PositiveIntegerField(default=0, editable=False)
    stamps_today = models.PositiveIntegerField(default=0, editable=False)
    stamps_day = models.DateField(null=True, editable=False)
    welcome_granted = models.BooleanField(default=False, editable=False)
    last_stamp_at = models.DateTimeField(null=True, editable=False)
    last_points_at = models.DateTimeField(null=True, editable=False)
    last_activity_on = models.DateField(editable=False)
    seq = models.PositiveIntegerField(default=0, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    enrolled_at = models.DateTimeField(_("since"))

    class Meta(TenantModel.Meta):
        verbose_name = _("card")
        verbose_name_plural = _("cards")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "card_number"], name="loyalty_card_number"),
            models.UniqueConstraint(
                fields=["merchant", "program", "customer"],
                condition=models.Q(status__in=["active", "frozen"]),
                name="loyalty_card_once",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    stamp_count__gte=0, points_balance__gte=0, points_debt__gte=0, points_micro__gte=0,
                    points_granted__gte=0, rewards_ready__gte=0, stamps_today__gte=0,
                ),
                name="loyalty_card_not_negative",
            ),
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index(fields=["merchant", "-last_activity_on", "-id"], name="loyalty_card_activity"),
            models.Index(fields=["merchant", "-enrolled_at", "-id"], name="loyalty_card_enrolled"),
            models.Index(fields=["merchant", "customer"], name="loyalty_card_customer"),
            models.Index(
                fields=["merchant", "enrolled_store", "status"], condition=~models.Q(status="active"),
                name="loyalty_card_not_active",
            ),
            models.Index(
                fields=["merchant", "-last_activity_on", "-id"], condition=models.Q(rewards_ready__gt=0),
                name="loyalty_card_ready",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.card_number
