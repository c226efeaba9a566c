"""What is worth a look at a store: what an owner would want to know and does not see in today's figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce

from dashboard.models import DayFigures
from dashboard.queries.lately import DAYS, Lately
from loyalty.enums import TransactionType
from loyalty.models import Transaction
from stores.models import StaffPin, Store, Terminal

MOST = 3
WEEK = timedelta(days=7)
# A person stands out who undid so much in a week, and so many times what the others did on average.
UNDONE, TIMES = 5, 3
# A week is thin that has so many visits less than the three before it had on average, if those had some.
THIN, SOME = 0.75, 10
READY = 10


@dataclass(frozen=True, slots=True)
class Sign:
    """kind: pin_locked, undid, thin_week, silent_till, no_new_cards, rewards_ready; the rest as the kind needs it."""

    kind: str
    name: str = ""
    key: UUID | str = ""
    count: int = 0
    usual: int = 0
    at: datetime | None = None


def found(store: Store, stores: Sequence[Store], lately: Lately, *, today: date, at: datetime) -> list[Sign]:
    """Return at most three signs, the most urgent first. Five queries, however big the merchant is."""
    signs = [
        *_locked(at), *_undid(at), *_thin(lately), *_silent(store, at), *_without_new_cards(stores, today), *_ready(),
    ]  # fmt: skip
    return signs[:MOST]


def _locked(at: datetime) -> Iterator[Sign]:
    rows = StaffPin.objects.filter(is_active=True, locked_until__gt=at).order_by("locked_until")[:MOST]
    return (Sign("pin_locked", row.name, row.pk, at=row.locked_until) for row in rows)


def _undid(at: datetime) -> Iterator[Sign]:
    """Yield who undid far more than the others this week."""
    rows = Transaction.objects.filter(recorded_at__gte=at - WEEK, type=TransactionType.VOID, line=0)
    named = rows.exclude(staff_pin=None).values_list("staff_pin_id", "staff_pin__name")
    counts = list(named.annotate(count=Count("pk")).order_by("-count", "staff_pin_id"))
    if not counts:
        return
    key, name, most = counts[0]
    usual = round(sum(count for _key, _name, count in counts[1:]) / max(len(counts) - 1, 1))
    if most >= UNDONE and most >= TIMES * usual:
        yield Sign("undid", name, key, most, usual)


def _thin(lately: Lately) -> Iterator[Sign]:
    *before, last = lately.sums("visits")
    usual = round(sum(before) / len(before))
    if usual >= SOME and last < usual * THIN:
        yield Sign("thin_week", count=last, usual=usual)


def _silent(store: Store, at: datetime) -> Iterator[Sign]:
    """Yield a device that is paired and has not been seen for a week."""
    rows = Terminal.objects.filter(store_id=store.pk, revoked_at__isnull=True)
    row = rows.annotate(seen=Coalesce("last_seen_at", "paired_at")).filter(seen__lt=at - WEEK).order_by("seen").first()
    if row is not None:
        yield Sign("silent_till", row.name, row.pk, at=row.seen)


def _without_new_cards(stores: Sequence[Store], today: date) -> Iterator[Sign]:
    """Yield a store where people come and nobody joins: its poster is missing."""
    since = today - timedelta(days=DAYS)
    rows = DayFigures.objects.filter(store_id__in=[store.pk for store in stores], day__gte=since)
    sums = dict(rows.values_list("store_id").annotate(joined=Sum("new_cards")))
    silent = [store for store in stores if sums.get(store.pk) == 0]
    if silent:
        yield Sign("no_new_cards", silent[0].name, silent[0].code)


def _ready() -> Iterator[Sign]:
    """Yield the rewards that are ready and were not collected."""
    ready = F("rewards_issued") - F("stamp_rewards_redeemed") - F("rewards_expired")
    waiting = int(DayFigures.objects.aggregate(ready=Coalesce(Sum(ready), 0))["ready"])
    if waiting >= READY:
        yield Sign("rewards_ready", count=waiting)
