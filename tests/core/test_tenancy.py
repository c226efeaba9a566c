"""Scopes: who sees what, nested and not, in real commits; outside of one nothing works."""

import threading
from typing import Any

import pytest
from django.db import DataError, IntegrityError, ProgrammingError, connection, transaction

from core import tenancy
from core.ids import uuid7
from core.models import AuditEntry, OutboxEvent
from core.tenancy.operations import for_each_merchant
from merchants.models import Merchant, MerchantSettings
from stores.models import Store
from tests.support.world import World


def names() -> list[str]:
    return [store.name for store in Store.objects.order_by("name")]


def test_it_works(real_db: Any) -> None:
    world, other = World.make(), World.make()

    with tenancy.scope(world.merchant_id):
        assert Merchant.objects.get().pk == world.merchant_id
    with tenancy.scope(other.merchant_id):
        assert Merchant.objects.get().pk == other.merchant_id


@pytest.mark.parametrize(
    "use",
    [
        lambda: list(Store.objects.all()),
        lambda: Store.objects.count(),
        lambda: Store.objects.exists(),
        lambda: Store.objects.first(),
        lambda: Store.objects.filter(name="x").update(name="y"),
        lambda: Store.objects.filter(name="x").delete(),
        lambda: Store.objects.aggregate(),
        lambda: Store.objects.create(name="x", code="x"),
        lambda: Store(name="x", code="x").save(),
        lambda: Store.objects.bulk_create([Store(name="x", code="x")]),
        lambda: list(Store.objects.iterator()),
        lambda: list(Store.objects.values_list("id")),
        lambda: OutboxEvent.objects.count(),
    ],
)
def test_outside_a_scope_everything_raises(db: None, use: Any) -> None:
    with pytest.raises(tenancy.NoTenantScope):
        use()


def test_outside_a_scope_declarations_and_none_are_allowed(db: None) -> None:
    assert list(Store.objects.none()) == []
    assert str(Store.objects.filter(name="x").query)


def test_raw_sql_without_the_setting_sees_nothing(real_db: Any) -> None:
    World.make()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM stores_store")
        assert cursor.fetchone() == (0,)


