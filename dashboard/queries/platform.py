"""Figures of the whole platform and of one program, read from the rollups: the ledger itself is never walked through.

Needs the platform's scope. The rollups lag by up to a minute; the platform's totals are kept for a minute besides, or
until the worker has counted them anew where that takes long.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from dashboard.models import DayBalance, DayFigures, Presence
from dashboard.queries import closed, kept
from dashboard.queries.versions import Versions
from loyalty.models import Program
from merchants.enums import MerchantStatus
from merchants.models import Merchant
from stores.models import Store

RECENT = timedelta(days=30)
KEPT_SECONDS = 60
TOTALS = kept.Question("platform", None)


@dataclass(frozen=True, slots=True)
class ProgramFigures:
    """What a program gave, and what is outstanding on its cards, closed ones left out.

    cards: made so far, whatever became of them.
    """

    cards: int
    new_cards_30d: int
    visits_30d: int
    stamps_given: int
    stamps_outstanding: int
    rewards_issued: int
    rewards_redeemed: int
    points_issued: int
    points_redeemed: int
    points_expired: int
    points_outstanding: int


def programs(*, search: str = "", status: str = "", merchant: str = "") -> "QuerySet[Program]":
    """Return programs of all merchants: by words in their or the merchant's name, status, merchant (id or slug)."""
    found = Program.objects.select_related("merchant")
    if search:
        found = found.filter(
            Q(name__icontains=search) | Q(merchant__name__icontains=search) | Q(merchant__slug__icontains=search)
        )
    if status:
        found = found.filter(status=status)
    if merchant:
        wanted = _uuid(merchant)
        found = found.filter(merchant__slug=merchant) if wanted is None else found.filter(merchant_id=wanted)
    return found


def of_program(program: Program, at: datetime) -> ProgramFigures:
    """Return the figures of one program: three queries, each over that merchant's rows only."""
    days = DayFigures.objects.filter(merchant_id=program.merchant_id, program_id=program.pk)
    held = DayBalance.objects.filter(merchant_id=program.merchant_id, program_id=program.pk)
    sums = {**_flows(days, at), **_balances(held, Q(merchant_id=program.merchant_id, program_id=program.pk))}
    names = ProgramFigures.__dataclass_fields__
    return ProgramFigures(**{name: sums[name] for name in names})


def totals(at: datetime) -> dict[str, Any]:
    """Return the platform's totals; a minute old, or, of a big platform, what the worker counted last (`as_of`)."""
    return dict(kept.answer(TOTALS, Versions(_minute(at)), fresh_seconds=KEPT_SECONDS).value)


def renew(at: datetime, *, deadline: float) -> int:
    """Count the totals anew if somebody looked at them within a day; for the worker. deadline: see kept.renew."""
    return kept.renew(None, Versions(_minute(at)), deadline=deadline)


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // KEPT_SECONDS


def _totals() -> dict[str, Any]:
    at = timezone.now()
    since = (at - RECENT).date()
    standing = dict(Merchant.objects.values_list("status").annotate(Count("pk")))
    programs_by_status = dict(Program.objects.values_list("status").annotate(Count("pk")))
    recent = DayFigures.objects.filter(_any_merchant(), day__gte=since)
    seen = Presence.objects.filter(_any_merchant(), day__gte=since)
    return {
        "as_of": at,
        "merchants": sum(standing.values()),
        "merchants_by_status": {status: standing.get(status, 0) for status in MerchantStatus.values},
        "programs": sum(programs_by_status.values()),
        "programs_by_status": programs_by_status,
        "stores": Store.objects.filter(closed_at__isnull=True).count(),
        "members_30d": seen.aggregate(found=Count("card_id", distinct=True))["found"],
        **_flows(DayFigures.objects.all(), at),
        **_balances(DayBalance.objects.all(), _any_merchant()),
        "sales_30d": list(
            recent.values(currency=F("merchant__currency"))
            .annotate(sales=Sum("sales"), sales_cents=Sum("sales_cents"))
            .order_by("currency")
        ),
    }


def _any_merchant() -> Q:
    """Name all merchants: the unique indexes begin with the merchant and go on with the day."""
    return Q(merchant_id__in=Merchant.objects.values("pk"))


def _flows(days: "QuerySet[DayFigures]", at: datetime) -> dict[str, int]:
    recent = Q(day__gte=(at - RECENT).date())
    sums = days.aggregate(
        cards=Sum("new_cards"),
        new_cards_30d=Sum("new_cards", filter=recent),
        visits_30d=Sum("visits", filter=recent),
        stamps_given=Sum("stamps_given"),
        rewards_issued=Sum("rewards_issued"),
        rewards_redeemed=Sum(F("stamp_rewards_redeemed") + F("points_rewards_redeemed")),
        points_issued=Sum(F("points_earned") - F("points_refunded") + F("points_adjusted") + F("points_moved")),
        points_redeemed=Sum("points_redeemed"),
        points_expired=Sum("points_expired"),
    )
    return {name: int(value or 0) for name, value in sums.items()}


def _balances(held: "QuerySet[DayBalance]", cards: Q) -> dict[str, int]:
    sums, lapsed = held.aggregate(held_stamps=Sum("stamps"), held_points=Sum("points")), closed.of(cards)
    return {
        "stamps_outstanding": int(sums["held_stamps"] or 0) - lapsed.stamps,
        "points_outstanding": int(sums["held_points"] or 0) - lapsed.points,
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


kept.COUNTERS["platform"] = kept.Counter(_totals, lambda found: int(found["members_30d"]))
