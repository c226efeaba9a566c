"""Migration operations that make a table a tenant table, and the helper for data migrations.

TenantTable("Card") after CreateModel: UNIQUE (merchant_id, id), composite foreign keys for every tenant key of the
model, row-level security enabled and FORCED, the tenant policy, the platform's policy.
LookupFunction: a narrow SECURITY DEFINER function owned by loyalty_lookup that returns ids only.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection as default_connection
from django.db.migrations.operations.base import Operation

from core.tenancy.fields import TenantForeignKey, TenantOneToOneField

# After a transaction the setting is '' and not NULL on a pooled connection: without NULLIF the cast would fail.
CURRENT = "(SELECT NULLIF(current_setting('app.merchant_id', true), '')::uuid)"


class TenantTable(Operation):
    """Put a model's table behind the tenant boundary."""

    reversible = True
    reduces_to_sql = True

    def __init__(self, name: str, *, column: str = "merchant_id", composite: bool = True) -> None:
        self.name, self.column, self.composite = name, column, composite

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing in Django's picture of the models."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Write the key, the constraints and the policies."""
        model = to_state.apps.get_model(app_label, self.name)
        for statement in self.statements(model):
            schema_editor.execute(statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Take the policies off again (the table is dropped by CreateModel's reverse)."""
        model = from_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        for policy in ("tenant", "platform"):
            schema_editor.execute(f'DROP POLICY IF EXISTS {policy} ON "{table}"', params=None)
        schema_editor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY', params=None)

    def statements(self, model: Any) -> list[str]:
        """Return the SQL for one model."""
        table, column = model._meta.db_table, self.column
        sql = []
        if self.composite:
            sql.append(f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_tenant_key" UNIQUE ("{column}", "id")')
            sql += [composite_key(table, field) for field in tenant_keys(model)]
        sql += [
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
            f'CREATE POLICY tenant ON "{table}" USING ("{column}" = {CURRENT}) WITH CHECK ("{column}" = {CURRENT})',
            f'CREATE POLICY platform ON "{table}" TO loyalty_platform USING (true) WITH CHECK (true)',
        ]
        return sql

    def describe(self) -> str:
        """Say what the operation does."""
        return f"Put {self.name} behind the tenant boundary"


class TenantKey(Operation):
    """Add the composite foreign key of one field that was added to an existing tenant table."""

    reversible = True
    reduces_to_sql = True

    def __init__(self, name: str, field: str) -> None:
        self.name, self.field = name, field

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing in Django's picture of the models."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Add the constraint."""
        model = to_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        schema_editor.execute(composite_key(table, model._meta.get_field(self.field)), params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the constraint."""
        model = from_state.apps.get_model(app_label, self.name)
        name = constraint_name(model._meta.db_table, model._meta.get_field(self.field).column)
        schema_editor.execute(f'ALTER TABLE "{model._meta.db_table}" DROP CONSTRAINT IF EXISTS "{name}"', params=None)

    def describe(self) -> str:
        """Say what the operation does."""
        return f"Tie {self.name}.{self.field} to its tenant"


class LookupFunction(Operation):
    """Make `lookup.<name>(args)`, owned by loyalty_lookup, which sees the named tables and returns ids only."""

    reversible = True
    reduces_to_sql = True

    def __init__(
        self, name: str, *, args: str, returns: str, body: str, tables: list[str], grant: str = "loyalty_app"
    ) -> None:
        self.name, self.args, self.returns, self.body = name, args, returns, body
        self.tables, self.grant = tables, grant

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing in Django's picture of the models."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Let loyalty_lookup read the tables and create the function as its own."""
        for table in self.tables:
            schema_editor.execute(f'GRANT SELECT ON public."{table}" TO loyalty_lookup', params=None)
            schema_editor.execute(f'DROP POLICY IF EXISTS lookup ON "{table}"', params=None)
            schema_editor.execute(
                f'CREATE POLICY lookup ON "{table}" FOR SELECT TO loyalty_lookup USING (true)', params=None
            )
        signature = f"lookup.{self.name}({self.args})"
        schema_editor.execute("SET LOCAL ROLE loyalty_lookup", params=None)
        schema_editor.execute(
            f"CREATE OR REPLACE FUNCTION {signature} RETURNS TABLE ({self.returns}) LANGUAGE sql STABLE "
            f"SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$ {self.body} $body$",
            params=None,
        )
        schema_editor.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC", params=None)
        schema_editor.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {self.grant}", params=None)
        schema_editor.execute("RESET ROLE", params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the function."""
        schema_editor.execute("SET LOCAL ROLE loyalty_lookup", params=None)
        schema_editor.execute(f"DROP FUNCTION IF EXISTS lookup.{self.name}", params=None)
        schema_editor.execute("RESET ROLE", params=None)

    def describe(self) -> str:
        """Say what the operation does."""
        return f"Create lookup.{self.name}"


def for_each_merchant(change: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Wrap a data migration so that it runs once per merchant with the tenant setting.

    Under FORCE ROW LEVEL SECURITY the owner sees no row without the setting, and a plain RunPython would do nothing,
    silently. Use: `RunPython(for_each_merchant(fill), RunPython.noop)`; `change(apps, schema_editor)` as usual.
    """

    def run(apps: Any, schema_editor: Any) -> None:
        connection = schema_editor.connection if schema_editor is not None else default_connection
        with connection.cursor() as cursor:
            cursor.execute("SELECT merchant_id FROM lookup.all_merchants()")
            merchants = [row[0] for row in cursor.fetchall()]
            for merchant in merchants:
                cursor.execute("SELECT set_config('app.merchant_id', %s, true)", [str(merchant)])
                change(apps, schema_editor)
            cursor.execute("SELECT set_config('app.merchant_id', '', true)")

    return run


def tenant_keys(model: Any) -> list[Any]:
    """Return the fields of a model that point at another tenant table."""
    return [field for field in model._meta.local_fields if isinstance(field, (TenantForeignKey, TenantOneToOneField))]


def composite_key(table: str, field: Any) -> str:
    """Return the SQL of the composite foreign key of one field."""
    target = field.remote_field.model._meta.db_table
    name = constraint_name(table, field.column)
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY ("merchant_id", "{field.column}") '
        f'REFERENCES "{target}" ("merchant_id", "id") DEFERRABLE INITIALLY IMMEDIATE'
    )


def constraint_name(table: str, column: str) -> str:
    """Return the name of a composite foreign key, within PostgreSQL's 63 bytes."""
    return f"{table}_{column}_tenant_fk"[-63:]
