"""The figures of a merchant and of one of its stores as of now, from rollups and their tail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, DateField, DateTimeField, DurationField, F, Func, Q, Sum
from django.db.models.functions import Cast

from dashboard.queries import live
from loyalty.enums import CardStatus
from loyalty.models import Card

NEW_DAYS = 30
MEMBERS = (CardStatus.ACTIVE, CardStatus.FROZEN)
LAPSED = "points on closed cards"
LEFT = "new cards that nobody has any more"
# The business day of a card: its store's local date, where the day turns at day_start (see loyalty.rules.timing).
LOCAL = Func(F("enrolled_store__time_zone"), F("enrolled_at"), function="timezone", output_field=DateTimeField())
ENROLLED_ON = Cast(LOCAL - Cast("enrolled_store__day_start", DurationField()), DateField())


@dataclass(frozen=True, slots=True)
class Figures:
    """What was given and what is there. Voided stamps and redemptions count for nothing.

    new_members_30d: cards made on one of the last thirty business days, of which today is one, and still somebody's.

    points_issued: net of voids and refunds, so issued - redeemed - expired = outstanding over the merchant, but for
    what merges moved into debts and what stands on closed cards. A store's members and outstanding points are those of
    the cards made there; the rest is what happened there, and a correction counts where the thing it corrects happened.
    """

    members: int
    active_cards: int
    new_members_30d: int
    stamps_given: int
    rewards_redeemed: int
    points_issued: int
    points_redeemed: int
    points_outstanding: int


def now(store_id: UUID, today: date) -> dict[str, Figures]:
    """Return the figures as of now: {"store": …, "merchant": …}; needs an open scope, takes at most eight queries.

    today: the store's business day.
    """
    days = live.tail()
    since = today - timedelta(days=NEW_DAYS - 1)
    done, made = live.figures_by_store(days), live.balance_by_store(days, since=since)
    unused = _unused(since)
    here = {**live.total([done.get(store_id, {})]), **made.get(store_id, {})}
    everywhere = live.total([*done.values(), *made.values()])
    return {
        "store": _figures(here, unused.get(store_id, {})),
        "merchant": _figures(everywhere, _added(unused)),
    }


def _unused(since: date) -> dict[UUID, dict[str, int]]:
    """Return the cards that are not active by store and status, the points on closed ones (LAPSED), and leavers (LEFT).

    They are few, and have an index of their own.
    """
    unused = Card.objects.exclude(status=CardStatus.ACTIVE).alias(enrolled_on=ENROLLED_ON)
    rows = unused.values_list("enrolled_store_id", "status")
    new = Count("pk", filter=Q(enrolled_on__gte=since))
    found: dict[UUID, dict[str, int]] = {}
    for store_id, status, count, points, recent in rows.annotate(Count("pk"), Sum("points_balance"), recent=new):
        place = found.setdefault(store_id, {})
        place[status] = count
        if status == CardStatus.CLOSED:
            place[LAPSED] = points
        if status not in MEMBERS:
            place[LEFT] = place.get(LEFT, 0) + recent
    return found


def _added(parts: Mapping[Any, Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in parts.values():
        for status, count in part.items():
            found[status] = found.get(status, 0) + count
    return found


def _figures(sums: Mapping[str, int], found: Mapping[str, int]) -> Figures:
    unused = {status: count for status, count in found.items() if status not in (LAPSED, LEFT)}
    return Figures(
        members=sums["cards"] - sum(count for status, count in unused.items() if status not in MEMBERS),
        active_cards=sums["cards"] - sum(unused.values()),
        new_members_30d=max(0, sums[live.RECENT] - found.get(LEFT, 0)),
        stamps_given=sums["stamps_given"],
        rewards_redeemed=sums["stamp_rewards_redeemed"] + sums["points_rewards_redeemed"],
        points_issued=sums["points_earned"] - sums["points_refunded"] + sums["points_adjusted"],
        points_redeemed=sums["points_redeemed"],
        points_outstanding=sums["points"] - found.get(LAPSED, 0),
    )
