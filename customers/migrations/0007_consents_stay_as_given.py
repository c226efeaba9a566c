"""Let nobody change what a consent says: only its address can be taken off, when its person is erased."""

from typing import ClassVar

from django.db import migrations

EVIDENCE = """
REVOKE UPDATE ON customers_consent FROM loyalty_app, loyalty_platform;
GRANT UPDATE (address) ON customers_consent TO loyalty_app, loyalty_platform;
"""
TAKE_BACK = "GRANT UPDATE ON customers_consent TO loyalty_app, loyalty_platform"


class Migration(migrations.Migration):
    """DELETE and TRUNCATE were taken away when the table was made."""

    dependencies: ClassVar = [("customers", "0006_failed_mails")]
    operations: ClassVar = [migrations.RunSQL(EVIDENCE, TAKE_BACK)]
