"""The sweep's legs: addresses from the resolver, filled with a house's ids; answers searched for words."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tests.architecture.routes import ROUTES, Route
from tests.support.house import House

PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
# Pages remember nothing of a refused visit but when a key or till was last seen, and that it was refused.
NOTED = ("loyalty_refusedattempt", "stores_apikey", "stores_terminal")


def patterns() -> Iterator[tuple[str, Any]]:
    """Yield every address as it is written, with its view."""
    yield from _walk(get_resolver().url_patterns, "")


def own_patterns() -> dict[str, Any]:
    """Return every address outside the Django admin, with its view; of two alike the first one answers."""
    found: dict[str, Any] = {}
    for pattern, view in patterns():
        if not pattern.startswith("admin/"):
            found.setdefault(pattern, view)
    return found


def methods_of(view: Any) -> set[str] | None:
    """Return what a class-based view answers, besides HEAD and OPTIONS; None for a function."""
    made = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if made is None:
        return None
    named = [name for name in made.http_method_names if hasattr(made, name)]
    return {name.upper() for name in named} - {"HEAD", "OPTIONS", "TRACE"}


def routes(*who: str) -> Iterator[tuple[str, Route]]:
    """Yield the routes of some callers."""
    for pattern, route in ROUTES.items():
        if route.who in who:
            yield pattern, route


def names_in(pattern: str) -> list[str]:
    """Return the names of the placeholders."""
    return [one or other for one, other in PLACEHOLDER.findall(pattern)]


def address(pattern: str, ids: dict[str, Any]) -> str:
    """Return an address with every placeholder filled."""
    filled = PLACEHOLDER.sub(lambda found: str(ids[found[1] or found[2]]), pattern)
    return "/" + filled.replace("^", "").replace("$", "")


def leaked(answer: Any, house: House, *, public_too: bool = False) -> list[str]:
    """Return words of a house that an answer holds and the request did not."""
    words = house.private_words + (house.public_words if public_too else [])
    asked = f"{answer.request.get('PATH_INFO', '')}?{answer.request.get('QUERY_STRING', '')}"
    body = answer.getvalue().decode("utf-8", "replace") + str(dict(answer.headers))
    return [word for word in words if word in body and word not in asked]


def _walk(found: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, Any]]:
    for entry in found:
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, prefix + str(entry.pattern))
        else:
            yield prefix + str(entry.pattern), entry.callback
