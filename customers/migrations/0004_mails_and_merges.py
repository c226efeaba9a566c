"""Mails as rows, whose own card it is, and records of one person made one."""

import django.db.models.deletion
from django.db import migrations, models

import core.ids
import core.tenancy.fields
from core.tenancy.operations import TenantKey, TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0003_tenancy"),
        ("merchants", "0003_settings_for_people"),
        ("stores", "0002_tenancy"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="merged_into",
            field=core.tenancy.fields.TenantForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="staff_pin",
            field=core.tenancy.fields.TenantForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stores.staffpin",
            ),
        ),
        migrations.AddField(
            model_name="magiclink",
            name="address",
            field=models.CharField(blank=True, max_length=254),
        ),
        migrations.CreateModel(
            name="Mail",
            fields=[
                ("id", models.UUIDField(default=core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("confirm", "Confirm the address"),
                            ("known", "There is a card already"),
                            ("recover", "The way back to the card"),
                            ("card", "The card by mail"),
                            ("reward_ready", "A reward is ready"),
                            ("one_stamp_away", "One stamp away"),
                            ("points_expiring", "Points expire soon"),
                        ],
                        max_length=24,
                        verbose_name="kind",
                    ),
                ),
                ("purpose", models.CharField(blank=True, max_length=12, verbose_name="purpose")),
                ("event", models.CharField(db_collation="C", max_length=128)),
                ("facts", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("inflight", "Being sent"),
                            ("sent", "Sent"),
                            ("dropped", "Dropped"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("due_at", models.DateTimeField(verbose_name="due")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="tries")),
                ("last_error", models.CharField(blank=True, max_length=200, verbose_name="last error")),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent on")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "customer",
                    core.tenancy.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.customer",
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
            ],
            options={
                "verbose_name": "mail",
                "verbose_name_plural": "mails",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(condition=models.Q(("state", "queued")), fields=["due_at"], name="customers_mail_due"),
                    models.Index(
                        condition=models.Q(("state", "inflight")), fields=["claimed_at"], name="customers_mail_inflight"
                    ),
                    models.Index(fields=["merchant", "customer", "-created_at"], name="customers_mail_of"),
                ],
                "constraints": [models.UniqueConstraint(fields=("merchant", "event"), name="customers_mail_once")],
            },
        ),
        TenantKey("Customer", "merged_into"),
        TenantKey("Customer", "staff_pin"),
        TenantTable("Mail"),
    ]
