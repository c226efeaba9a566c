"""The tables of the statistics, each behind the tenant boundary."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from core.tenancy.operations import TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("merchants", "0003_settings_for_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="DayBalance",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("program_id", models.UUIDField()),
                ("store_id", models.UUIDField()),
                ("day", models.DateField()),
                ("cards", models.IntegerField()),
                ("stamps", models.BigIntegerField()),
                ("points", models.BigIntegerField()),
                ("debt", models.BigIntegerField()),
                (
                    "merchant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="merchants.merchant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "day", "store_id", "program_id"), name="dashboard_daybalance_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DayFigures",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("program_id", models.UUIDField()),
                ("store_id", models.UUIDField(null=True)),
                ("staff_id", models.UUIDField(null=True)),
                ("day", models.DateField()),
                ("new_cards", models.IntegerField()),
                ("visits", models.IntegerField()),
                (
                    "visits_by_hour",
                    django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=24),
                ),
                ("stamps_given", models.BigIntegerField()),
                ("rewards_issued", models.IntegerField()),
                ("rewards_expired", models.IntegerField()),
                ("stamp_rewards_redeemed", models.IntegerField()),
                ("points_rewards_redeemed", models.IntegerField()),
                ("points_earned", models.BigIntegerField()),
                ("points_refunded", models.BigIntegerField()),
                ("points_adjusted", models.BigIntegerField()),
                ("points_moved", models.BigIntegerField()),
                ("points_redeemed", models.BigIntegerField()),
                ("points_expired", models.BigIntegerField()),
                ("sales", models.IntegerField()),
                ("sales_cents", models.BigIntegerField()),
                (
                    "merchant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="merchants.merchant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "day", "store_id", "program_id", "staff_id"),
                        name="dashboard_dayfigures_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FirstReward",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("card_id", models.UUIDField()),
                ("store_id", models.UUIDField(null=True)),
                ("day", models.DateField()),
                ("days", models.IntegerField()),
                (
                    "merchant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="merchants.merchant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["merchant", "day"], name="dashboard_firstreward_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("merchant", "card_id"), name="dashboard_firstreward_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Presence",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("card_id", models.UUIDField()),
                ("store_id", models.UUIDField()),
                ("day", models.DateField()),
                ("since", models.DateField()),
                ("visits", models.IntegerField()),
                (
                    "merchant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="merchants.merchant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "day", "card_id", "store_id"),
                        include=("since", "visits"),
                        name="dashboard_presence_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RollupState",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("covered_until", models.DateTimeField()),
                ("refreshed_at", models.DateTimeField()),
                ("version", models.BigIntegerField(default=1)),
                ("zones", models.JSONField(default=dict)),
                (
                    "merchant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="merchants.merchant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("merchant",), name="dashboard_rollupstate_once")],
            },
        ),
        TenantTable("DayBalance", composite=False),
        TenantTable("DayFigures", composite=False),
        TenantTable("FirstReward", composite=False),
        TenantTable("Presence", composite=False),
        TenantTable("RollupState", composite=False),
    ]
