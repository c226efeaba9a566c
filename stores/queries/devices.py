"""Terminals and API keys: who a token belongs to (before the tenant is known), and the lists a manager sees."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from core import tenancy
from merchants.enums import Role
from merchants.models import Membership
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


def maker_of_key(api_key_id: UUID) -> UUID | None:
    """Return the person a key goes back to, None for one that the platform made."""
    return ApiKey.objects.filter(pk=api_key_id).values_list("created_by_id", flat=True).first()


def store_of_key(api_key_id: UUID) -> UUID | None:
    """Return the store a key is bound to, None for one that is good for all."""
    return ApiKey.objects.filter(pk=api_key_id).values_list("store_id", flat=True).first()


def end_of_key(api_key_id: UUID) -> datetime | None:
    """Return when a key ends by itself, None for one that does not."""
    return ApiKey.objects.filter(pk=api_key_id).values_list("expires_at", flat=True).first()


def role_behind_key(api_key_id: UUID) -> str:
    """Return the role of the person a key goes back to, the owner's for one that the platform made.

    So a manager reaches nothing by a key that they may not do themselves. Who left the team stands behind nothing.
    """
    maker = maker_of_key(api_key_id)
    if maker is None:
        return Role.OWNER
    role = Membership.objects.filter(user_id=maker, is_active=True).values_list("role", flat=True).first()
    return role or ""
