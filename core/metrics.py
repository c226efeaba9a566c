"""What Prometheus is told of every request: how many, how they ended, how long they took."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

Handler = Callable[[HttpRequest], HttpResponse]
# Made for tills: most answers take a few milliseconds, and half a second is where a card's lock gives up.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
REQUESTS = Counter("http_requests", "Requests by method, route and status.", ["method", "route", "status"])
SECONDS = Histogram("http_request_seconds", "Time until the answer, by route.", ["route"], buckets=BUCKETS)
# The name of the address that takes what no other one does.
NOWHERE = "catch-all-nowhere"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


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
