"""Let a merchant's page count the cards in Google Wallet and the updates that failed without reading all rows."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Two partial indexes; both hold few of the table's rows."""

    dependencies: ClassVar = [("wallets", "0003_handed_hash")]
    operations: ClassVar = [
        migrations.AddIndex(
            model_name="googlepass",
            index=models.Index(condition=models.Q(("saved", True)), fields=["merchant"], name="wallets_google_saved"),
        ),
        migrations.AddIndex(
            model_name="passupdate",
            index=models.Index(
                condition=models.Q(("state", "failed")),
                fields=["merchant", "provider"],
                name="wallets_update_failed_of",
            ),
        ),
    ]
