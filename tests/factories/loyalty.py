"""Programs, rewards and cards as rows, consistent with the ledger: a card has its first row and balances of 0.

To be used inside a scope; the merchant is that of the scope.
"""

from datetime import UTC, datetime
from typing import Any

import factory
from factory.django import DjangoModelFactory

from core.ids import uuid7
from customers.models import Customer
from customers.queries import keys
from loyalty.enums import Channel, LoyaltyType, ProgramStatus, TransactionType
from loyalty.models import Card, Program, ProgramVersion, Reward, Transaction
from loyalty.queries import access
from loyalty.services import program_fields
from stores.models import Store

ENROLLED = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class ProgramFactory(DjangoModelFactory[Program]):
    """A program with its first version."""

    class Meta:
        model = Program
        skip_postgeneration_save = True

    name = factory.Sequence(lambda number: f"Program {number}")
    loyalty_type = LoyaltyType.STAMPS
    status = ProgramStatus.ACTIVE
    stamps_reward_description = "Free coffee"
    require_staff_pin = False
    cooldown_minutes = 0
    max_daily_stamps = 0

    @factory.post_generation
    def first_version(self: Program, create: bool, extracted: Any, **_: Any) -> None:
        if create:
            ProgramVersion.objects.create(program=self, number=1, rules=program_fields.snapshot(self))


class RewardFactory(DjangoModelFactory[Reward]):
    """A reward that points buy."""

    class Meta:
        model = Reward

    name = factory.Sequence(lambda number: f"Reward {number}")
    points_cost = 100
    position = factory.Sequence(lambda number: number)


class CustomerFactory(DjangoModelFactory[Customer]):
    """A person with a name, and what the search finds them by."""

    class Meta:
        model = Customer

    name = factory.Sequence(lambda number: f"Marie {number}")
    name_key = factory.LazyAttribute(lambda row: keys.name_key(row.name))
    email_key = factory.LazyAttribute(lambda row: keys.email_key(row.email))
    email = ""
    language = "fr"


class CardFactory(DjangoModelFactory[Card]):
    """A card with the row of its making; needs program and enrolled_store."""

    class Meta:
        model = Card
        skip_postgeneration_save = True

    customer = factory.SubFactory(CustomerFactory)
    card_number = factory.LazyFunction(access.new_number)
    qr_code_data = factory.LazyFunction(access.new_code)
    access_hash = factory.LazyFunction(lambda: access.hash_of(uuid7().hex))
    stamps_target = factory.LazyAttribute(lambda row: row.program.stamps_target)
    stamps_reward = factory.LazyAttribute(lambda row: row.program.stamps_reward_description)
    seq = 1
    enrolled_at = ENROLLED
    last_activity_on = factory.LazyAttribute(lambda row: row.enrolled_at.date())

    @factory.post_generation
    def first_row(self: Card, create: bool, extracted: Any, **_: Any) -> None:
        if create:
            write_row(self, TransactionType.CARD_ENROLLED, seq=1)


def write_row(card: Card, kind: str, *, seq: int, store: Store | None = None, **values: Any) -> Transaction:
    """Write one ledger row of a card as it stands; the caller keeps the card's figures in step."""
    row: Transaction = Transaction.objects.create(
        **{
            "card": card, "program": card.program, "program_version": card.program.version, "seq": seq,
            "idempotency_key": f"auto-{uuid7()}", "type": kind, "stamps_after": card.stamp_count,
            "points_after": card.points_balance, "currency": "EUR", "store": store or card.enrolled_store,
            "channel": Channel.API, "business_date": card.last_activity_on, "occurred_at": card.enrolled_at,
            "recorded_at": card.enrolled_at, **values,
        }
    )  # fmt: skip
    return row
