"""Consents as evidence: a row per decision, never changed, never deleted; the newest row of a kind counts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import NotFound, ValidationFailed
from customers.enums import Channel, Purpose
from customers.models import Consent, Customer
from customers.queries import keys, people
from merchants.models import MerchantSettings

Kind = tuple[str, str]

# The sentences beside the boxes. Whoever changes one writes a new version: old rows keep what was read then.
TEXT_VERSION = "2026-11"
TEXTS: Mapping[Kind, str | Promise] = {
    (Purpose.SERVICE, Channel.EMAIL): _("Tell me by e-mail when a reward is ready"),
    (Purpose.MARKETING, Channel.EMAIL): _("Send me offers by e-mail"),
    (Purpose.SERVICE, Channel.SMS): _("Tell me by SMS when a reward is ready"),
    (Purpose.MARKETING, Channel.SMS): _("Send me offers by SMS"),
}
MERGED, UNMERGED = "merge", "unmerge"


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
) -> list[Consent]:
    """Write one row per decision with the text that was read and the address it is about.

    A box that was not ticked is no decision and writes nothing; leave it out of `decisions`, False is a withdrawal.
    What is granted for an address that is proven already needs no second confirmation.
    """
    proven = at if customer.confirmed_at is not None else None
    with tenancy.scope(merchant_id):
        return Consent.objects.bulk_create(
            Consent(
                customer=customer, purpose=purpose, channel=channel, granted=granted, text_version=TEXT_VERSION,
                language=language, source=source, recorded_at=at,
                address=customer.phone if channel == Channel.SMS else customer.email,
                confirmed_at=proven if granted and channel == Channel.EMAIL else None,
            )
            for (purpose, channel), granted in decisions.items()
        )  # fmt: skip


def decide(
    *, merchant_id: UUID, customer_id: UUID, purpose: str, channel: str, granted: bool, source: str, language: str,
    at: datetime,
) -> Consent:  # fmt: skip
    """Write what a customer decided by their own hand, beside the words of TEXTS.

    Raises ValidationFailed where there is no address that a consent could be about (a withdrawal needs none), and
    NotFound for somebody who was erased.
    """
    with tenancy.scope(merchant_id):
        rows = Customer.objects.select_for_update(of=("self",), no_key=True)
        customer = rows.filter(pk=customer_id, erased_at__isnull=True).first()
        if customer is None:
            raise NotFound
        decisions = {(purpose, channel): granted}
        require_addresses(decisions, email=customer.email, phone=customer.phone)
        (row,) = record(
            merchant_id=merchant_id, customer=customer, decisions=decisions, source=source, language=language, at=at
        )  # fmt: skip
        return row


def confirm(*, merchant_id: UUID, customer: Customer, of: UUID, at: datetime) -> None:
    """Complete the double opt-in: write what `of` granted by e-mail and had not confirmed yet as confirmed rows.

    `of` is the customer who ticked the boxes; `customer` the one who proved the address (often the same person). The
    rows name the address that was proven, where a slip in the one first typed was put right since.
    """
    with tenancy.scope(merchant_id):
        Consent.objects.bulk_create(
            _again(row, customer=customer, source="confirmation_link", at=at, confirmed_at=at, address=customer.email)
            for row in people.waiting_consents_of(of)
        )


def allowed(customer_id: UUID, purpose: str, channel: str) -> bool:
    """Tell whether a message may go out now: the newest decision of the kind is a yes, about the address of today.

    With double opt-in (the default) it was confirmed by a link, or given when the address was proven already. Needs an
    open scope.
    """
    customer = Customer.objects.filter(pk=customer_id, erased_at__isnull=True).first()
    row = _newest(customer_id, purpose, channel)
    if customer is None or row is None or not row.granted or not _is_about(row, customer):
        return False
    if MerchantSettings.objects.filter(double_opt_in=False).exists():
        return True
    return is_confirmed(row, customer)


def is_confirmed(row: Consent, customer: Customer) -> bool:
    """Tell whether a consent is proven: by its link, or by an address that was proven before it was given."""
    if row.confirmed_at is not None:
        return True
    proven = customer.confirmed_at if row.channel == Channel.EMAIL else None
    return proven is not None and proven <= row.recorded_at


def is_on(customer_id: UUID, purpose: str, channel: str) -> bool:
    """Tell whether the newest decision of a kind is a yes; in an open scope."""
    row = _newest(customer_id, purpose, channel)
    return row is not None and row.granted


def most_restrictive(*, merchant_id: UUID, into: UUID, other: UUID, at: datetime) -> list[UUID]:
    """Keep the stricter of two records' decisions for the one that goes on (rule 25); returns the rows written.

    A no of `other` takes a yes of `into` away. What one of the two was never asked stays as it is.
    """
    with tenancy.scope(merchant_id):
        refused = {(row.purpose, row.channel) for row in people.consents_of(other) if not row.granted}
        customer = Customer.objects.get(pk=into)
        mine = [row for row in people.consents_of(into) if row.granted and (row.purpose, row.channel) in refused]
        written = Consent.objects.bulk_create(
            _again(row, customer=customer, source=MERGED, at=at, granted=False) for row in mine
        )
        return [row.pk for row in written]


def restore(*, merchant_id: UUID, written: Sequence[UUID], at: datetime) -> list[UUID]:
    """Take back what `most_restrictive` wrote, where the person decided nothing since; returns the rows written."""
    with tenancy.scope(merchant_id):
        back: list[Consent] = []
        for row in Consent.objects.filter(pk__in=written).select_related("customer").order_by("id"):
            newest = _newest(row.customer_id, row.purpose, row.channel)
            before = _newest(row.customer_id, row.purpose, row.channel, before=row)
            if newest is not None and newest.pk == row.pk and before is not None:
                again = _again(
                    before, customer=row.customer, source=UNMERGED, at=at, granted=before.granted,
                    confirmed_at=before.confirmed_at,
                )  # fmt: skip
                back.append(again)
        return [row.pk for row in Consent.objects.bulk_create(back)]


def carry(*, customer: Customer, old_key: str, at: datetime) -> None:
    """Let what was granted for a proven address hold for the one that took its place; in an open scope."""
    rows = [row for row in people.consents_of(customer.pk) if row.granted and row.channel == Channel.EMAIL]
    Consent.objects.bulk_create(
        _again(row, customer=customer, source="address_changed", at=at, confirmed_at=at, address=customer.email)
        for row in rows
        if keys.email_key(row.address) == old_key and is_confirmed(row, customer)
    )


def withdraw(*, merchant_id: UUID, customer_ids: Sequence[UUID], purpose: str, channel: str, source: str,
             at: datetime) -> int:  # fmt: skip
    """Write a withdrawal for each of the records where there is none yet; returns how many were written."""
    with tenancy.scope(merchant_id):
        rows = Customer.objects.select_for_update(of=("self",), no_key=True).order_by("id")
        count = 0
        for customer in rows.filter(pk__in=customer_ids, erased_at__isnull=True):
            newest = _newest(customer.pk, purpose, channel)
            if newest is None or newest.granted:
                record(
                    merchant_id=merchant_id, customer=customer, decisions={(purpose, channel): False}, source=source,
                    language=customer.language, at=at,
                )  # fmt: skip
                count += 1
        return count


def take_back(*, merchant_id: UUID, customer_id: UUID, purpose: str, channel: str, source: str, undo: str,
              at: datetime) -> bool:  # fmt: skip
    """Undo a withdrawal of `source` that is still the newest word: what held before holds again, as a new row.

    Returns whether there was one. A person who never agreed, or decided since, is left alone.
    """
    with tenancy.scope(merchant_id):
        customer = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer_id)
        newest = _newest(customer_id, purpose, channel)
        if newest is None or newest.granted or newest.source != source:
            return False
        before = _newest(customer_id, purpose, channel, before=newest)
        if before is None or not before.granted:
            return False
        _again(before, customer=customer, source=undo, at=at, confirmed_at=before.confirmed_at).save(force_insert=True)
        return True


def _newest(customer_id: UUID, purpose: str, channel: str, *, before: Consent | None = None) -> Consent | None:
    rows = Consent.objects.filter(customer_id=customer_id, purpose=purpose, channel=channel)
    rows = rows.order_by("-recorded_at", "-id")
    if before is None:
        return rows.first()
    return rows.exclude(pk=before.pk).filter(recorded_at__lte=before.recorded_at).first()


def _is_about(row: Consent, customer: Customer) -> bool:
    """Tell whether a consent names the address that the customer has today."""
    if row.channel == Channel.SMS:
        return bool(customer.phone) and row.address == customer.phone
    return bool(customer.email_key) and keys.email_key(row.address) == customer.email_key


def _again(
    row: Consent, *, customer: Customer, source: str, at: datetime, granted: bool = True,
    confirmed_at: datetime | None = None, address: str | None = None,
) -> Consent:  # fmt: skip
    """Return a new row with the evidence of an old one: the text that was read, its language, the address."""
    return Consent(
        customer=customer, purpose=row.purpose, channel=row.channel, granted=granted, language=row.language,
        text_version=row.text_version, source=source, address=row.address if address is None else address,
        recorded_at=at, confirmed_at=confirmed_at,
    )  # fmt: skip
