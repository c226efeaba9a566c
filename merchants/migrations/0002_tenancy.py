"""Put merchants' tables behind the tenant boundary and make the look-ups that come before it."""

from typing import ClassVar

from django.db import migrations

from core.tenancy.operations import LookupFunction, TenantTable


class Migration(migrations.Migration):
    """A merchant sees itself; a person's merchants are found by look-up."""

    dependencies: ClassVar = [("merchants", "0001_initial"), ("core", "0002_tenancy")]
    operations: ClassVar = [
        TenantTable("Merchant", column="id", composite=False),
        TenantTable("Membership"),
        TenantTable("Invitation"),
        TenantTable("MerchantSettings"),
        LookupFunction(
            "all_merchants",
            args="",
            returns="merchant_id uuid",
            body="SELECT m.id FROM public.merchants_merchant m ORDER BY m.id",
            tables=["merchants_merchant"],
            grant="loyalty_owner",
        ),
        LookupFunction(
            "merchants_of_user",
            args="person uuid",
            returns="merchant_id uuid",
            body=(
                "SELECT m.merchant_id FROM public.merchants_membership m "
                "WHERE m.user_id = person AND m.is_active ORDER BY m.created_at"
            ),
            tables=["merchants_membership"],
        ),
        LookupFunction(
            "invitation",
            args="wanted text",
            returns="merchant_id uuid, invitation_id uuid",
            body="SELECT i.merchant_id, i.id FROM public.merchants_invitation i WHERE i.token_hash = wanted",
            tables=["merchants_invitation"],
        ),
    ]
