"""A merchant's consent that the platform's people look into its pages for a while."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from merchants.models.tenant import TenantModel


class SupportConsent(TenantModel):
    """An owner lets the platform's administrators look, and never change; ends by time or when it is withdrawn.

    Rows are kept: they say in whose name anybody looked.
    """

    granted_by = models.ForeignKey("merchants.User", on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField(_("granted at"))
    expires_at = models.DateTimeField(_("ends at"))
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        "merchants.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )  # fmt: skip

    class Meta(TenantModel.Meta):
        verbose_name = _("consent to a look")
        verbose_name_plural = _("consents to a look")
        indexes: ClassVar = [models.Index(fields=["merchant", "-granted_at"], name="merchants_support_latest")]

    def __str__(self) -> str:
        return f"{self.granted_at:%Y-%m-%d %H:%M}"

    def holds(self, at: datetime) -> bool:
        """Tell whether one may look at this moment."""
        return self.withdrawn_at is None and self.expires_at > at
