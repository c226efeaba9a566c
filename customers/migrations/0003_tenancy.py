"""Put customers' tables behind the tenant boundary and make the look-ups that come before it."""

from typing import ClassVar

from django.db import migrations

from core.tenancy.operations import LookupFunction, TenantTable

EVIDENCE = "REVOKE DELETE, TRUNCATE ON customers_consent FROM loyalty_app, loyalty_platform"


class Migration(migrations.Migration):
    """Consents are evidence and are never deleted; a magic link is found by the hash of its token."""

    dependencies: ClassVar = [("customers", "0002_keys"), ("stores", "0002_tenancy")]
    operations: ClassVar = [
        TenantTable("Customer"),
        TenantTable("Consent"),
        TenantTable("MagicLink"),
        migrations.RunSQL(EVIDENCE, migrations.RunSQL.noop),
        LookupFunction(
            "magic_link",
            args="wanted text",
            returns="merchant_id uuid, magic_link_id uuid",
            body="SELECT l.merchant_id, l.id FROM public.customers_magiclink l WHERE l.token_hash = wanted",
            tables=["customers_magiclink"],
        ),
    ]
