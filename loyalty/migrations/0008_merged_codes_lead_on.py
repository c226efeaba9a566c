"""A code or secret of a card that was merged leads to the card that goes on."""

from typing import ClassVar

from django.db import migrations

from core.tenancy.operations import LookupFunction

LEADS_TO = "SELECT c.merchant_id, COALESCE(c.merged_into_id, c.id) FROM public.loyalty_card c WHERE c.{column} = wanted"


class Migration(migrations.Migration):
    """Both codes of merged cards go on working (rule 25), before the tenant is known too."""

    dependencies: ClassVar = [("loyalty", "0007_rewards_that_expire")]
    operations: ClassVar = [
        LookupFunction(
            "card_by_secret",
            args="wanted text",
            returns="merchant_id uuid, card_id uuid",
            body=LEADS_TO.format(column="access_hash"),
            tables=["loyalty_card"],
        ),
        LookupFunction(
            "card_by_code",
            args="wanted text",
            returns="merchant_id uuid, card_id uuid",
            body=LEADS_TO.format(column="qr_code_data"),
            tables=["loyalty_card"],
        ),
    ]
