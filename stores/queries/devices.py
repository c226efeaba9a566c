"""Terminals and API keys: who a token belongs to (before the tenant is known), and the lists a manager sees."""

from django.db.models import QuerySet

from core import tenancy
from stores.models import ApiKey, Terminal
from stores.queries.access import Credential
from stores.rules import tokens

TERMINAL_COOKIE = "terminal"


def api_key_credential(text: str) -> Credential | None:
    """Return whom an API key speaks for, None for one that is unknown or revoked."""
    token = tokens.read_api_key(text)
    rows = tenancy.lookup("api_key", token.prefix, token.hash) if token else []
    return Credential("api_key", *rows[0]) if rows else None


def terminal_credential(text: str) -> Credential | None:
    """Return the terminal whose cookie holds this token, None for one that is unknown or revoked."""
    token = tokens.read_terminal_token(text)
    rows = tenancy.lookup("terminal", token.prefix, token.hash) if token else []
    return Credential("terminal", *rows[0]) if rows else None


def terminals() -> QuerySet[Terminal]:
    """Return the merchant's terminals in use, with their stores."""
    return Terminal.objects.filter(revoked_at=None).select_related("store")


def api_keys() -> QuerySet[ApiKey]:
    """Return the merchant's API keys that were not revoked, with their stores."""
    return ApiKey.objects.filter(revoked_at=None).select_related("store")
