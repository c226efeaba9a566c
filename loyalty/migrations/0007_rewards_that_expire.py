"""Rewards with a last day are found by it, night after night; built beside the running tills."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("loyalty", "0006_reward_expired")]

    operations = [
        AddIndexConcurrently(
            model_name="issuedreward",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False), ("state", "issued")),
                fields=["expires_at"],
                name="loyalty_issued_expiring",
            ),
        ),
    ]
