"""The welcome bonus: granted with a card's first staff-verified earn, once per address (or card without one)."""

from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from loyalty.enums import TransactionType
from loyalty.models import Card
from loyalty.rules.states import CardState
from loyalty.services import ledger
from loyalty.services.operations import Context


@dataclass(slots=True)
class Bonus:
    """What the bonus adds to a write; nothing when none is due."""

    points: int = 0
    lines: list[ledger.Line] = field(default_factory=list)
    card: dict[str, Any] = field(default_factory=dict)


def bonus(context: Context, after: CardState) -> Bonus:
    """Decide the bonus of an earn, on top of the card as the earn leaves it."""
    program = context.program
    if not program.welcome_bonus_points or not program.has_points or context.card.welcome_granted:
        return Bonus()
    if _address_had_it(context):
        return Bonus()
    paid = min(after.points_debt, program.welcome_bonus_points)
    line = ledger.Line(
        TransactionType.WELCOME_BONUS.value,
        points_delta=program.welcome_bonus_points - paid,
        debt_delta=-paid,
        points_granted=program.welcome_bonus_points,
    )
    card = {
        "points_balance": after.points_balance + line.points_delta,
        "points_debt": after.points_debt - paid,
        "welcome_granted": True,
    }
    return Bonus(program.welcome_bonus_points, [line], card)


def _address_had_it(context: Context) -> bool:
    """Tell whether another card of the same address had the bonus; the lock closes the race of two such cards."""
    key = context.loaded.customer_email_key
    if not key:
        return False
    with connection.cursor() as cursor:
        name = f"welcome/{context.call.credential.merchant_id}/{key}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    return (
        Card.objects.filter(program_id=context.program.id, customer__email_key=key, welcome_granted=True)
        .exclude(id=context.card.id)
        .exists()
    )
