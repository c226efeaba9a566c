"""Put core's tables behind the tenant boundary."""

from typing import ClassVar

from django.db import migrations

from core.tenancy.operations import TenantTable


class Migration(migrations.Migration):
    """Policies of outbox, idempotency and audit; the tenant is a plain uuid there."""

    dependencies: ClassVar = [("core", "0001_initial")]
    operations: ClassVar = [
        TenantTable("OutboxEvent", composite=False),
        TenantTable("IdempotencyRecord", composite=False),
        TenantTable("AuditEntry", composite=False),
    ]
