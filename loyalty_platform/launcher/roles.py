"""Makes the database and the roles in a server, ours or a given one, and says how each logs in."""

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from loyalty_platform.launcher.errors import CannotStart

ROLES_SQL = Path(__file__).with_name("roles.sql")
DATABASE = "loyalty"
MAINTENANCE = {"", "postgres", "template1"}
MINIMUM_VERSION = 150000


@dataclass(frozen=True, slots=True)
class Addresses:
    """Connection strings of the two roles that log in."""

    app: str
    owner: str


def prepare(admin: str, *, app_password: str, owner_password: str) -> Addresses:
    """Make database and roles as an administrator and set both passwords; may be repeated. For our own server."""
    database = _database(admin)
    _create_database(admin, database)
    inside = make_conninfo(admin, dbname=database)
    with psycopg.connect(inside, autocommit=True) as connection:
        connection.execute(ROLES_SQL.read_bytes())
        for role, password in (("loyalty_app", app_password), ("loyalty_owner", owner_password)):
            _set_password(connection, role, password)
    return _addresses(inside, app_password, owner_password)


def prepare_given(address: str, owner_address: str) -> Addresses:
    """Make what is missing in a server that the environment names.

    An address of loyalty_app with DATABASE_OWNER_URL is taken as it is. An administrator's address makes the roles;
    their passwords are derived from the administrator's, so that several clones on one server agree. Raises
    CannotStart when the address may do neither.
    """
    if conninfo_to_dict(address).get("user") == "loyalty_app":
        if not owner_address:
            raise CannotStart(
                "DATABASE_URL logs in as loyalty_app; name the owner of the tables in DATABASE_OWNER_URL as well, "
                "for the migrations."
            )
        return Addresses(app=_checked(address), owner=_checked(owner_address))
    with _connect(address) as connection:
        _check_rights(connection)
        known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'loyalty%'")}
    app_password, owner_password = (derived_password(address, role) for role in ("loyalty_app", "loyalty_owner"))
    inside = make_conninfo(address, dbname=_database(address))
    if {"loyalty_app", "loyalty_owner"} <= known:
        _create_database(address, _database(address))
        with psycopg.connect(inside, autocommit=True) as connection:
            connection.execute(ROLES_SQL.read_bytes())
        addresses = _addresses(inside, app_password, owner_password)
        _checked(addresses.app, hint=True)
        return addresses
    return prepare(address, app_password=app_password, owner_password=owner_password)


def derived_password(admin: str, role: str) -> str:
    """Return the password of a role on a given server, which its administrator's address determines."""
    parts = conninfo_to_dict(admin)
    key = str(parts.get("password") or f"{parts.get('user')}@{parts.get('host')}:{parts.get('port')}")
    return hmac.new(key.encode(), role.encode(), hashlib.sha256).hexdigest()


def _database(admin: str) -> str:
    named = str(conninfo_to_dict(admin).get("dbname") or "")
    return DATABASE if named in MAINTENANCE else named


def _create_database(admin: str, database: str) -> None:
    with psycopg.connect(make_conninfo(admin, dbname="postgres"), autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
            make = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
            connection.execute(make.format(sql.Identifier(database)))


def _set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))


def _addresses(inside: str, app_password: str, owner_password: str) -> Addresses:
    return Addresses(
        app=as_url(make_conninfo(inside, user="loyalty_app", password=app_password)),
        owner=as_url(make_conninfo(inside, user="loyalty_owner", password=owner_password)),
    )


def as_url(conninfo: str) -> str:
    """Write a connection string as an address, which is what DATABASE_URL usually holds."""
    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value is not None}
    user, password, database = (quote(parts.pop(name, ""), safe="") for name in ("user", "password", "dbname"))
    return f"postgresql://{user}:{password}@/{database}?{urlencode(parts, quote_via=quote)}"


def _connect(address: str) -> psycopg.Connection:
    """Connect to the named database, or beside it when it is still to be made."""
    for candidate in (address, make_conninfo(address, dbname="postgres")):
        try:
            return psycopg.connect(candidate, connect_timeout=10, autocommit=True)
        except psycopg.OperationalError as error:
            reason = error
    raise CannotStart(f"DATABASE_URL cannot be reached: {reason}")


def _check_rights(connection: psycopg.Connection) -> None:
    if connection.info.server_version < MINIMUM_VERSION:
        raise CannotStart("DATABASE_URL names a PostgreSQL before 15; 15 or later is needed.")
    allowed = connection.execute(
        "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if allowed is None or not allowed[0]:
        raise CannotStart(
            f"DATABASE_URL logs in as {connection.info.user}, which may not make roles. Let an administrator run "
            f"{ROLES_SQL.name} once, then name loyalty_app in DATABASE_URL and loyalty_owner in DATABASE_OWNER_URL."
        )


def _checked(address: str, *, hint: bool = False) -> str:
    try:
        psycopg.connect(address, connect_timeout=10).close()
    except psycopg.OperationalError as error:
        known = (
            "The role loyalty_app exists there with another password: name its own address in DATABASE_URL and "
            "loyalty_owner's in DATABASE_OWNER_URL.\n"
        )
        raise CannotStart(f"{known if hint else ''}The database cannot be reached: {error}") from error
    return address
