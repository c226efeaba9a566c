"""What a card's description is made of, read in one round trip: the card and the fingerprint of its program.

One statement per card's own rows, so that a stamp and the reward that it filled are seen together.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.db import connection
from django.db.models import Model

from core.db import Deferred, Pipeline
from customers.models import Customer
from loyalty.enums import RewardState
from loyalty.models import Card, IssuedReward
from wallets.queries import shared
from wallets.queries.shared import Shared

CARD = (
    "id", "merchant_id", "program_id", "customer_id", "enrolled_store_id", "card_number", "qr_code_data", "status",
    "stamp_count", "stamps_target", "stamps_reward", "points_balance", "last_activity_on",
)  # fmt: skip
CUSTOMER = ("id", "name", "language", "erased_at")
ISSUED = ("id", "name", "source", "state", "stamps_held", "issued_at", "expires_at")
CARDS = f"""
    SELECT {", ".join(f"c.{name}" for name in CARD)}, {", ".join(f"u.{name} AS customer__{name}" for name in CUSTOMER)},
        (SELECT json_agg(json_build_array({", ".join(f"i.{name}" for name in ISSUED)}) ORDER BY i.issued_at, i.id)
         FROM loyalty_issuedreward i
         WHERE i.merchant_id = c.merchant_id AND i.card_id = c.id AND i.state = '{RewardState.ISSUED}') AS issued
    FROM loyalty_card c
    JOIN customers_customer u ON u.merchant_id = c.merchant_id AND u.id = c.customer_id
    WHERE c.id {{chosen}}
"""  # noqa: S608 - put together from our own constants
PROGRAMS = shared.FINGERPRINTS.format(chosen="IN (SELECT c.program_id FROM loyalty_card c WHERE c.id {chosen})")
THESE = "= ANY (%(cards)s)"
IN_APPLE = "= (SELECT a.card_id FROM wallets_applepass a WHERE a.id = %(pass)s)"


@dataclass(frozen=True, slots=True)
class CardRead:
    """A card with its customer and its program, and the rewards that it was issued and still has."""

    card: Card
    issued: tuple[IssuedReward, ...]
    shared: Shared


class Reading:
    """The statements of a description, queued in a pipeline; `cards` once that is closed."""

    def __init__(self, cards: Deferred, programs: Deferred) -> None:
        self._cards, self._programs = cards, programs

    @classmethod
    def of_cards(cls, line: Pipeline, card_ids: Collection[UUID]) -> Self:
        """Queue the reading of cards."""
        return cls._queue(line, THESE, {"cards": list(card_ids)})

    @classmethod
    def of_pass(cls, line: Pipeline, pass_id: UUID) -> Self:
        """Queue the reading of the card of an Apple pass."""
        return cls._queue(line, IN_APPLE, {"pass": pass_id})

    @classmethod
    def _queue(cls, line: Pipeline, chosen: str, values: dict[str, Any]) -> Self:
        return cls(*(line.run(sql.format(chosen=chosen), values) for sql in (CARDS, PROGRAMS)))

    def cards(self) -> list[CardRead]:
        """Return the cards that are there."""
        programs = shared.of(self._programs.all())
        return [_card(row, programs[row["program_id"]]) for row in self._cards.all() if row["program_id"] in programs]


def _card(row: Mapping[str, Any], of_program: Shared) -> CardRead:
    card: Card = _instance(Card, {name: row[name] for name in CARD})
    card.program = of_program.program
    card.customer = _instance(Customer, {name: row[f"customer__{name}"] for name in CUSTOMER})
    return CardRead(card, tuple(_issued(values) for values in row["issued"] or ()), of_program)


def _issued(values: list[Any]) -> IssuedReward:
    read = dict(zip(ISSUED, values, strict=True))
    fields = [field for field in IssuedReward._meta.concrete_fields if field.attname in read]
    typed = {field.attname: field.to_python(read[field.attname]) for field in fields}
    reward: IssuedReward = _instance(IssuedReward, typed)
    return reward


def _instance(model: type[Model], values: Mapping[str, Any]) -> Any:
    """Return a row as its model has it; what was not read is missing, and asking for it is a query."""
    names = [field.attname for field in model._meta.concrete_fields if field.attname in values]
    return model.from_db(connection.alias, names, [values[name] for name in names])
