"""Customers as a merchant's managers see them: the list with its search, and one with cards and consents."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.errors import NotFound
from customers.models import Consent, Customer
from customers.queries import keys, people
from loyalty.enums import CardStatus
from loyalty.models import Card
from loyalty.queries import cards as card_queries
from merchants.models import Merchant

_DIGITS = re.compile(r"\+?[\d\s./()-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Known:
    """A customer with their cards (program and store loaded), the newest first."""

    customer: Customer
    cards: Sequence[Card]


@dataclass(frozen=True, slots=True)
class Person(Known):
    """A customer with what they decided about messages: the newest decision per purpose and channel."""

    consents: Sequence[Consent]


def listed(*, search: str = "", store_id: UUID | None = None) -> "QuerySet[Customer]":
    """Return the customers there are, unordered: neither erased ones nor records that were merged into another.

    search: an e-mail address or a phone number exactly, else a name by its beginning. store_id: those with a card that
    was made in the store.
    """
    found = Customer.objects.filter(erased_at=None, merged_into=None)
    if store_id is not None:
        here = Card.objects.filter(customer_id=OuterRef("pk"), enrolled_store_id=store_id)
        found = found.filter(Exists(here.exclude(status=CardStatus.MERGED)))
    return found.filter(_matching(search)) if search.strip() else found


def with_cards(customers: Iterable[Customer]) -> list[Known]:
    """Return customers with their cards: one query, however many they are."""
    shown = list(customers)
    cards = _cards([customer.pk for customer in shown])
    return [Known(customer, cards.get(customer.pk, ())) for customer in shown]


def one(customer_id: UUID) -> Person:
    """Return one customer; raises NotFound, also for one whose data was erased."""
    customer = require(customer_id)
    return Person(customer, _cards([customer_id]).get(customer_id, ()), people.consents_of(customer_id))


def require(customer_id: UUID) -> Customer:
    """Return the customer; raises NotFound, also for one whose data was erased."""
    customer = Customer.objects.filter(pk=customer_id, erased_at=None).first()
    if customer is None:
        raise NotFound
    return customer


def require_record(customer_id: UUID) -> None:
    """Raise NotFound unless there is a record of this id, erased or not."""
    if not Customer.objects.filter(pk=customer_id).exists():
        raise NotFound


def _cards(customer_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Card]]:
    rows = Card.objects.filter(customer_id__in=customer_ids).select_related("program", "enrolled_store")
    found: dict[UUID, list[Card]] = {}
    for card in rows.order_by("-enrolled_at", "-id"):
        found.setdefault(card.customer_id, []).append(card)
    return found


def _matching(search: str) -> Q:
    """Return the condition of a search: ranges and equality, since LIKE could use no index under the policy."""
    text = search.strip()
    if "@" in text:
        return Q(email_key=keys.email_key(text))
    if _DIGITS.fullmatch(text):
        return _with_phone(text)
    start = keys.name_key(text)
    return Q(name_key__gte=start, name_key__lt=start + card_queries.LAST)


def _with_phone(text: str) -> Q:
    country = Merchant.objects.values_list("country", flat=True).first() or ""
    try:
        return Q(phone_key=keys.phone_key(text, country))
    except ValueError:
        return Q(pk__in=())
