"""What Prometheus is told: of every request how it ended and how long it took, and what the apps measure when asked.

Processes of all kinds share the folder PROMETHEUS_MULTIPROC_DIR. Their files carry the host's name as well: containers
that share the folder have equal process numbers.
"""

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator

from django.db import Error as DatabaseProblem
from django.db import connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram, Metric, values
from prometheus_client.registry import Collector

HOST = socket.gethostname()
if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    # Before the first Counter: each keeps the class it was made with.
    values.ValueClass = values.MultiProcessValue(lambda: f"{HOST}.{os.getpid()}")  # type: ignore[no-untyped-call]

Handler = Callable[[HttpRequest], HttpResponse]
# Made for tills: most answers take a few milliseconds, and half a second is where a card's lock gives up.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
REQUESTS = Counter("http_requests", "Requests by method, route and status.", ["method", "route", "status"])
SECONDS = Histogram("http_request_seconds", "Time until the answer, by route.", ["route"], buckets=BUCKETS)
# The name of the address that takes what no other one does.
NOWHERE = "catch-all-nowhere"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# What is measured at the moment somebody asks, such as the length of a queue. Apps add theirs in AppConfig.ready.
Measure = Callable[[], Iterable[Metric]]
measures: list[Measure] = []


class Measured(Collector):
    """Asks all measures. One whose database is away is left out: its absence tells whoever watches."""

    def collect(self) -> Iterator[Metric]:
        """Yield what every measure says."""
        for measure in measures:
            try:
                yield from list(measure())
            except DatabaseProblem:
                connection.close()


class MetricsMiddleware:
    """Counts every request. The route is its pattern, never the path: no code, card or person becomes a label."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Count the request and take its time."""
        begun = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.route if match is not None and match.url_name != NOWHERE else "unmatched"
        method = request.method if request.method in METHODS else "other"
        SECONDS.labels(route).observe(time.perf_counter() - begun)
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        return response
