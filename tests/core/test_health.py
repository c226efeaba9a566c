"""Health pages: what they say when all is well, and when a server is away."""

from typing import Any

import pytest
from django.test import Client

from core.api import health


def test_healthz_needs_no_database(client: Client) -> None:
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


@pytest.mark.django_db
def test_readyz_says_that_all_is_well(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "checks": {"database": "ok", "broker": "ok", "migrations": "ok"}}


@pytest.mark.django_db
def test_readyz_names_an_absent_broker_and_nothing_else_about_it(client: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://:a-secret@127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "broker": "failed", "migrations": "ok"}
    assert b"a-secret" not in answer.content
    assert answer["Retry-After"] == "5"


def test_readyz_names_missing_migrations(client: Client, real_db: Any) -> None:
    with real_db.connect_as_owner(autocommit=True) as owner:
        owner.execute("DELETE FROM django_migrations WHERE app = 'loyalty'")
    health.CHECKS["migrations"].applied = False  # type: ignore[attr-defined]

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == "failed"


def test_readyz_names_an_absent_database(client: Client, real_db: Any) -> None:
    with real_db.connect_as_owner(autocommit=True) as owner:
        owner.execute(f'ALTER DATABASE "{real_db.name}" CONNECTION LIMIT 0')
    from django.db import connections

    connections.close_all()
    health.CHECKS["migrations"].applied = False  # type: ignore[attr-defined]

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "failed", "broker": "ok", "migrations": "failed"}


@pytest.mark.django_db
def test_metrics_are_for_the_holder_of_the_token(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "a-token"

    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 404
    answer = client.get("/metrics", headers={"Authorization": "Bearer a-token"})

    assert answer.status_code == 200
    assert b"# HELP" in answer.content


def test_metrics_do_not_exist_without_a_token(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.django_db
def test_metrics_count_requests_by_route_and_never_by_path(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "a-token"
    for path in ("/healthz", "/api/v1/store/loyalty/cards/01a1ffd2-fb22-70b9-9b59-85f16551c4e0", "/no-such-canary"):
        client.get(path)

    text = client.get("/metrics", headers={"Authorization": "Bearer a-token"}).content.decode()

    assert 'http_requests_total{method="GET",route="healthz",status="200"}' in text
    assert 'route="api/v1/store/loyalty/cards/<uuid:card_id>",status="401"' in text
    assert 'route="unmatched",status="404"' in text
    assert "http_request_seconds_bucket" in text
    assert "01a1ffd2" not in text
    assert "canary" not in text
