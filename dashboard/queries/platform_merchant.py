"""What administrators see of one merchant: figures of the rollups, people, stores, programs, late passes, the audit.

Never a customer, a card or a sale: for that they need the merchant's consent. Inside the merchant's scope.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Max, Sum

from core.models import AuditEntry
from dashboard.models import DayBalance, DayFigures, RollupState
from dashboard.queries import people, platform_lists
from dashboard.queries.people import Member
from dashboard.queries.periods import Period
from dashboard.queries.platform_days import SUMS, Figures
from loyalty.models import Program, StoreProgram
from merchants.models import MerchantSettings, SupportConsent, User
from merchants.queries import support
from stores.models import Store, Terminal
from wallets.models import PassUpdate

LATEST = 20
MOST_LATE = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A store: its program, when something was last given there, and how many tills are paired."""

    store: Store
    program: str
    used_on: date | None
    terminals: int


@dataclass(frozen=True, slots=True)
class Noted:
    """A line of the audit."""

    at: datetime
    action: str
    target: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Detail:
    """All of it. by_day: the days of the period; as_of: until when the rollups are complete."""

    period: Period
    by_day: list[tuple[date, Figures]]
    total: Figures
    cards: int
    as_of: datetime | None
    team: Sequence[Member]
    places: Sequence[Place]
    programs: Sequence[Program]
    late: Sequence[PassUpdate]
    audit: Sequence[Noted]
    settings: MerchantSettings | None
    consent: SupportConsent | None


def detail(merchant_id: UUID, *, period: Period, at: datetime) -> Detail:
    """Return what there is of a merchant. Fifteen queries, however big it is."""
    days = {day: Figures() for day in period.each()}
    rows = DayFigures.objects.filter(merchant_id=merchant_id, day__range=(period.first, period.last)).values("day")
    for row in rows.annotate(**{f"sum_{name}": expression for name, expression in SUMS.items()}):
        days[row["day"]] = Figures(**{name: int(row[f"sum_{name}"] or 0) for name in SUMS})
    programs = list(Program.objects.filter(merchant_id=merchant_id).order_by("pk"))
    return Detail(
        period=period, by_day=list(days.items()), total=Figures.total(days.values()),
        cards=DayBalance.objects.filter(merchant_id=merchant_id).aggregate(made=Sum("cards"))["made"] or 0,
        as_of=RollupState.objects.filter(merchant_id=merchant_id).values_list("covered_until", flat=True).first(),
        team=people.team(), places=_places(merchant_id, programs, period), programs=programs,
        late=list(platform_lists.late_passes(at).filter(merchant_id=merchant_id).order_by("queued_at")[:MOST_LATE]),
        audit=_audit(merchant_id), settings=MerchantSettings.objects.filter(merchant_id=merchant_id).first(),
        consent=support.consent(at=at),
    )  # fmt: skip


def _places(merchant_id: UUID, programs: Sequence[Program], period: Period) -> list[Place]:
    """Return the open stores, the oldest first."""
    stores = list(Store.objects.filter(merchant_id=merchant_id, closed_at__isnull=True).order_by("created_at", "pk"))
    names = {program.pk: program.name for program in programs}
    default = next((program.name for program in programs if program.is_default), "")
    own = dict(StoreProgram.objects.filter(merchant_id=merchant_id).values_list("store_id", "program_id"))
    given = DayFigures.objects.filter(
        merchant_id=merchant_id, day__range=(period.first, period.last), visits__gt=0
    ).values_list("store_id").annotate(Max("day"))  # fmt: skip
    used = dict(given)
    paired: dict[UUID, int] = {}
    for store_id in Terminal.objects.filter(
        merchant_id=merchant_id, revoked_at__isnull=True
    ).values_list("store_id", flat=True):  # fmt: skip
        paired[store_id] = paired.get(store_id, 0) + 1
    return [
        Place(store, names.get(own.get(store.pk, ""), default), used.get(store.pk), paired.get(store.pk, 0))
        for store in stores
    ]


def _audit(merchant_id: UUID) -> list[Noted]:
    """Return the latest entries, with the names of those who acted."""
    rows = list(AuditEntry.objects.filter(merchant_id=merchant_id).order_by("-created_at")[:LATEST])
    acted = User.objects.in_bulk({row.actor_id for row in rows if row.actor_id})
    return [
        Noted(
            row.created_at, row.action, row.target,
            acted[row.actor_id].get_full_name() if row.actor_id in acted else "–", row.reason,
        )
        for row in rows
    ]  # fmt: skip
