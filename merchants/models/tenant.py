"""The base of every tenant table."""

from django.db import models

from core.ids import uuid7
from core.tenancy import TenantScopedModel


class TenantModel(TenantScopedModel):
    """A row of one merchant: UUIDv7 id, a non-null merchant, guarded by the database's policy."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index of its own: the key (merchant_id, id) that TenantTable adds begins with it.
    merchant = models.ForeignKey(
        "merchants.Merchant", on_delete=models.PROTECT, related_name="+", editable=False, db_index=False
    )

    class Meta(TenantScopedModel.Meta):
        abstract = True
