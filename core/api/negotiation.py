"""Which form an answer has."""

from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

# What scripts and browsers' fetch() ask for.
WHATEVER = frozenset({"", "*/*", "application/json", "application/json, */*", "application/json, text/plain, */*"})


class OftenJSON(DefaultContentNegotiation):
    """Gives who asks for JSON or for anything what is there, and weighs only other wishes."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the renderer and its media type; raises NotAcceptable as Django REST framework does."""
        asked, only = request.META.get("HTTP_ACCEPT", ""), renderers[0]
        names_a_form = bool(format_suffix or request.META.get("QUERY_STRING"))
        if asked in WHATEVER and not names_a_form and len(renderers) == 1 and only.format == "json":
            return only, only.media_type
        return super().select_renderer(request, renderers, format_suffix)
