"""Two cards of one person made one, and the way back (rule 25)."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey
from merchants.models import TenantModel


class CardMerge(TenantModel):
    """A merge: `source` ended in `target`; both codes go on working. `moved` is what the ledger rows carried over.

    moved: {stamps, points, debt, micro, granted, rewards: [ids of issued rewards], …}; enough to take it back exactly.
    """

    source = TenantForeignKey("loyalty.Card")
    target = TenantForeignKey("loyalty.Card")
    idempotency_key = models.CharField(max_length=128, db_collation="C")
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    moved = models.JSONField(default=dict)
    merged_at = models.DateTimeField(_("merged on"))
    merged_by = models.ForeignKey(
        "merchants.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )  # fmt: skip
    undo_until = models.DateTimeField(_("can be undone until"))
    undone_at = models.DateTimeField(_("undone on"), null=True, blank=True)
    undone_by = models.ForeignKey(
        "merchants.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )  # fmt: skip

    class Meta(TenantModel.Meta):
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "source"], condition=models.Q(undone_at__isnull=True), name="loyalty_merge_once"
            ),
            models.CheckConstraint(condition=~models.Q(source=models.F("target")), name="loyalty_merge_of_two"),
        ]
        indexes: ClassVar = [models.Index(fields=["merchant", "target"], name="loyalty_merge_into")]

    def __str__(self) -> str:
        return f"{self.source_id} → {self.target_id}"
