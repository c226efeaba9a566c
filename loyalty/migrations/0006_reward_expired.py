"""A reward that was not collected in time leaves its card by a row of the ledger."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0005_merges_and_reviews")]

    operations = [
        migrations.AlterField(
            model_name="transaction",
            name="type",
            field=models.CharField(
                choices=[
                    ("card_enrolled", "Card made"),
                    ("welcome_bonus", "Welcome bonus"),
                    ("stamp_earned", "Stamp"),
                    ("stamp_redeemed", "Reward redeemed"),
                    ("points_earned", "Points"),
                    ("points_redeemed", "Points redeemed"),
                    ("points_expired", "Points expired"),
                    ("reward_issued", "Reward ready"),
                    ("reward_expired", "Reward expired"),
                    ("void", "Undone"),
                    ("refund", "Refund"),
                    ("adjustment", "Adjustment"),
                    ("merge_in", "Merged in"),
                    ("merge_out", "Merged out"),
                    ("import", "Imported"),
                ],
                max_length=16,
                verbose_name="type",
            ),
        ),
    ]
