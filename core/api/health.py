"""Health for whoever watches the servers: /healthz, /readyz, /metrics."""

import hmac
import os
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from core.metrics import Measured
from core.outbox import connect

BROKER_TIMEOUT_SECONDS = 1.0


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers; asks nobody else."""
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether requests can be served: 200, or 503 with the names of what fails and nothing else about it."""
    checks = {name: "ok" if check() else "failed" for name, check in CHECKS.items()}
    ready = "failed" not in checks.values()
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "checks": checks},
        status=200 if ready else 503,
        headers={"Cache-Control": "no-store"} if ready else {"Cache-Control": "no-store", "Retry-After": "5"},
    )


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Show Prometheus the numbers of all processes; without the token of METRICS_TOKEN there is no such page."""
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    wanted = settings.METRICS_TOKEN
    if not wanted or not hmac.compare_digest(sent.encode(), wanted.encode()):
        raise Http404
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    measured = CollectorRegistry()
    measured.register(Measured())
    return HttpResponse(
        generate_latest(registry) + generate_latest(measured),
        content_type=CONTENT_TYPE_LATEST,
        headers={"Cache-Control": "no-store"},
    )


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone() == (1,)
    except DatabaseProblem:
        connection.close()
        return False


def _broker() -> bool:
    try:
        return bool(connect(timeout=BROKER_TIMEOUT_SECONDS).ping())
    except (redis.RedisError, OSError):
        return False


class _Migrations:
    """Whether all migrations of this code are applied; once they are, this process need not look again."""

    def __init__(self) -> None:
        self.applied = False

    def __call__(self) -> bool:
        if not self.applied:
            try:
                executor = MigrationExecutor(connection)
                self.applied = not executor.migration_plan(executor.loader.graph.leaf_nodes())
            except DatabaseProblem:
                connection.close()
        return self.applied


CHECKS: dict[str, Callable[[], bool]] = {"database": _database, "broker": _broker, "migrations": _Migrations()}
