"""Every tenant table stands behind the boundary, in the database itself; a new one without it fails here."""

from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import connection, models

from core.ids import uuid7
from core.tenancy import TenantScopedModel
from core.tenancy.fields import TenantForeignKey, TenantOneToOneField
from core.tenancy.operations import constraint_name
from loyalty.models import Reward
from merchants.models import Merchant
from tests.support.world import World
from wallets.models import ApplePass, GooglePass
from wallets.services import passes

OWN_APPS = ("core", "merchants", "stores", "customers", "loyalty", "wallets", "dashboard")
# Not of one tenant: people, who belong to several, and the sessions and permissions around them.
PLATFORM_TABLES = {
    "merchants_user",
    "merchants_user_groups",
    "merchants_user_user_permissions",
    # A device holds cards of several merchants; numbers, credentials and device messages are the platform's.
    "wallets_appledevice",
    "wallets_tagcounter",
    "wallets_devicelog",
    "wallets_providerstate",
}
# What a device may know of passes it registered for: their serial numbers, and the number of the last change.
MORE_THAN_IDS = {"apple_changes": ["serial text", "tag bigint"]}
TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantScopedModel)]
KEYS = [
    pytest.param(model, field, id=f"{model._meta.db_table}.{field.column}")
    for model in TENANT_MODELS
    for field in model._meta.local_fields
    if isinstance(field, (TenantForeignKey, TenantOneToOneField))
]


def column_of(model: type[models.Model]) -> str:
    return "id" if model is Merchant else "merchant_id"


def test_every_table_of_ours_is_a_tenant_table_or_listed() -> None:
    tables = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in OWN_APPS and not issubclass(model, TenantScopedModel)
    }
    assert tables == PLATFORM_TABLES


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.db_table)
def test_policy_is_enabled_and_forced(db: None, model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table]
        )
        assert cursor.fetchone() == (True, True)
        cursor.execute(
            "SELECT policyname, roles::text[], qual, with_check FROM pg_policies WHERE tablename = %s",
            [model._meta.db_table],
        )
        policies = {row[0]: row[1:] for row in cursor.fetchall()}
    roles, using, check = policies["tenant"]
    assert roles == ["public"]
    assert using == check
    assert f"({column_of(model)} = " in using
    assert "NULLIF(current_setting('app.merchant_id'" in using
    assert policies["platform"][0] == ["loyalty_platform"]
    assert set(policies) <= {"tenant", "platform", "lookup"}


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.db_table)
def test_tenant_column_is_never_null(model: type[models.Model]) -> None:
    if model is not Merchant and model._meta.db_table != "core_auditentry":
        assert model._meta.get_field("merchant_id" if _plain(model) else "merchant").null is False


def _plain(model: type[models.Model]) -> bool:
    return model._meta.app_label == "core"


@pytest.mark.parametrize(("model", "field"), KEYS)
def test_foreign_key_spans_the_tenant(db: None, model: type[models.Model], field: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s",
            [constraint_name(model._meta.db_table, field.column)],
        )
        (definition,) = cursor.fetchone()
    target = field.remote_field.model._meta.db_table
    assert definition.startswith(f"FOREIGN KEY (merchant_id, {field.column}) REFERENCES {target}(merchant_id, id)")


def test_no_plain_foreign_key_joins_two_tenant_tables() -> None:
    for model in TENANT_MODELS:
        for field in model._meta.local_fields:
            if isinstance(field, models.ForeignKey) and not isinstance(field, (TenantForeignKey, TenantOneToOneField)):
                target = field.remote_field.model
                assert target is Merchant or not issubclass(target, TenantScopedModel), f"{model}.{field.name}"


@pytest.mark.parametrize(("model", "field"), KEYS)
def test_database_refuses_a_foreign_id(real_db: Any, model: type[models.Model], field: Any) -> None:
    """The application's role points an existing or copied row at another tenant's row; the database says no."""
    world, other = _filled(), _filled()
    target = field.remote_field.model._meta.db_table
    table, column = model._meta.db_table, field.column
    if model in (ApplePass, GooglePass):
        other.card()  # without a pass: the key of one that has a pass would be refused for being there twice
    with real_db.connect_as_app() as wire:
        _enter(wire, other)
        row = wire.execute(f"SELECT id FROM {target} ORDER BY id DESC LIMIT 1").fetchone()
        wire.rollback()
        assert row is not None, f"the test world needs a row in {target}"
        _enter(wire, world)
        mine = wire.execute(f"SELECT to_jsonb(t) FROM {table} t LIMIT 1").fetchone()
        with pytest.raises((psycopg.errors.ForeignKeyViolation, psycopg.errors.RestrictViolation)) as refused:
            if mine is None:
                _insert_bare(wire, model, column, row[0], world)
            elif table == "loyalty_transaction":
                _insert_copy(wire, table, mine[0], column, row[0])
            else:
                wire.execute(f"UPDATE {table} SET {column} = %s", (row[0],))
    assert constraint_name(table, column) in str(refused.value)


