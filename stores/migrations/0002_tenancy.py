"""Put stores' tables behind the tenant boundary and make the look-ups that come before it."""

from typing import ClassVar

from django.db import migrations

from core.tenancy.operations import LookupFunction, TenantTable


class Migration(migrations.Migration):
    """A store is found by its code; a terminal, a key and a pairing by the hash of what they show."""

    dependencies: ClassVar = [("stores", "0001_initial"), ("merchants", "0002_tenancy")]
    operations: ClassVar = [
        TenantTable("Store"),
        TenantTable("StaffPin"),
        TenantTable("StaffPinStore"),
        TenantTable("PinGuard"),
        TenantTable("Terminal"),
        TenantTable("TerminalPairing"),
        TenantTable("ApiKey"),
        LookupFunction(
            "store",
            args="wanted text",
            returns="merchant_id uuid, store_id uuid",
            body="SELECT s.merchant_id, s.id FROM public.stores_store s WHERE s.code = wanted",
            tables=["stores_store"],
        ),
        LookupFunction(
            "api_key",
            args="wanted_prefix text, wanted_hash text",
            returns="merchant_id uuid, api_key_id uuid",
            body=(
                "SELECT k.merchant_id, k.id FROM public.stores_apikey k "
                "WHERE k.prefix = wanted_prefix AND k.key_hash = wanted_hash AND k.revoked_at IS NULL"
            ),
            tables=["stores_apikey"],
        ),
        LookupFunction(
            "terminal",
            args="wanted_prefix text, wanted_hash text",
            returns="merchant_id uuid, terminal_id uuid",
            body=(
                "SELECT t.merchant_id, t.id FROM public.stores_terminal t "
                "WHERE t.token_prefix = wanted_prefix AND t.token_hash = wanted_hash AND t.revoked_at IS NULL"
            ),
            tables=["stores_terminal"],
        ),
        LookupFunction(
            "pairing",
            args="wanted text",
            returns="merchant_id uuid, pairing_id uuid",
            body="SELECT p.merchant_id, p.id FROM public.stores_terminalpairing p WHERE p.code_hash = wanted",
            tables=["stores_terminalpairing"],
        ),
    ]
