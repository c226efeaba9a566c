"""Several refused bodies under one key are several items to review."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0009_days_of_the_ledger")]

    operations = [
        migrations.AddField(
            model_name="reviewitem",
            name="fingerprint",
            field=models.CharField(blank=True, default="", editable=False, max_length=64),
        ),
        migrations.RemoveConstraint(model_name="reviewitem", name="loyalty_review_once"),
        migrations.AddConstraint(
            model_name="reviewitem",
            constraint=models.UniqueConstraint(fields=("merchant", "key", "fingerprint"), name="loyalty_review_once"),
        ),
    ]
