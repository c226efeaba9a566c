"""Programs and merchants in the administrators' lists: 25 a page by key, each with what the rollups say and its flags.

Needs the platform's scope. Whatever the number of merchants, a page takes a fixed number of queries over 25 of them;
no list is ever counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, DateField, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.translation import gettext as _

from dashboard.models import DayBalance, DayFigures
from dashboard.queries import platform
from loyalty.enums import LoyaltyType, ProgramStatus
from merchants.enums import MerchantStatus
from merchants.models import Merchant, MerchantSettings
from wallets.enums import Provider, UpdateState
from wallets.models import PassUpdate

PAGE = 25
# Nothing given for so long at a program that runs: somebody should ask how they are.
QUIET = timedelta(days=30)
# Updates of passes take seconds; what is older is late.
LATE = timedelta(minutes=1)
TONES = {
    MerchantStatus.TRIAL: "ink", MerchantStatus.ACTIVE: "ok", MerchantStatus.LATE: "warn",
    MerchantStatus.SUSPENDED: "bad", MerchantStatus.CLOSED: "",
}  # fmt: skip
PROGRAM_TONES = {ProgramStatus.ACTIVE: "ok", ProgramStatus.PAUSED: "warn"}


@dataclass(frozen=True, slots=True)
class Flag:
    """Something to look at. tone: as of a chip."""

    label: str
    tone: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list: a program or a merchant. used_on: the last business day on which a card got something."""

    row: Any
    merchant: Merchant
    tone: str
    cards: int
    used_on: date | None
    late: int
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list. after: the key by which the next page begins, "" on the last one."""

    lines: Sequence[Line]
    after: str


def programs(*, search: str, status: str, kind: str, after: str, at: datetime) -> Page:
    """Return a page of the programs of all merchants, the newest first. Four queries."""
    found = platform.programs(search=search, status=status if status in ProgramStatus.values else "")
    if kind in LoyaltyType.values:
        found = found.filter(loyalty_type=kind)
    rows, following = _page(found.annotate(used_on=_used_on(program_id=OuterRef("pk"))), after)
    facts = _facts({row.merchant_id for row in rows}, at)
    cards = _cards("program_id", Q(program_id__in=[row.pk for row in rows]), rows)
    return Page([_of_program(row, cards.get(row.pk, 0), facts, at) for row in rows], following)


def merchants(*, search: str, country: str, status: str, after: str, at: datetime) -> Page:
    """Return a page of the merchants, the newest first. Four queries."""
    found = Merchant.objects.all()
    if search:
        found = found.filter(Q(name__icontains=search) | Q(slug__icontains=search) | Q(legal_name__icontains=search))
    if country:
        found = found.filter(country=country)
    if status in MerchantStatus.values:
        found = found.filter(status=status)
    rows, following = _page(found.annotate(used_on=_used_on()), after)
    facts = _facts({row.pk for row in rows}, at)
    cards = _cards("merchant_id", Q(), rows)
    return Page([_of_merchant(row, cards.get(row.pk, 0), facts, at) for row in rows], following)


def merchant(row: Merchant, at: datetime) -> Line:
    """Return the line of one merchant. Four queries."""
    found = Merchant.objects.filter(pk=row.pk).annotate(used_on=_used_on()).get()
    return _of_merchant(found, _cards("merchant_id", Q(), [found]).get(row.pk, 0), _facts({row.pk}, at), at)


def late_passes(at: datetime) -> "QuerySet[PassUpdate]":
    """Return the updates of passes that should have arrived, those that were given up included."""
    waiting = Q(state=UpdateState.QUEUED, queued_at__lt=at - LATE)
    return PassUpdate.objects.filter(waiting | Q(state=UpdateState.FAILED), provider__in=Provider.values)


def _page(rows: "QuerySet[Any]", after: str) -> tuple[list[Any], str]:
    """Cut a page out of rows, newest first; one more than it shows tells whether there is another."""
    start = _key(after)
    if start is not None:
        rows = rows.filter(pk__lt=start)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    return found[:PAGE], str(found[PAGE - 1].pk) if len(found) > PAGE else ""


def _used_on(**wanted: Any) -> Subquery:
    """Return the last business day of a merchant (of a program) on which something was given: read backwards by day."""
    whose = {"merchant_id": OuterRef("merchant_id")} if wanted else {"merchant_id": OuterRef("pk")}
    days = DayFigures.objects.filter(Q(stamps_given__gt=0) | Q(points_earned__gt=0), **whose, **wanted)
    return Subquery(days.order_by("-day").values("day")[:1], output_field=DateField())


def _cards(by: str, wanted: Q, rows: Sequence[Any]) -> dict[UUID, int]:
    """Return how many cards were made, by program or by merchant."""
    mine = Q(merchant_id__in={getattr(row, "merchant_id", row.pk) for row in rows})
    sums = DayBalance.objects.filter(mine, wanted).values(by).annotate(made=Sum("cards"))
    return {row[by]: int(row["made"] or 0) for row in sums}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of some merchants: the switches that stop something, and how many passes are late."""

    stops: dict[UUID, tuple[bool, bool]]
    late: dict[UUID, int]


