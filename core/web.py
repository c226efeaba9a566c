"""Facts about a web request that several apps need."""

from typing import Any

from django.conf import settings


def client_address(request: Any) -> str:
    """Return the client's address: the peer's, or the proxy's word for it where TRUST_PROXY says so."""
    if settings.TRUST_PROXY:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        if forwarded:
            return str(forwarded.split(",")[-1].strip())[:45]
    return str(request.META.get("REMOTE_ADDR") or "unknown")[:45]


def user_agent(request: Any) -> str:
    """Return the browser's own description, cut to what we keep."""
    return str(request.META.get("HTTP_USER_AGENT", ""))[:200].replace("\x00", "")
