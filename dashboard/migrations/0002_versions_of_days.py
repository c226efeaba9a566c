"""What was counted of days that are long past stays right when today changes: rollups say which days changed when."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0001_rollups")]

    operations = [
        migrations.AddField(
            model_name="rollupstate", name="changes", field=models.JSONField(db_default=[], default=list)
        ),
    ]
