"""API keys: made for a POS or a script, shown once, kept as a hash, revoked at any time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import NotFound, ValidationFailed
from core.models import AuditEntry
from merchants.permissions import SCOPES
from stores.models import ApiKey, Store
from stores.rules import tokens

NOTE_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key and its text, which is shown this once."""

    api_key: ApiKey
    text: str


def create(
    *,
    merchant_id: UUID,
    name: str,
    scopes: Collection[str],
    at: datetime,
    store_id: UUID | None = None,
    expires_at: datetime | None = None,
    actor_id: UUID | None = None,
    maker_id: UUID | None = None,
) -> NewApiKey:
    """Make a key with scopes out of read, earn, redeem, manage; bound to one store, or good for all.

    maker_id: the person the key goes back to when no person acts, as behind a key that makes another one.
    Raises ValidationFailed (`name`, `scopes`, `expires_at`) and NotFound (a store that is not the merchant's).
    """
    cleaned = _cleaned(name)
    _refuse_bad_values(scopes, expires_at, at)
    token = tokens.new_api_key()
    with tenancy.scope(merchant_id):
        if store_id is not None and not Store.objects.filter(pk=store_id, closed_at=None).exists():
            raise NotFound
        key = ApiKey.objects.create(
            merchant_id=merchant_id, name=cleaned, prefix=token.prefix, key_hash=token.hash, store_id=store_id,
            scopes=[scope for scope in SCOPES if scope in scopes], created_by_id=actor_id or maker_id,
            expires_at=expires_at,
        )  # fmt: skip
        _note(key, "api_key_created", actor_id)
    return NewApiKey(key, token.text)


def rename(
    *, merchant_id: UUID, api_key_id: UUID, name: str, at: datetime, actor_id: UUID | None = None
) -> ApiKey:  # fmt: skip
    """Give a key that works another name. Raises NotFound and ValidationFailed (`name`)."""
    cleaned = _cleaned(name)
    with tenancy.scope(merchant_id):
        found = ApiKey.objects.select_for_update(of=("self",)).select_related("store")
        key = found.filter(pk=api_key_id, revoked_at=None).first()
        if key is None:
            raise NotFound
        if key.name != cleaned:
            key.name = cleaned
            key.save(update_fields=["name"])
            _note(key, "api_key_renamed", actor_id)
    return key


def revoke(*, merchant_id: UUID, api_key_id: UUID, at: datetime, actor_id: UUID | None = None) -> ApiKey:
    """End a key at once. Raises NotFound; doing it twice changes nothing."""
    with tenancy.scope(merchant_id):
        key = ApiKey.objects.select_for_update(of=("self",)).filter(pk=api_key_id).first()
        if key is None:
            raise NotFound
        if key.revoked_at is None:
            key.revoked_at = at
            key.save(update_fields=["revoked_at"])
            _note(key, "api_key_revoked", actor_id)
    return key


def note_used(*, merchant_id: UUID, api_key_id: UUID, at: datetime) -> None:
    """Keep when a key was last used, at most once a minute."""
    with tenancy.scope(merchant_id):
        ApiKey.objects.filter(pk=api_key_id).exclude(last_used_at__gt=at - NOTE_USED_EVERY).update(last_used_at=at)


def _cleaned(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= 60 or "\x00" in cleaned:
        raise ValidationFailed.of("name", "required", _("A name has 1 to 60 characters."))
    return cleaned


def _refuse_bad_values(scopes: Collection[str], expires_at: datetime | None, at: datetime) -> None:
    if not scopes or not set(scopes) <= set(SCOPES):
        raise ValidationFailed.of("scopes", "unknown_scope", _("Choose from read, earn, redeem and manage."))
    if expires_at is not None and expires_at <= at:
        raise ValidationFailed.of("expires_at", "in_the_past", _("Choose a time to come."))


def _note(key: ApiKey, action: str, actor_id: UUID | None) -> None:
    AuditEntry.objects.create(
        merchant_id=key.merchant_id, actor_id=actor_id, action=action, target=f"api key {key.prefix}"
    )
