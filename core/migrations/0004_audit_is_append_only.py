"""Make the audit append-only for everyone who logs in, and let the admin find its rows and failed events quickly."""

from typing import ClassVar

from django.db import migrations, models

APPEND_ONLY = """
CREATE FUNCTION core_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER core_audit_no_change BEFORE UPDATE OR DELETE ON core_auditentry
    FOR EACH ROW EXECUTE FUNCTION core_audit_append_only();
CREATE TRIGGER core_audit_no_truncate BEFORE TRUNCATE ON core_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION core_audit_append_only();
REVOKE UPDATE, DELETE, TRUNCATE ON core_auditentry FROM loyalty_app, loyalty_platform;
"""

TAKE_BACK = """
DROP TRIGGER core_audit_no_change ON core_auditentry;
DROP TRIGGER core_audit_no_truncate ON core_auditentry;
DROP FUNCTION core_audit_append_only();
GRANT UPDATE, DELETE ON core_auditentry TO loyalty_app, loyalty_platform;
"""


class Migration(migrations.Migration):
    """As for the ledger: the row trigger does not stop TRUNCATE, hence the statement trigger and the REVOKE."""

    dependencies: ClassVar = [("core", "0003_outbox_turns")]
    operations: ClassVar = [
        migrations.RunSQL(APPEND_ONLY, TAKE_BACK),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["action", "-created_at"], name="core_audit_action"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["target"], name="core_audit_target"),
        ),
        migrations.AddIndex(
            model_name="outboxevent",
            index=models.Index(condition=models.Q(("state", "failed")), fields=["id"], name="core_outbox_failed"),
        ),
    ]
