"""Remember what was ever handed out of a pass, to know whether a new device can hold anything but the newest."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """A column with a constant default: no row is rewritten."""

    dependencies: ClassVar = [("wallets", "0002_tenancy")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="applepass",
            name="handed_hash",
            field=models.CharField(blank=True, default="", editable=False, max_length=64),
        ),
    ]
