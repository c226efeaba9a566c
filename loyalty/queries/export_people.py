"""The rows of the customers' file: who they are as far as they said, and what they agreed to."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from customers.enums import Channel, Purpose
from customers.models import Consent, Customer
from merchants.models import MerchantSettings

HEADER = (
    "id", "name", "email", "phone", "birthday", "language", "confirmed_at", "created_at", "merged_into",
    "service_email_consent", "marketing_email_consent", "marketing_sms_consent",
)  # fmt: skip
CONSENTS = (
    (Purpose.SERVICE, Channel.EMAIL), (Purpose.MARKETING, Channel.EMAIL), (Purpose.MARKETING, Channel.SMS),
)  # fmt: skip


def people() -> "QuerySet[Customer]":
    """Return the merchant's customers; of those who were erased nothing is left to tell."""
    return Customer.objects.filter(erased_at__isnull=True)


def rows(found: Sequence[Customer]) -> list[tuple[Any, ...]]:
    """Return customers as rows under HEADER: two queries more, however many they are."""
    asks_twice = MerchantSettings.objects.values_list("double_opt_in", flat=True).first()
    newest = _newest([person.pk for person in found])
    return [
        (
            person.pk, person.name, person.email, person.phone, birthday(person), person.language, person.confirmed_at,
            person.created_at, person.merged_into_id,
            *(_holds(newest.get((person.pk, *kind)), person, bool(asks_twice)) for kind in CONSENTS),
        )
        for person in found
    ]  # fmt: skip


def birthday(person: Customer) -> str:
    """Return the birthday as the API takes it: YYYY-MM-DD, MM-DD, or nothing."""
    if not person.birth_month or not person.birth_day:
        return ""
    day = f"{person.birth_month:02}-{person.birth_day:02}"
    return f"{person.birth_year:04}-{day}" if person.birth_year else day


def _newest(ids: Sequence[UUID]) -> dict[tuple[UUID, str, str], Consent]:
    """Return the decision that counts of each kind: the newest one."""
    decisions = Consent.objects.filter(customer_id__in=ids).order_by("recorded_at", "pk")
    return {(row.customer_id, row.purpose, row.channel): row for row in decisions}


def _holds(row: Consent | None, person: Customer, asks_twice: bool) -> bool:
    """Tell whether a consent may be used; where it has to be confirmed by mail, only once it was."""
    if row is None or not row.granted:
        return False
    return not asks_twice or row.confirmed_at is not None or person.confirmed_at is not None
