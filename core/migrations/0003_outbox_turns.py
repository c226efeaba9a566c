"""Let the relay take turns among merchants and find forgotten claims without walking through the whole outbox."""

from typing import ClassVar

from django.db import migrations, models

# Rows change state within seconds: vacuum early, so that the partial indexes stay small.
EAGER = "ALTER TABLE core_outboxevent SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)"
USUAL = "ALTER TABLE core_outboxevent RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)"


class Migration(migrations.Migration):
    """One index per open state: a row stands in one of them at a time."""

    dependencies: ClassVar = [("core", "0002_tenancy")]
    operations: ClassVar = [
        migrations.RemoveIndex(model_name="outboxevent", name="core_outbox_open"),
        migrations.AddIndex(
            model_name="outboxevent",
            index=models.Index(
                condition=models.Q(("state", "queued")), fields=["merchant_id", "id"], name="core_outbox_queued"
            ),
        ),
        migrations.AddIndex(
            model_name="outboxevent",
            index=models.Index(
                condition=models.Q(("state", "inflight")), fields=["claimed_at"], name="core_outbox_inflight"
            ),
        ),
        migrations.RunSQL(EAGER, USUAL),
    ]
