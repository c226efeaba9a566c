"""The back office lists the cards on which a reward waits; most cards have none, so the index is small.

Only the stamp that fills a card, a redemption and their undoing move a card in it.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("loyalty", "0010_reviews_by_fingerprint")]

    operations = [
        AddIndexConcurrently(
            model_name="card",
            index=models.Index(
                condition=models.Q(("rewards_ready__gt", 0)),
                fields=["merchant", "-last_activity_on", "-id"],
                name="loyalty_card_ready",
            ),
        ),
    ]