def _facts(ids: set[UUID], at: datetime) -> _Facts:
    switches = MerchantSettings.objects.filter(merchant_id__in=ids)
    stops = {
        merchant_id: (enrolments, messages)
        for merchant_id, enrolments, messages in switches.values_list(
            "merchant_id", "enrollment_suspended", "messages_suspended"
        )
    }
    rows = late_passes(at).filter(merchant_id__in=ids).values("merchant_id").annotate(found=Count("pk"))
    return _Facts(stops, {row["merchant_id"]: int(row["found"]) for row in rows})


def _of_program(row: Any, cards: int, facts: _Facts, at: datetime) -> Line:
    flags = list(_stopped(row.merchant, facts))
    if row.status == ProgramStatus.ACTIVE:
        flags += _quiet(row.used_on, row.created_at, at)
    tone = PROGRAM_TONES.get(row.status, "")
    late = facts.late.get(row.merchant_id, 0)
    return Line(row, row.merchant, tone, cards, row.used_on, late, (*flags, *_lagging(late)))


def _of_merchant(row: Any, cards: int, facts: _Facts, at: datetime) -> Line:
    flags = list(_stopped(row, facts, standing=False))
    if row.status in (MerchantStatus.TRIAL, MerchantStatus.ACTIVE):
        flags += _quiet(row.used_on, row.created_at, at)
    late = facts.late.get(row.pk, 0)
    return Line(row, row, TONES[row.status], cards, row.used_on, late, (*flags, *_lagging(late)))


def _stopped(merchant: Merchant, facts: _Facts, *, standing: bool = True) -> list[Flag]:
    flags = []
    if standing and merchant.status in (MerchantStatus.LATE, MerchantStatus.SUSPENDED, MerchantStatus.CLOSED):
        flags.append(Flag(str(MerchantStatus(merchant.status).label), TONES[MerchantStatus(merchant.status)] or "warn"))
    enrolments, messages = facts.stops.get(merchant.pk, (False, False))
    if enrolments:
        flags.append(Flag(_("Enrolments stopped"), "warn"))
    if messages:
        flags.append(Flag(_("Messages stopped"), "warn"))
    return flags


def _quiet(used_on: date | None, since: datetime, at: datetime) -> list[Flag]:
    if used_on is None:
        return [Flag(_("Not used yet"), "")]
    return [Flag(_("Quiet for a month"), "warn")] if used_on < (at - QUIET).date() and since < at - QUIET else []


def _lagging(late: int) -> list[Flag]:
    return [Flag(_("Passes late: %(count)s") % {"count": late}, "bad")] if late else []


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
