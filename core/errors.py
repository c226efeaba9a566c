"""Errors of the domain: a code, a status, a translatable sentence, and facts for the caller.

Each error class stands beside the code that raises it and derives from DomainError. The API shows them as RFC 9457
problem+json (core.api.errors), pages as text.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A refusal that the caller can understand. `facts` become members of the problem document.

    retry_after: seconds, when trying again later can help. keep: whether a refused operation is worth recording.
    """

    code = "error"
    status = 409
    message: str | Promise = _("This is not possible.")
    keep = True

    def __init__(self, *, message: str | Promise | None = None, retry_after: int | None = None, **facts: Any) -> None:
        self.facts: dict[str, Any] = facts
        self.retry_after = retry_after
        self._message = message if message is not None else self.message
        super().__init__(self.code)

    @property
    def detail(self) -> str:
        """The sentence in the language that is active now, with the facts filled in."""
        text = str(self._message)
        return text % self.facts if "%(" in text else text


class ValidationFailed(DomainError):
    """Input that cannot be read: errors by field, each a list of (code, sentence)."""

    code = "validation_error"
    status = 400
    message = _("Some values need a look.")
    keep = False

    def __init__(self, errors: Mapping[str, list[tuple[str, str | Promise]]]) -> None:
        self.errors = errors
        super().__init__()

    @classmethod
    def of(cls, field: str, code: str, text: str | Promise) -> "ValidationFailed":
        """Make an error of one field."""
        return cls({field: [(code, text)]})


class NotAuthenticated(DomainError):
    """The caller has not proved who it is."""

    code, status, keep = "not_authenticated", 401, False
    message = _("Sign in, or send a valid key.")


class PermissionDenied(DomainError):
    """The caller is known and may not do this."""

    code, status, keep = "permission_denied", 403, False
    message = _("You may not do this.")


class NotFound(DomainError):
    """There is no such thing for this caller; another tenant's object is never told apart from none."""

    code, status, keep = "not_found", 404, False
    message = _("Nothing was found here.")


class Throttled(DomainError):
    """Too many requests."""

    code, status, keep = "throttled", 429, False
    message = _("Too many requests. Wait a moment.")


class ServiceUnavailable(DomainError):
    """The database is away; nothing was done."""

    code, status, keep = "service_unavailable", 503, False
    message = _("We are back in a moment. Nothing was changed.")
