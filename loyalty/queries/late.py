"""What an operation that arrives late looks at: the ledger around its instant, and the rules that held then."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from loyalty.enums import TransactionType
from loyalty.models import ProgramVersion, Transaction
from loyalty.queries import corrections, merges, visits
from loyalty.rules.stamps import Around, Moment
from loyalty.rules.states import ProgramRules


def stamps_around(card_id: UUID, moment: Moment, *, cooldown_minutes: int) -> Around:
    """Return the stamps near an instant and on its business day, undone ones left out; under the card's lock.

    Those of cards that were merged into this one count, too: it goes on where they ended.
    """
    reach = timedelta(minutes=cooldown_minutes)
    near = Q(occurred_at__gt=moment.at - reach, occurred_at__lt=moment.at + reach)
    undone = Transaction.objects.filter(reverses_id=OuterRef("id"), type=TransactionType.VOID)
    rows = list(
        Transaction.objects.filter(near | Q(business_date=moment.day), card_id__in=[card_id, *merges.absorbed(card_id)])
        .filter(~Exists(undone), type=TransactionType.STAMP_EARNED)
        .values_list("occurred_at", "business_date", "stamps_delta")
    )
    times = [row[0] for row in rows]
    return Around(
        before=_nearest(times, moment.at, later=False),
        after=_nearest(times, moment.at, later=True),
        on_day=sum(row[2] for row in rows if row[1] == moment.day),
    )


def rules_then(program: ProgramRules, at: datetime) -> ProgramRules:
    """Return the rules of a program as they stood at an instant; today's where no version is that old."""
    if program.version == 1:
        return program
    versions = ProgramVersion.objects.filter(program_id=program.id, number__lte=program.version, created_at__lte=at)
    number = versions.order_by("-number").values_list("number", flat=True).first()
    return program if number is None else corrections.rules_at(program, number)


def expired_after(card_id: UUID, at: datetime) -> list[Transaction]:
    """Return the expiries of a card's points that are dated after an instant and stand; under the card's lock.

    Those of cards that were merged into it are not looked at.
    """
    undone = Transaction.objects.filter(reverses_id=OuterRef("id"), type=TransactionType.VOID)
    rows = Transaction.objects.filter(card_id=card_id, type=TransactionType.POINTS_EXPIRED, occurred_at__gt=at)
    return list(rows.filter(~Exists(undone)).order_by("occurred_at", "seq"))


def first_visit_from(card_id: UUID, at: datetime) -> datetime | None:
    """Return when the customer came first from an instant on, None when they did not come since."""
    undone = Transaction.objects.filter(reverses_id=OuterRef("id"), type=TransactionType.VOID)
    rows = Transaction.objects.filter(card_id=card_id, type__in=visits.VISITS, occurred_at__gte=at)
    stands = Q(type__in=visits.REDEMPTIONS) | ~Exists(undone)
    return rows.filter(stands).order_by("occurred_at").values_list("occurred_at", flat=True).first()


def _nearest(times: Sequence[datetime], at: datetime, *, later: bool) -> datetime | None:
    if later:
        return min((time for time in times if time > at), default=None)
    return max((time for time in times if time <= at), default=None)
