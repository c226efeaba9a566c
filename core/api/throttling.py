"""Throttles of the API, on core.throttling."""

from typing import Any

from rest_framework.throttling import BaseThrottle

from core import throttling
from core.web import counted_address


class WindowThrottle(BaseThrottle):
    """Counts requests by `subject` in windows of `period` seconds."""

    name = "api"
    limit = 60
    period = 60
    in_steps = False

    def subject(self, request: Any, view: Any) -> str | None:
        """Return what is counted; None leaves the request uncounted."""
        return counted_address(request)

    def allow_request(self, request: Any, view: Any) -> bool:
        """Count the request; reads and tills go on when Redis is away."""
        subject = self.subject(request, view)
        if subject is None:
            return True
        return throttling.allow(
            f"{self.name}:{subject}", limit=self.limit, period=self.period, in_steps=self.in_steps
        )  # fmt: skip

    def wait(self) -> float:
        """Return the seconds until the window ends."""
        return float(throttling.seconds_left(self.period))


class StorefrontThrottle(WindowThrottle):
    """60 requests a minute per address."""

    name, limit, period = "storefront", 60, 60


class CredentialThrottle(WindowThrottle):
    """600 requests a second per API key."""

    name, limit, period = "credential", 600, 1
    in_steps = True

    def subject(self, request: Any, view: Any) -> str | None:
        """Count API keys only."""
        credential = request.auth
        return str(credential.id) if getattr(credential, "kind", None) == "api_key" else None
