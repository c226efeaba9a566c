"""Stores: opened, changed, closed. A code stands in addresses and on posters and never changes."""

import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from core import outbox, tenancy
from core.errors import DomainError, NotFound, ValidationFailed
from core.models import AuditEntry
from merchants.models import Merchant, MerchantSettings
from merchants.services import fields
from merchants.services.merchants import RESERVED
from stores.models import Store

CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Published when a store was opened, changed or closed: cards say where their stores are.
CHANGED = "store.changed"
MIN_CODE, MAX_CODE = 2, 60
NUMBERED_TRIES = 20
WEEKDAYS = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


class StoreLimitReached(DomainError):
    """The platform allows the merchant no further store."""

    code = "store_limit_reached"
    message = _("You have as many stores as your plan allows. Write to us for more.")


class StoreDetails(TypedDict, total=False):
    """What may be said of a store besides its name."""

    street: str
    postal_code: str
    city: str
    country: str
    latitude: Decimal | None
    longitude: Decimal | None
    time_zone: str
    day_start: time
    opening_hours: dict[str, Any]
    own_device_enabled: bool


class StoreChanges(StoreDetails, total=False):
    """What may be changed of a store."""

    name: str


def open_store(
    *, merchant_id: UUID, name: str, at: datetime, code: str = "", actor_id: UUID | None = None,
    **details: Unpack[StoreDetails],
) -> Store:  # fmt: skip
    """Open a store. Without a code it is made of the merchant's short name and the store's name.

    Country and time zone are the merchant's unless given. Raises StoreLimitReached and ValidationFailed (by field;
    `code` when it is taken, reserved or not made of small letters, digits and hyphens).
    """
    with tenancy.scope(merchant_id):
        # The lock closes the race of two stores opened at once for one last place.
        allowed = MerchantSettings.objects.select_for_update().select_related("merchant").get()
        if Store.objects.filter(closed_at=None).count() >= allowed.max_stores:
            raise StoreLimitReached(max_stores=allowed.max_stores)
        merchant = allowed.merchant
        store = Store(merchant=merchant, name=fields.line(name), country=merchant.country, time_zone=merchant.time_zone)
        _apply(store, {**details})
        _check(store, ["name", "country", "time_zone", *details])
        _save_with_code(store, code, merchant)
        _note(store, "store_opened", actor_id)
    return store


def update(
    *, merchant_id: UUID, store_id: UUID, at: datetime, actor_id: UUID | None = None, **changes: Unpack[StoreChanges]
) -> Store:
    """Change a store; what is not given stays. Raises NotFound (also for a closed one) and ValidationFailed."""
    with tenancy.scope(merchant_id):
        store = _lock(store_id)
        _apply(store, {**changes})
        _check(store, [*changes])
        if changes:
            store.save(update_fields=[*changes])
            _note(store, "store_updated", actor_id)
    return store


def close(*, merchant_id: UUID, store_id: UUID, at: datetime, actor_id: UUID | None = None) -> Store:
    """Close a store: its pages and terminals end, its cards stay valid in the others. Raises NotFound."""
    with tenancy.scope(merchant_id):
        store = _lock(store_id)
        store.closed_at = at
        store.save(update_fields=["closed_at"])
        _note(store, "store_closed", actor_id)
    return store


def codes(merchant: Merchant, name: str) -> Iterator[str]:
    """Yield codes for a store of that name, the plainest first: `<slug>-<store>`, then with numbers.

    A store that is named as the merchant has the short name alone.
    """
    wanted = slugify(name).replace("_", "-").strip("-")
    short = wanted in ("", merchant.slug, slugify(merchant.name))
    whole = wanted.startswith(f"{merchant.slug}-")
    base = (merchant.slug if short else wanted if whole else f"{merchant.slug}-{wanted}")[: MAX_CODE - 8].strip("-")
    if base not in RESERVED:
        yield base
        yield from (f"{base}-{number}" for number in range(2, NUMBERED_TRIES))
    while True:
        yield f"{base}-{secrets.token_hex(3)}"


def _lock(store_id: UUID) -> Store:
    store = Store.objects.select_for_update().filter(pk=store_id, closed_at=None).first()
    if store is None:
        raise NotFound
    return store


def _apply(store: Store, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(store, name, fields.line(value))


def _check(store: Store, names: list[str]) -> None:
    fields.check(store, names)
    if {"latitude", "longitude"} & set(names) and (store.latitude is None) != (store.longitude is None):
        missing = "latitude" if store.latitude is None else "longitude"
        raise ValidationFailed.of(missing, "required", _("Latitude and longitude go together."))
    if "opening_hours" in names and not _are_hours(store.opening_hours):
        raise ValidationFailed.of(
            "opening_hours", "invalid", _('Write hours as {"mon": [["08:00", "18:00"]]}, with days from mon to sun.')
        )


def _are_hours(value: Any) -> bool:
    if not isinstance(value, dict) or not set(value) <= WEEKDAYS:
        return False
    return all(isinstance(spans, list) and len(spans) <= 4 and all(map(_is_span, spans)) for spans in value.values())


def _is_span(span: Any) -> bool:
    """Tell whether this is a time from and a time to; a bar's evening may end after midnight."""
    if not isinstance(span, list) or len(span) != 2:
        return False
    if not all(isinstance(end, str) and CLOCK.fullmatch(end) is not None for end in span):
        return False
    return span[0] not in ("24:00", span[1])


def _save_with_code(store: Store, wanted: str, merchant: Merchant) -> None:
    """Save under the wanted or the first free code. Others' stores cannot be seen: the unique index decides."""
    wanted = wanted.strip().lower()
    if wanted in RESERVED:
        raise ValidationFailed.of("code", "invalid", _("This code is kept for our own pages. Choose another one."))
    if wanted and not _is_code(wanted):
        raise ValidationFailed.of(
            "code", "invalid", _("A code has 2 to 60 small letters, digits and hyphens, such as cafe-gare.")
        )
    for code in [wanted] if wanted else codes(merchant, store.name):
        store.code = code
        try:
            with transaction.atomic():
                store.save(force_insert=True)
        except IntegrityError as error:
            if "code" not in str(error):
                raise
        else:
            return
    raise ValidationFailed.of("code", "code_taken", _("This code is taken. Choose another one."))


def _is_code(code: str) -> bool:
    return MIN_CODE <= len(code) <= MAX_CODE and CODE.fullmatch(code) is not None


def _note(store: Store, action: str, actor_id: UUID | None) -> None:
    AuditEntry.objects.create(
        merchant_id=store.merchant_id, actor_id=actor_id, action=action, target=f"store {store.code}"
    )  # fmt: skip
    outbox.publish(CHANGED, merchant_id=store.merchant_id, store_id=str(store.pk))
