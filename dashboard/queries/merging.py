"""Two cards side by side, and what a merge or its undoing would make of them, in words."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.queries import cards
from loyalty.models import Card, CardMerge
from loyalty.queries import merges as queries


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two cards."""

    id: UUID
    title: str
    number: str
    email: str
    balance: str
    ready: int
    since: datetime
    last_on: date


@dataclass(frozen=True, slots=True)
class Past:
    """A merge that stands: the other card, when, and until when it can be taken back (None: not any more)."""

    source_id: UUID
    other: Side
    merged_at: datetime
    reason: str
    undo_until: datetime | None
    days_left: int


def card(card_id: UUID) -> Card | None:
    """Return a card with what a side shows, None when the merchant has none of that id."""
    related = Card.objects.select_related("program", "customer", "enrolled_store", "merged_into")
    found: Card | None = related.filter(pk=card_id).first()
    return found


def side(row: Card) -> Side:
    """Return a card as one side of a merge."""
    return Side(
        id=row.pk, title=cards.title(row), number=row.card_number, email=row.customer.email, balance=cards.balance(row),
        ready=row.rewards_ready, since=row.enrolled_at, last_on=row.last_activity_on,
    )  # fmt: skip


def after(target: Card, change: dict[str, Any]) -> str:
    """Return what would be on the target: "7 / 10 · 240 points"."""
    shown = Card(
        program=target.program, stamp_count=change["stamp_count"], stamps_target=change["stamps_target"],
        points_balance=change["points_balance"],
    )  # fmt: skip
    return cards.balance(shown)


def consequences(source: Card, target: Card, change: dict[str, Any]) -> list[str]:
    """Return what a merge does, in sentences."""
    numbers = {"one": cards.short_number(source), "other": cards.short_number(target)}
    found = [_("Both codes and both numbers work; %(one)s leads to %(other)s from now on.") % numbers]
    if change["rewards_made"]:
        words = ngettext(
            "The stamps of both fill a card: %(count)s reward becomes ready.",
            "The stamps of both fill cards: %(count)s rewards become ready.",
            change["rewards_made"],
        )
        found.append(words % {"count": change["rewards_made"]})
    if change["extra"]:
        found.append(_("Fractions of points add up: one point more."))
    if any(
        getattr(source.customer, part) and not getattr(target.customer, part) for part in ("name", "email", "phone")
    ):
        found.append(_("Name and addresses go along, where %(other)s has none.") % numbers)
    if source.customer_id != target.customer_id:
        found.append(_("Where one of the two said no to mails, it stays a no."))
    found.append(_("You can take it back for 30 days."))
    return found


def returns(result: dict[str, Any]) -> list[str]:
    """Return what taking a merge back gives the card now, in sentences."""
    parts = []
    if result["stamps"]:
        parts.append(ngettext("%(count)s stamp", "%(count)s stamps", result["stamps"]) % {"count": result["stamps"]})
    if result["points"]:
        parts.append(ngettext("%(count)s point", "%(count)s points", result["points"]) % {"count": result["points"]})
    if result["returning"]:
        words = ngettext("%(count)s ready reward", "%(count)s ready rewards", result["returning"])
        parts.append(words % {"count": result["returning"]})
    found = [
        _("It gets back: %(what)s.") % {"what": ", ".join(parts)}
        if parts
        else _("There is nothing to give back to it.")
    ]
    if result["missing_stamps"] or result["missing_points"]:
        found.append(_("Part of what it brought was spent since. What was spent stays spent."))
    if result["cancelled"]:
        words = ngettext(
            "%(count)s reward of the other card is taken apart for it: its stamps are in there.",
            "%(count)s rewards of the other card are taken apart for it: its stamps are in there.",
            len(result["cancelled"]),
        )
        found.append(words % {"count": len(result["cancelled"])})
    found.append(_("Both cards go on by themselves, each with its own code and number."))
    return found


def past(row: Card, at: datetime) -> list[Past]:
    """Return the standing merges of a card: the one in which it ended, or those that ended in it."""
    if row.merged_into_id is not None:
        found = CardMerge.objects.filter(source_id=row.pk, undone_at__isnull=True)
        rows = found.select_related("target__customer", "target__program")
        return [_past(merge, merge.target, at) for merge in rows]
    merges = queries.into(row.pk)
    return [_past(merge, merge.source, at) for merge in merges]


def _past(merge: CardMerge, other: Card, at: datetime) -> Past:
    left = merge.undo_until - at
    return Past(
        source_id=merge.source_id, other=side(other), merged_at=merge.merged_at, reason=merge.reason,
        undo_until=merge.undo_until if left.total_seconds() > 0 else None, days_left=max(0, left.days),
    )  # fmt: skip
