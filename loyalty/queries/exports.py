"""What a merchant takes away as a file: cards, transactions, customers, row by row, whatever their number.

A file is read in chunks by its key, each in a scope of its own: a streamed body runs when the request's is long closed,
and memory holds one chunk. Columns bear the API's names (nested ones joined: `customer.name` is `customer_name`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from core import csv, tenancy
from customers.models import Customer
from loyalty.enums import CardStatus
from loyalty.models import Card, IssuedReward, Program, Reward, Transaction
from loyalty.queries import export_people
from loyalty.queries.history import SERVER_KEY
from stores.models import StaffPin, Store

CHUNK = 1000
KINDS = ("cards", "transactions", "customers")

HEADERS: dict[str, tuple[str, ...]] = {
    "cards": (
        "id", "card_number", "qr_code_data", "status", "merged_into", "program_id", "program_name", "loyalty_type",
        "customer_id", "customer_name", "customer_email", "customer_phone", "stamp_count", "stamps_target",
        "points_balance", "points_debt", "enrolled_at", "enrolled_store_code", "enrolled_store_name", "last_stamp_at",
        "last_points_at", "last_activity_on",
    ),
    "transactions": (
        "id", "card_id", "card_number", "type", "stamps_delta", "points_delta", "debt_delta", "stamps_after",
        "points_after", "purchase_amount_cents", "currency", "order_reference", "reward_id", "reward_name", "reverses",
        "program_id", "program_version", "store_code", "store_name", "staff_id", "staff_name", "channel",
        "idempotency_key", "business_date", "occurred_at", "recorded_at",
    ),
    "customers": export_people.HEADER,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """What a file is narrowed to. since, until: business days.

    store_id: cards made there, transactions done there, customers with a card made there.
    """

    store_id: UUID | None = None
    since: date | None = None
    until: date | None = None


EVERYTHING = Filters()
Row = tuple[Any, ...]


def stream(kind: str, merchant_id: UUID, filters: Filters = EVERYTHING) -> Iterator[bytes]:
    """Yield a merchant's file as CSV, safe to open in a spreadsheet. kind: one of KINDS."""
    return csv.stream(HEADERS[kind], rows(kind, merchant_id, filters))


def rows(kind: str, merchant_id: UUID, filters: Filters = EVERYTHING) -> Iterator[Row]:
    """Yield the rows of a file under HEADERS[kind], in the order in which they came to be.

    Opens a scope for each chunk and none between them, so the caller may stop reading at any row.
    """
    source, shape = SOURCES[kind]
    last: UUID | None = None
    while True:
        with tenancy.scope(merchant_id):
            found = source(filters).filter(merchant_id=merchant_id).order_by("pk")
            chunk = list((found if last is None else found.filter(pk__gt=last))[:CHUNK])
            made = shape(chunk) if chunk else []
        yield from made
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].pk


def _cards(filters: Filters) -> "QuerySet[Card]":
    found = Card.objects.all()
    return found if filters.store_id is None else found.filter(enrolled_store_id=filters.store_id)


def _card_rows(cards: Sequence[Card]) -> list[Row]:
    programs = Program.objects.in_bulk({card.program_id for card in cards})
    people = Customer.objects.in_bulk({card.customer_id for card in cards})
    stores = Store.objects.in_bulk({card.enrolled_store_id for card in cards})
    return [
        _card_row(card, programs[card.program_id], people[card.customer_id], stores[card.enrolled_store_id])
        for card in cards
    ]


def _card_row(card: Card, program: Program, person: Customer, store: Store) -> Row:
    return (
        card.pk, card.card_number, card.qr_code_data, card.status, card.merged_into_id, program.pk, program.name,
        program.loyalty_type, person.pk, person.name, person.email, person.phone, card.stamp_count,
        card.stamps_target if program.has_stamps else None, card.points_balance, card.points_debt, card.enrolled_at,
        store.code, store.name, card.last_stamp_at, card.last_points_at, card.last_activity_on,
    )  # fmt: skip


def _transactions(filters: Filters) -> "QuerySet[Transaction]":
    found = Transaction.objects.all()
    if filters.store_id is not None:
        found = found.filter(store_id=filters.store_id)
    if filters.since is not None:
        found = found.filter(business_date__gte=filters.since)
    return found if filters.until is None else found.filter(business_date__lte=filters.until)


@dataclass(frozen=True, slots=True)
class _Names:
    """What the rows of one chunk refer to."""

    cards: dict[Any, str]
    stores: dict[Any, Store]
    staff: dict[Any, str]
    rewards: dict[Any, str]
    issued: dict[Any, str]


def _transaction_rows(chunk: Sequence[Transaction]) -> list[Row]:
    names = _Names(
        cards=_named(Card, "card_number", {row.card_id for row in chunk}),
        stores=Store.objects.in_bulk({row.store_id for row in chunk if row.store_id}),
        staff=_named(StaffPin, "name", {row.staff_pin_id for row in chunk}),
        rewards=_named(Reward, "name", {row.reward_id for row in chunk}),
        issued=_named(IssuedReward, "name", {row.issued_reward_id for row in chunk}),
    )
    return [_transaction_row(row, names) for row in chunk]


def _transaction_row(row: Transaction, names: _Names) -> Row:
    store, key = names.stores.get(row.store_id), row.idempotency_key
    reward = names.issued.get(row.issued_reward_id) or names.rewards.get(row.reward_id)
    return (
        row.pk, row.card_id, names.cards[row.card_id], row.type, row.stamps_delta, row.points_delta, row.debt_delta,
        row.stamps_after, row.points_after, row.purchase_amount_cents, row.currency, row.order_reference,
        row.issued_reward_id or row.reward_id, reward, row.reverses_id, row.program_id, row.program_version,
        store.code if store else None, store.name if store else None, row.staff_pin_id,
        names.staff.get(row.staff_pin_id), row.channel, None if key.startswith(SERVER_KEY) else key,
        row.business_date, row.occurred_at, row.recorded_at,
    )  # fmt: skip


def _customers(filters: Filters) -> "QuerySet[Customer]":
    found = export_people.people()
    if filters.store_id is None:
        return found
    here = Card.objects.filter(customer_id=OuterRef("pk"), enrolled_store_id=filters.store_id)
    return found.filter(Exists(here.exclude(status=CardStatus.MERGED)))


def _named(model: Any, column: str, ids: set[Any]) -> dict[Any, str]:
    wanted = ids - {None}
    return dict(model.objects.filter(pk__in=wanted).values_list("pk", column)) if wanted else {}


Source = Callable[[Filters], "QuerySet[Any]"]
SOURCES: dict[str, tuple[Source, Callable[[Sequence[Any]], list[Row]]]] = {
    "cards": (_cards, _card_rows),
    "transactions": (_transactions, _transaction_rows),
    "customers": (_customers, export_people.rows),
}
