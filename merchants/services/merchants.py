"""Merchants: opened with their settings and first owner; their profile and looks changed by a manager."""

import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from core import outbox, tenancy
from core.errors import NotFound, ValidationFailed
from core.ids import uuid7
from core.models import AuditEntry
from merchants import extensions
from merchants.enums import UNPAID, MerchantStatus, Role
from merchants.models import Membership, Merchant, MerchantSettings, User
from merchants.rules import countries
from merchants.services import fields

RESERVED = frozenset({"merchant", "onboarding", "loyalty", "dashboard", "history", "enroll"})
# What passes and card pages show: a change makes a new version of the looks.
BRANDING = frozenset({"name", "card_color", "trade"})
# Published when name, looks, language or standing changed: whoever shows them to customers makes it anew.
CHANGED = "merchant.changed"
MAX_SLUG = 40
NUMBERED_TRIES = 20


class Profile(TypedDict, total=False):
    """What a merchant may say of itself."""

    name: str
    legal_name: str
    trade: str
    country: str
    currency: str
    time_zone: str
    default_language: str
    card_color: str


def open_merchant(
    *, owner: User, name: str, trade: str, country: str, language: str, at: datetime, merchant_id: UUID | None = None
) -> Merchant:
    """Open a merchant on trial with its settings and the owner's membership, under a short name nobody has yet.

    Currency and time zone follow from the country.
    Raises ValidationFailed for a name, trade or country that cannot be.
    """
    merchant = Merchant(
        id=merchant_id or uuid7(), name=fields.line(name), trade=trade, country=country, default_language=language,
        currency=countries.currency_of(country), time_zone=countries.zone_of(country), status=MerchantStatus.TRIAL,
        status_since=at,
    )  # fmt: skip
    check(merchant, ("name", "trade", "country", "default_language"))
    with tenancy.scope(merchant.pk):
        _save_with_free_slug(merchant)
        MerchantSettings.objects.create(
            merchant=merchant, pin_max_failed_attempts=settings.LOYALTY_PIN_MAX_FAILED_ATTEMPTS,
            pin_lockout_minutes=settings.LOYALTY_PIN_LOCKOUT_MINUTES,
        )  # fmt: skip
        Membership.objects.create(merchant=merchant, user=owner, role=Role.OWNER)
    return merchant


def update(
    *, merchant_id: UUID, at: datetime, actor_id: UUID | None = None, **changes: Unpack[Profile]
) -> Merchant:  # fmt: skip
    """Change a merchant's profile or looks; what is not given stays.

    Raises ValidationFailed, also for another currency once something was booked in the old one.
    """
    with tenancy.scope(merchant_id):
        merchant = Merchant.objects.select_for_update().filter(pk=merchant_id).first()
        if merchant is None:
            raise NotFound
        changed = []
        for name, value in changes.items():
            cleaned = fields.line(value)
            if getattr(merchant, name) != cleaned:
                setattr(merchant, name, cleaned)
                changed.append(name)
        check(merchant, changed)
        if "currency" in changed:
            extensions.change_currency(merchant_id=merchant_id, currency=merchant.currency)
        if BRANDING & set(changed):
            merchant.branding_version += 1
            changed.append("branding_version")
        if changed:
            merchant.save(update_fields=changed)
            _note(merchant, changed, actor_id)
            outbox.publish(CHANGED, merchant_id=merchant_id)
    return merchant


def reach_step(*, merchant_id: UUID, step: int) -> None:
    """Remember how far the onboarding has come; it never goes back."""
    with tenancy.scope(merchant_id):
        Merchant.objects.filter(pk=merchant_id, onboarding_step__lt=step).update(onboarding_step=step)


def set_status(*, merchant_id: UUID, status: str, at: datetime, actor_id: UUID | None = None) -> Merchant:
    """Set where a merchant stands with the platform, and since when. Only the platform does this.

    From late to suspended, or back, it is the same unpaid bill: `status_since` stays, and so does the end of the 60
    days of rule 5.
    """
    if status not in MerchantStatus.values:
        raise ValidationFailed.of("status", "invalid_choice", _("Choose one of the five standings."))
    with tenancy.scope(merchant_id):
        merchant = Merchant.objects.select_for_update().filter(pk=merchant_id).first()
        if merchant is None:
            raise NotFound
        if merchant.status != status:
            goes_on = merchant.status in UNPAID and status in UNPAID
            merchant.status, merchant.status_since = status, merchant.status_since if goes_on else at
            merchant.save(update_fields=["status", "status_since"])
            _note(merchant, ["status"], actor_id)
            outbox.publish(CHANGED, merchant_id=merchant_id)
    return merchant


def check(merchant: Merchant, names: tuple[str, ...] | list[str]) -> None:
    """Raise ValidationFailed for values that a merchant cannot have."""
    fields.check(merchant, names)
    if "default_language" in names and merchant.default_language not in dict(settings.LANGUAGES):
        raise ValidationFailed.of("default_language", "unknown_language", _("Choose one of our languages."))


def slugs(name: str) -> Iterator[str]:
    """Yield short names made of a name, the plainest first."""
    base = slugify(name)[:MAX_SLUG].strip("-_").replace("_", "-")
    if base and base not in RESERVED:
        yield base
        yield from (f"{base}-{number}" for number in range(2, NUMBERED_TRIES))
    base = base or "shop"
    while True:
        yield f"{base}-{secrets.token_hex(3)}"


def _save_with_free_slug(merchant: Merchant) -> None:
    """Save under the first free short name. Others' rows cannot be seen, so the unique index decides."""
    for slug in slugs(merchant.name):
        merchant.slug = slug
        try:
            with transaction.atomic():
                merchant.save(force_insert=True)
        except IntegrityError as error:
            if "slug" not in str(error):
                raise
        else:
            return


def _note(merchant: Merchant, changed: list[str], actor_id: UUID | None) -> None:
    AuditEntry.objects.create(
        merchant_id=merchant.pk, actor_id=actor_id, action="merchant_updated", target=f"merchant {merchant.slug}",
        facts={"fields": sorted(changed)},
    )  # fmt: skip
