"""Facts about a web request that several apps need."""

import ipaddress
from typing import Any

from django.conf import settings


def client_address(request: Any) -> str:
    """Return the client's address: the peer's, or the proxy's word for it where TRUST_PROXY says so."""
    if settings.TRUST_PROXY:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        if forwarded:
            return str(forwarded.split(",")[-1].strip())[:45]
    return str(request.META.get("REMOTE_ADDR") or "unknown")[:45]


def counted_address(request: Any) -> str:
    """Return what a limit per address counts: an IPv4 address, or the /64 that one IPv6 household has to itself."""
    address = client_address(request)
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def stored_address(address: str | None) -> str | None:
    """Return an address as PostgreSQL keeps it, None for what is none: a proxy may put anything into its header."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    return None if getattr(found, "scope_id", None) else str(found)


def user_agent(request: Any) -> str:
    """Return the browser's own description, cut to what we keep."""
    return str(request.META.get("HTTP_USER_AGENT", ""))[:200].replace("\x00", "")
