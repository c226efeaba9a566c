"""What keeps an open card page true: its version, asked while it is looked at, and the copy without a network."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from loyalty.queries import card_versions
from loyalty.views.base import StorePage


class StatePage(StorePage):
    """The version of the card's page, a few bytes; 304 for who knows it already."""

    card_needed = True

    def get(self, request: HttpRequest, store_code: str) -> HttpResponseBase:
        """Answer with the version of now."""
        version = version_of(self)
        etag = f'"{version}"'
        if request.headers.get("If-None-Match", "").removeprefix("W/") == etag:
            response = HttpResponse(status=304)
        else:
            response = JsonResponse({"version": version})
        response.headers["ETag"] = etag
        return response


def version_of(page: StorePage) -> str:
    """Return the version of the card on a page."""
    card = page.own.card
    return card_versions.of(card, card.program, page.place.merchant, timezone.localdate())


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Answer with the script that keeps the copy; it has to stand above the pages that it serves."""
    response = render(request, "loyalty/worker.js", content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response