def _filled() -> World:
    world = World.make(loyalty_type="hybrid", points_per_euro="10", stamps_target=1)
    card = world.card(email="marie@example.com", name="Marie")
    world.staff()
    world.terminal()
    sale = world.sale(card, 2000, who=None)
    from core import tenancy

    with tenancy.scope(world.merchant_id):
        reward = Reward.objects.create(program=world.program, name="Scarf", points_cost=10)
        passes.apple(card.pk)
        passes.google(card.pk)
    world.spend(card, reward.id)
    world.refund(sale["transaction_id"], 100)
    return world


def _enter(wire: psycopg.Connection[Any], world: World) -> None:
    wire.execute("SELECT set_config('app.merchant_id', %s, true)", (str(world.merchant_id),))


def _insert_copy(wire: psycopg.Connection[Any], table: str, row: dict[str, Any], column: str, value: Any) -> None:
    from psycopg.types.json import Jsonb

    other = {"id": str(uuid7()), "seq": 9999, "idempotency_key": "copy", "type": "adjustment"}
    changed = {**row, **other, column: str(value)}
    wire.execute(f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s)", (Jsonb(changed),))


def _insert_bare(
    wire: psycopg.Connection[Any], model: type[models.Model], column: str, value: Any, world: World
) -> None:
    """Insert a row of a table that the world leaves empty, with plausible values for what may not be null."""
    row: dict[str, Any] = {}
    for field in model._meta.local_fields:
        if field.column == "merchant_id":
            row[field.column] = world.merchant_id
        elif field.column == column:
            row[field.column] = value
        elif isinstance(field, (TenantForeignKey, TenantOneToOneField)):
            found = wire.execute(f"SELECT id FROM {field.remote_field.model._meta.db_table} LIMIT 1").fetchone()
            row[field.column] = found[0] if found and not field.null else None
        elif isinstance(field, models.ForeignKey):
            person = field.remote_field.model._meta.label == "merchants.User"
            row[field.column] = None if field.null else world.owner.pk if person else 0
        elif not field.null:
            row[field.column] = _plausible(field, value)
    marks = ", ".join(["%s"] * len(row))
    wire.execute(f"INSERT INTO {model._meta.db_table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


def _plausible(field: Any, value: Any) -> Any:
    if isinstance(field, models.UUIDField):
        return value
    if isinstance(field, models.BooleanField):
        return True
    if isinstance(field, models.DateTimeField):
        return "2026-01-01T00:00:00Z"
    if isinstance(field, models.JSONField):
        return "{}"
    if isinstance(field, models.IntegerField):
        return 1
    return "x"


def test_raw_sql_without_the_setting_sees_0_rows_in_every_tenant_table(real_db: Any) -> None:
    _filled()
    with real_db.connect_as_app() as wire:
        for model in TENANT_MODELS:
            found = wire.execute(f"SELECT count(*) FROM {model._meta.db_table}").fetchone()
            assert found == (0,), model._meta.db_table


def test_lookup_functions_are_narrow(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.proname, pg_get_userbyid(p.proowner), p.prosecdef, p.proconfig, pg_get_function_result(p.oid),
                   has_function_privilege('public', p.oid, 'EXECUTE')
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'lookup'
            """
        )
        functions = cursor.fetchall()
    assert len(functions) >= 10
    for name, owner, definer, config, result, public in functions:
        assert owner == "loyalty_lookup", name
        assert definer is True, name
        assert config == ["search_path=pg_catalog, pg_temp"], name
        assert public is False, name
        columns = result.removeprefix("TABLE(").removesuffix(")").split(", ")
        ids_only = all(column.endswith(" uuid") for column in columns)
        assert ids_only or columns == MORE_THAN_IDS.get(name), f"{name} returns more than ids: {result}"
