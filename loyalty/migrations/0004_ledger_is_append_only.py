"""Make the ledger append-only for everyone, and keep card updates on their page."""

from typing import ClassVar

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION loyalty_ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER loyalty_ledger_no_change BEFORE UPDATE OR DELETE ON loyalty_transaction
    FOR EACH ROW EXECUTE FUNCTION loyalty_ledger_append_only();
CREATE TRIGGER loyalty_ledger_no_truncate BEFORE TRUNCATE ON loyalty_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_ledger_append_only();
REVOKE UPDATE, DELETE, TRUNCATE ON loyalty_transaction FROM loyalty_app, loyalty_platform;
"""

TAKE_BACK = """
DROP TRIGGER loyalty_ledger_no_change ON loyalty_transaction;
DROP TRIGGER loyalty_ledger_no_truncate ON loyalty_transaction;
DROP FUNCTION loyalty_ledger_append_only();
GRANT UPDATE, DELETE ON loyalty_transaction TO loyalty_app, loyalty_platform;
"""

# A stamp updates a card in place (HOT) as long as its page has room and no index holds a changed column.
ROOM = "ALTER TABLE loyalty_card SET (fillfactor = 80)"


class Migration(migrations.Migration):
    """The row trigger does not stop TRUNCATE, hence the statement trigger and the REVOKE."""

    dependencies: ClassVar = [("loyalty", "0003_tenancy")]
    operations: ClassVar = [
        migrations.RunSQL(APPEND_ONLY, TAKE_BACK),
        migrations.RunSQL(ROOM, migrations.RunSQL.noop),
    ]
