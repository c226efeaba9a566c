"""Put loyalty's tables behind the tenant boundary and make the look-ups that come before it."""

from typing import ClassVar

from django.db import migrations

from core.tenancy.operations import LookupFunction, TenantTable


class Migration(migrations.Migration):
    """A card is found by the hash of its secret (its customer) or by its code (a till)."""

    dependencies: ClassVar = [("loyalty", "0002_keys"), ("customers", "0003_tenancy")]
    operations: ClassVar = [
        TenantTable("Program"),
        TenantTable("ProgramVersion"),
        TenantTable("StoreProgram"),
        TenantTable("Reward"),
        TenantTable("Card"),
        TenantTable("IssuedReward"),
        TenantTable("Transaction"),
        TenantTable("TransactionDetail"),
        TenantTable("RefusedAttempt"),
        LookupFunction(
            "card_by_secret",
            args="wanted text",
            returns="merchant_id uuid, card_id uuid",
            body="SELECT c.merchant_id, c.id FROM public.loyalty_card c WHERE c.access_hash = wanted",
            tables=["loyalty_card"],
        ),
        LookupFunction(
            "card_by_code",
            args="wanted text",
            returns="merchant_id uuid, card_id uuid",
            body="SELECT c.merchant_id, c.id FROM public.loyalty_card c WHERE c.qr_code_data = wanted",
            tables=["loyalty_card"],
        ),
    ]
