"""Put the wallets' tables behind the tenant boundary and make the look-ups that come before it."""

from typing import ClassVar

from django.db import migrations

from core.tenancy.operations import LookupFunction, TenantTable

# Passes of all merchants share one pass type, and a device asks for all of its passes at once.
CHANGED = """
    SELECT p.serial::text, GREATEST(p.change_tag, r.tag)
    FROM public.wallets_appledevice d
    JOIN public.wallets_appledeviceregistration r ON r.device_id = d.id
    JOIN public.wallets_applepass p ON p.merchant_id = r.merchant_id AND p.id = r.apple_pass_id
    WHERE d.device_library_id = wanted AND GREATEST(p.change_tag, r.tag) > since
"""


class Migration(migrations.Migration):
    """An Apple pass is found by its serial number, a device's passes by the device, a Google object by its name."""

    dependencies: ClassVar = [("wallets", "0001_initial"), ("loyalty", "0010_reviews_by_fingerprint")]
    operations: ClassVar = [
        TenantTable("ApplePass"),
        TenantTable("AppleDeviceRegistration"),
        TenantTable("GoogleClass"),
        TenantTable("GooglePass"),
        TenantTable("GoogleCallback"),
        TenantTable("PassUpdate"),
        LookupFunction(
            "apple_pass",
            args="wanted text",
            returns="merchant_id uuid, pass_id uuid",
            body="SELECT p.merchant_id, p.id FROM public.wallets_applepass p WHERE p.serial = wanted",
            tables=["wallets_applepass"],
        ),
        LookupFunction(
            "apple_changes",
            args="wanted text, since bigint",
            returns="serial text, tag bigint",
            body=CHANGED,
            tables=["wallets_applepass", "wallets_appledeviceregistration"],
        ),
        LookupFunction(
            "google_object",
            args="wanted text",
            returns="merchant_id uuid, pass_id uuid",
            body="SELECT p.merchant_id, p.id FROM public.wallets_googlepass p WHERE p.object_id = wanted",
            tables=["wallets_googlepass"],
        ),
        LookupFunction(
            "google_class",
            args="wanted text",
            returns="merchant_id uuid, class_id uuid",
            body="SELECT c.merchant_id, c.id FROM public.wallets_googleclass c WHERE c.class_id = wanted",
            tables=["wallets_googleclass"],
        ),
        migrations.RunSQL(
            # A device's table is not a tenant's: the look-up's owner needs the right to read it, and no policy.
            "GRANT SELECT ON public.wallets_appledevice TO loyalty_lookup",
            "REVOKE SELECT ON public.wallets_appledevice FROM loyalty_lookup",
        ),
        migrations.RunSQL(
            # Rewritten with every change: room on the page keeps the updates cheap.
            """
            ALTER TABLE wallets_passupdate SET (fillfactor = 80);
            ALTER TABLE wallets_applepass SET (fillfactor = 80);
            ALTER TABLE wallets_googlepass SET (fillfactor = 80);
            ALTER TABLE wallets_tagcounter SET (fillfactor = 50);
            """,
            migrations.RunSQL.noop,
        ),
    ]
