"""Consents as evidence: a row per decision, never changed, never deleted; the newest row of a kind counts."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import ValidationFailed
from customers.enums import Channel, Purpose
from customers.models import Consent, Customer
from customers.queries import people

Kind = tuple[str, str]

# The sentences beside the boxes. Whoever changes one writes a new version: old rows keep what was read then.
TEXT_VERSION = "2026-11"
TEXTS: Mapping[Kind, str | Promise] = {
    (Purpose.SERVICE, Channel.EMAIL): _("Tell me by e-mail when a reward is ready"),
    (Purpose.MARKETING, Channel.EMAIL): _("Send me offers by e-mail"),
    (Purpose.MARKETING, Channel.SMS): _("Send me offers by SMS"),
}


def require_addresses(decisions: Mapping[Kind, bool], *, email: str, phone: str) -> None:
    """Raise ValidationFailed where a box was ticked and there is no address that it could be about."""
    ticked = {channel for (_purpose, channel), granted in decisions.items() if granted}
    errors: dict[str, list[tuple[str, str | Promise]]] = {}
    if Channel.EMAIL in ticked and not email:
        errors["email"] = [("required", _("Add your e-mail address, or untick the box."))]
    if Channel.SMS in ticked and not phone:
        errors["phone"] = [("required", _("Add your phone number, or untick the box."))]
    if errors:
        raise ValidationFailed(errors)


def record(
    *, merchant_id: UUID, customer: Customer, decisions: Mapping[Kind, bool], source: str, language: str, at: datetime
) -> None:
    """Write one row per decision with the text that was read and the address it is about.

    A box that was not ticked is no decision and writes nothing; leave it out of `decisions`, False is a withdrawal.
    """
    with tenancy.scope(merchant_id):
        Consent.objects.bulk_create(
            Consent(
                customer=customer, purpose=purpose, channel=channel, granted=granted, text_version=TEXT_VERSION,
                language=language, source=source, recorded_at=at,
                address=customer.phone if channel == Channel.SMS else customer.email,
            )
            for (purpose, channel), granted in decisions.items()
        )  # fmt: skip


def confirm(*, merchant_id: UUID, customer: Customer, of: UUID, at: datetime) -> None:
    """Complete the double opt-in: write what `of` granted by e-mail and had not confirmed yet as confirmed rows.

    `of` is the customer who ticked the boxes; `customer` the one who proved the same address (often the same person).
    """
    with tenancy.scope(merchant_id):
        Consent.objects.bulk_create(
            Consent(
                customer=customer, purpose=row.purpose, channel=row.channel, granted=True, language=row.language,
                text_version=row.text_version, source="confirmation_link", address=row.address, recorded_at=at,
                confirmed_at=at,
            )
            for row in people.waiting_consents_of(of)
        )  # fmt: skip
