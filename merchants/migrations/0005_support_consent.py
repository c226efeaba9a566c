"""Merchants let the platform's people look into their pages for a while."""

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
from core.tenancy.operations import TenantTable


class Migration(migrations.Migration):
    """The table, behind the tenant boundary."""

    dependencies: ClassVar = [("merchants", "0004_invitations_by_script")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="SupportConsent",
            fields=[
                ("id", models.UUIDField(default=core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("granted_at", models.DateTimeField(verbose_name="granted at")),
                ("expires_at", models.DateTimeField(verbose_name="ends at")),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="withdrawn at")),
                (
                    "granted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+",
                        to="merchants.merchant",
                    ),
                ),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "consent to a look",
                "verbose_name_plural": "consents to a look",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddIndex(
            model_name="supportconsent",
            index=models.Index(fields=["merchant", "-granted_at"], name="merchants_support_latest"),
        ),
        TenantTable("SupportConsent"),
    ]  # fmt: skip
