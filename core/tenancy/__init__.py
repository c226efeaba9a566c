"""Tenancy: one merchant's rows are visible only inside that merchant's scope, and the database itself sees to it."""

from core.tenancy.fields import TenantForeignKey, TenantOneToOneField
from core.tenancy.querysets import TenantManager, TenantQuerySet, TenantScopedModel
from core.tenancy.scope import (
    NoTenantScope,
    brief,
    current_merchant_id,
    in_platform,
    lookup,
    platform,
    require_scope,
    scope,
)

__all__ = [
    "NoTenantScope",
    "TenantForeignKey",
    "TenantManager",
    "TenantOneToOneField",
    "TenantQuerySet",
    "TenantScopedModel",
    "brief",
    "current_merchant_id",
    "in_platform",
    "lookup",
    "platform",
    "require_scope",
    "scope",
]
