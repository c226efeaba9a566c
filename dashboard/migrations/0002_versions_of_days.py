"""Rollups say which days changed when, so that what was counted of past days stays right when today changes.

And how much of what is recent they hold, so that who looks at them need not count it again.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0001_rollups")]

    operations = [
        migrations.AddField(
            model_name="rollupstate", name="changes", field=models.JSONField(db_default=[], default=list)
        ),
        migrations.AddField(
            model_name="rollupstate", name="recent", field=models.BigIntegerField(db_default=-1, default=-1)
        ),
    ]
