"""The ledger is append-only, and the database is what says so (promise 7)."""

from typing import Any

import psycopg
import pytest

from tests.support.world import World

ATTACKS = [
    "UPDATE loyalty_transaction SET points_delta = 1000",
    "DELETE FROM loyalty_transaction",
    "TRUNCATE loyalty_transaction CASCADE",
    "ALTER TABLE loyalty_transaction DISABLE TRIGGER ALL",
    "DROP TRIGGER loyalty_ledger_no_change ON loyalty_transaction",
    "SET session_replication_role = replica",
    "ALTER TABLE loyalty_transaction NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY tenant ON loyalty_transaction",
    "SET ROLE loyalty_owner",
    "SET ROLE loyalty_lookup",
]


@pytest.fixture
def world(real_db: Any) -> World:
    world = World.make()
    world.stamp(world.card(), 3)
    return world


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("role", ["loyalty_app", "loyalty_platform"])
def test_promise_7_the_application_cannot_change_it(real_db: Any, world: World, attack: str, role: str) -> None:
    with real_db.connect_as_app() as wire:
        wire.execute("SELECT set_config('app.merchant_id', %s, false)", (str(world.merchant_id),))
        wire.execute(f"SET ROLE {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            wire.execute(attack)
        wire.rollback()
        wire.execute("RESET ROLE")
        wire.execute("SELECT set_config('app.merchant_id', %s, false)", (str(world.merchant_id),))
        assert wire.execute("SELECT sum(stamps_delta) FROM loyalty_transaction").fetchone() == (3,)


@pytest.mark.parametrize("attack", ATTACKS[:3])
def test_promise_7_not_even_its_owner_by_accident(real_db: Any, world: World, attack: str) -> None:
    with real_db.connect_as_owner() as wire:
        wire.execute("SELECT set_config('app.merchant_id', %s, false)", (str(world.merchant_id),))
        with pytest.raises(psycopg.errors.RestrictViolation):
            wire.execute(attack)


def test_balances_are_never_negative(real_db: Any, world: World) -> None:
    with real_db.connect_as_app() as wire:
        wire.execute("SELECT set_config('app.merchant_id', %s, false)", (str(world.merchant_id),))
        with pytest.raises(psycopg.errors.CheckViolation):
            wire.execute("UPDATE loyalty_card SET points_balance = -1")


def test_a_stamp_updates_its_card_in_place(real_db: Any) -> None:
    """A column that every stamp changes must not stand in an index: that would end HOT updates."""
    world = World.make(stamps_target=50)
    card = world.card()
    for _ in range(20):
        world.stamp(card)
    from django.db import connection

    connection.close()
    with real_db.connect_as_app(autocommit=True) as wire:
        wire.execute("SELECT pg_stat_force_next_flush()")
        updated, hot = wire.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'loyalty_card'"
        ).fetchone()
    assert updated >= 20
    assert hot >= updated - 2
