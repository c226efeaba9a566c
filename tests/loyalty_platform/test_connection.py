"""The database connection notices for itself, without a round trip, that the server has cut it."""

from django.db import connection

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
