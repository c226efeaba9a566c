"""The database connection notices for itself, without a round trip, that the server has cut it."""

import psycopg
import pytest
from django.db import connection, transaction

from loyalty_platform.settings import environment
from tests.conftest import RealDatabase


def test_it_works(real_db: RealDatabase) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert connection.is_usable()


def test_a_connection_cut_by_the_server_is_not_usable(real_db: RealDatabase) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    with real_db.connect_as_superuser(autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])

    assert not connection.is_usable()


def test_a_request_after_the_cut_gets_a_new_connection(real_db: RealDatabase) -> None:
    connection.ensure_connection()
    with real_db.connect_as_superuser(autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE usename = 'loyalty_app' AND datname = current_database()"  # other workers share the server
        )

    connection.close_if_unusable_or_obsolete()
    connection.health_check_done = False
    connection.close_if_health_check_failed()

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("loyalty_app",)


def test_no_query_is_kept_because_of_debug(real_db: RealDatabase, settings: object) -> None:
    settings.DEBUG = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert list(connection.queries_log) == []


def test_long_answers_are_kept_by_the_server_inside_a_transaction_only(real_db: RealDatabase) -> None:
    """Behind PgBouncer nothing outlives a transaction: a cursor that did would be looked for on another server."""
    with connection.chunked_cursor() as outside:
        assert not isinstance(outside.cursor, psycopg.ServerCursor)
    with transaction.atomic(), connection.chunked_cursor() as inside:
        assert isinstance(inside.cursor, psycopg.ServerCursor)
        inside.execute("SELECT generate_series(1, 1000)")
        assert inside.fetchmany(2) == [(1,), (2,)]


@pytest.mark.parametrize(("given", "threshold"), [("", 2), ("0", None), ("5", 5)])
def test_statements_are_prepared_as_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, given: str, threshold: int | None
) -> None:
    monkeypatch.setenv("DATABASE_PREPARE_AFTER", given)

    assert environment.database_settings({"dbname": "x"})["OPTIONS"]["prepare_threshold"] == threshold
