"""Roles as the launcher makes them: who may log in, who inherits what, and what a given server is asked for."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from loyalty_platform.launcher import roles
from loyalty_platform.launcher.errors import CannotStart
from loyalty_platform.launcher.postgres import Postgres
from loyalty_platform.launcher.state import short_folder
from tests.conftest import RealDatabase


@pytest.fixture(scope="module")
def foreign_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Yield a bare server that somebody else administers."""
    sockets = short_folder() / "pg"
    sockets.mkdir()
    folder = tmp_path_factory.mktemp("foreign")
    server = Postgres(data=folder / "pg", sockets=sockets, log=folder / "log", password="admin-password")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(sockets.parent)


def test_nobody_is_superuser_or_bypasses_row_security(real_db: RealDatabase) -> None:
    with real_db.connect_as_superuser() as connection:
        rows = connection.execute(
            "SELECT rolname, rolcanlogin, rolinherit, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb "
            "FROM pg_roles WHERE rolname LIKE 'loyalty%' ORDER BY 1"
        ).fetchall()

    logins = {name: login for name, login, _, _ in rows}
    assert logins == {"loyalty_app": True, "loyalty_lookup": False, "loyalty_owner": True, "loyalty_platform": False}
    assert not any(powerful for *_, powerful in rows)
    assert [name for name, login, inherits, _ in rows if login and inherits] == []


def test_the_application_may_become_the_platform_but_does_not_inherit_it(real_db: RealDatabase) -> None:
    with real_db.connect_as_app() as connection:
        member = "SELECT pg_has_role('loyalty_app', 'loyalty_platform', %s)"
        assert connection.execute(member, ["USAGE"]).fetchone() == (False,)
        connection.execute("SET LOCAL ROLE loyalty_platform")
        for role in ("loyalty_owner", "loyalty_lookup"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(f"SET LOCAL ROLE {role}")


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE x (y int)", "CREATE TEMP TABLE x (y int)", "CREATE FUNCTION lookup.f() RETURNS int RETURN 1"],
)
def test_the_application_creates_nothing(real_db: RealDatabase, statement: str) -> None:
    with real_db.connect_as_app() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_a_given_server_gets_its_roles_from_an_administrator(foreign_server: Postgres) -> None:
    address = roles.as_url(foreign_server.address(database="shop"))

    made = roles.prepare_given(address, "")
    again = roles.prepare_given(address, "")

    assert made == again, "another clone on the same server gets the same"
    with psycopg.connect(made.app) as connection:
        who = "SELECT current_user, current_database(), pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop'"
        assert connection.execute(who).fetchone() == ("loyalty_app", "shop", "loyalty_owner")
    assert roles.prepare_given(made.app, made.owner) == made


def test_a_role_with_createrole_is_enough(foreign_server: Postgres) -> None:
    with psycopg.connect(foreign_server.address(), autocommit=True) as connection:
        connection.execute("CREATE ROLE manager LOGIN CREATEROLE CREATEDB PASSWORD 'm'")
        connection.execute("CREATE DATABASE managed OWNER manager")
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'loyalty_app'").fetchone():
            for name in ("loyalty_app", "loyalty_owner", "loyalty_lookup", "loyalty_platform"):
                connection.execute(f"GRANT {name} TO manager WITH ADMIN OPTION")

    made = roles.prepare(
        foreign_server.address(user="manager", password="m", database="managed"), app_password="a", owner_password="o"
    )

    with psycopg.connect(made.owner) as connection:
        connection.execute("CREATE TABLE things (id int)")
    with psycopg.connect(made.app) as connection:
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (0,)


def test_somebody_without_rights_is_told_what_to_do(foreign_server: Postgres) -> None:
    with psycopg.connect(foreign_server.address(), autocommit=True) as connection:
        connection.execute("CREATE ROLE nobody_special LOGIN PASSWORD 'n'")

    with pytest.raises(CannotStart, match=r"roles\.sql"):
        roles.prepare_given(foreign_server.address(user="nobody_special", password="n"), "")


def test_the_application_without_the_owner_is_told_what_is_missing() -> None:
    with pytest.raises(CannotStart, match="DATABASE_OWNER_URL"):
        roles.prepare_given("postgresql://loyalty_app:x@nowhere/loyalty", "")


def test_a_server_that_is_not_there_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="DATABASE_URL cannot be reached"):
        roles.prepare_given(f"postgresql://postgres@/x?host={quote(str(tmp_path))}", "")