def test_a_pooled_connection_carries_nothing_over(real_db: Any) -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        assert names() == ["Gare"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.merchant_id', true), current_user, count(*) FROM stores_store")
        assert cursor.fetchone() == ("", "loyalty_app", 0)


def test_a_brief_look_sees_one_merchant_and_leaves_nothing_behind(real_db: Any) -> None:
    world, _other = World.make(), World.make()
    with tenancy.brief(world.merchant_id) as line:
        stores = line.run("SELECT merchant_id FROM stores_store")
        line.run("UPDATE stores_store SET name = 'Bonnevoie'")
    assert stores.all() == [{"merchant_id": world.merchant_id}]

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.merchant_id', true), count(*) FROM stores_store")
        assert cursor.fetchone() == ("", 0)
    with tenancy.platform(reason="a test of brief looks"):
        assert names() == ["Bonnevoie", "Gare"]


def test_a_brief_look_is_done_whole_or_not_at_all(real_db: Any) -> None:
    world = World.make()
    with pytest.raises(DataError), tenancy.brief(world.merchant_id) as line:
        line.run("UPDATE stores_store SET name = 'Bonnevoie'")
        line.run("SELECT 1 / 0")

    with tenancy.scope(world.merchant_id):
        assert names() == ["Gare"]


def test_a_brief_look_inside_another_s_scope_gives_it_back(real_db: Any) -> None:
    world, other = World.make(), World.make()
    with tenancy.scope(world.merchant_id):
        with tenancy.brief(other.merchant_id) as line:
            seen = line.run("SELECT id FROM merchants_merchant")
        assert seen.all() == [{"id": other.merchant_id}]
        assert Merchant.objects.get().pk == world.merchant_id


def test_nested_scopes_give_back_the_one_before(real_db: Any) -> None:
    world, other = World.make(), World.make()
    with tenancy.scope(world.merchant_id):
        with tenancy.scope(other.merchant_id):
            assert Merchant.objects.get().pk == other.merchant_id
            with tenancy.platform(reason="a test of nesting"):
                assert Merchant.objects.count() == 2
            assert Merchant.objects.get().pk == other.merchant_id
        assert Merchant.objects.get().pk == world.merchant_id
        assert tenancy.current_merchant_id() == world.merchant_id
    assert tenancy.current_merchant_id() is None


def test_a_scope_that_fails_gives_back_the_one_before(real_db: Any) -> None:
    world, other = World.make(), World.make()
    with tenancy.scope(world.merchant_id):
        with pytest.raises(IntegrityError), tenancy.scope(other.merchant_id):
            MerchantSettings.objects.create()
        assert Merchant.objects.get().pk == world.merchant_id


def test_the_same_scope_again_is_a_savepoint(real_db: Any) -> None:
    world = World.make()
    with tenancy.scope(world.merchant_id):
        with pytest.raises(IntegrityError), tenancy.scope(world.merchant_id):
            MerchantSettings.objects.create()
        assert names() == ["Gare"]


def test_a_row_of_another_tenant_cannot_be_written(real_db: Any) -> None:
    world, other = World.make(), World.make()
    with pytest.raises(ProgrammingError, match="row-level security"), tenancy.scope(world.merchant_id):
        Store.objects.create(merchant_id=other.merchant_id, name="x", code="x")
    with tenancy.scope(world.merchant_id):
        assert Store.objects.filter(id=other.store.id).update(name="stolen") == 0
        assert Store.objects.filter(id=other.store.id).delete()[0] == 0
    with tenancy.scope(other.merchant_id):
        assert names() == ["Gare"]


def test_threads_have_scopes_of_their_own(real_db: Any) -> None:
    world = World.make()
    seen: list[object] = []

    def look() -> None:
        seen.append(tenancy.current_merchant_id())
        connection.close()

    with tenancy.scope(world.merchant_id):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [None]


def test_the_platform_sees_all_and_a_person_leaves_a_trace(real_db: Any) -> None:
    world, _other = World.make(), World.make()

    with tenancy.platform(reason="a look at the books", actor=world.owner):
        assert Store.objects.count() == 2

    with tenancy.platform(reason="reading the audit"):
        entry = AuditEntry.objects.get(action="platform")
    assert (entry.actor_id, entry.reason) == (world.owner.pk, "a look at the books")


def test_loyalty_app_inherits_nothing(real_db: Any) -> None:
    World.make()
    with real_db.connect_as_app() as wire:
        assert wire.execute("SELECT count(*) FROM merchants_merchant").fetchone() == (0,)
        rights = wire.execute(
            "SELECT rolsuper, rolbypassrls, rolinherit FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert rights == (False, False, False)


def test_a_data_migration_runs_for_each_tenant(real_db: Any) -> None:
    """Under FORCE the owner sees 0 rows: without the helper the migration would do nothing, silently."""
    from django.apps import apps as registry
    from psycopg import sql

    World.make()
    World.make()

    class Owner:
        """The owner's connection, as a schema editor carries it."""

        class connection:  # noqa: N801 - the name Django gives it
            """Cursors on the owner's wire."""

            @staticmethod
            def cursor() -> Any:
                return wire.cursor()

    def rename(_apps: Any, schema_editor: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(sql.SQL("UPDATE stores_store SET name = name || '!'"))

    with real_db.connect_as_owner() as wire:
        assert wire.execute("UPDATE stores_store SET name = 'x'").rowcount == 0
        for_each_merchant(rename)(registry, Owner())

    with tenancy.platform(reason="reading both"):
        assert names() == ["Gare!", "Gare!"]


def test_an_event_is_written_with_the_rows_or_not_at_all(real_db: Any) -> None:
    from core import outbox

    world = World.make()
    with pytest.raises(RuntimeError, match="no"), tenancy.scope(world.merchant_id):
        outbox.publish("card.changed", merchant_id=world.merchant_id, card_id=str(uuid7()))
        raise RuntimeError("no")
    with tenancy.scope(world.merchant_id), transaction.atomic():
        assert OutboxEvent.objects.filter(topic="card.changed").count() == 0
