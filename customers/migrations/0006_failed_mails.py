"""Let the administrators' panel count failed mails without reading the others."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """One small index of the failed ones."""

    dependencies: ClassVar = [("customers", "0005_new_addresses")]
    operations: ClassVar = [
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(condition=models.Q(("state", "failed")), fields=["id"], name="customers_mail_failed"),
        ),
    ]
