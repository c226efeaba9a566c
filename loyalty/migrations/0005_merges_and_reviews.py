"""Merges of cards, what a manager must look at, and when points may expire at the earliest."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.tenancy.fields
from core.tenancy.operations import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0004_ledger_is_append_only"),
        ("merchants", "0003_settings_for_people"),
        ("stores", "0002_tenancy"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="program",
            name="expiry_not_before",
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.CreateModel(
            name="CardMerge",
            fields=[
                ("id", models.UUIDField(default=core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("idempotency_key", models.CharField(db_collation="C", max_length=128)),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("moved", models.JSONField(default=dict)),
                ("merged_at", models.DateTimeField(verbose_name="merged on")),
                ("undo_until", models.DateTimeField(verbose_name="can be undone until")),
                ("undone_at", models.DateTimeField(blank=True, null=True, verbose_name="undone on")),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="merchants.merchant",
                    ),
                ),
                (
                    "merged_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    core.tenancy.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.card",
                    ),
                ),
                (
                    "target",
                    core.tenancy.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.card",
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["merchant", "target"], name="loyalty_merge_into")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at__isnull", True)),
                        fields=("merchant", "source"),
                        name="loyalty_merge_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source", models.F("target")), _negated=True), name="loyalty_merge_of_two"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewItem",
            fields=[
                ("id", models.UUIDField(default=core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("key", models.CharField(db_collation="C", max_length=128)),
                ("op", models.CharField(max_length=16, verbose_name="operation")),
                ("body", models.JSONField(default=dict)),
                ("code", models.CharField(max_length=32, verbose_name="reason")),
                ("facts", models.JSONField(default=dict)),
                ("occurred_at", models.DateTimeField(verbose_name="when")),
                ("received_at", models.DateTimeField(verbose_name="received")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "To look at"), ("accepted", "Booked"), ("dismissed", "Dismissed")],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "card",
                    core.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.card",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="merchants.merchant",
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "staff_pin",
                    core.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="stores.staffpin",
                    ),
                ),
                (
                    "store",
                    core.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="stores.store",
                    ),
                ),
                (
                    "terminal",
                    core.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="stores.terminal",
                    ),
                ),
                (
                    "transaction",
                    core.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loyalty.transaction",
                    ),
                ),
            ],
            options={
                "verbose_name": "item to review",
                "verbose_name_plural": "items to review",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["merchant", "-received_at"], name="loyalty_review_recent")],
                "constraints": [models.UniqueConstraint(fields=("merchant", "key"), name="loyalty_review_once")],
            },
        ),
        TenantTable("CardMerge"),
        TenantTable("ReviewItem"),
    ]
