"""A card and its history in the words and figures of the customer's pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel.dates import format_skeleton
from django.conf import settings
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import money
from core.templatetags.ui import localdate
from customers.enums import Channel
from customers.models import Consent, Customer
from customers.services import consents
from loyalty.enums import CardStatus, LoyaltyType, ProgramStatus, TransactionType
from loyalty.models import Transaction
from loyalty.queries.card_faces import AVAILABLE, CardFace, ReadyReward
from loyalty.queries.history import Entry
from loyalty.rules import expiry
from merchants.models import Merchant

GOLD = frozenset({TransactionType.REWARD_ISSUED, TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED})
# What stands in the disc of a row that moves nothing.
ICONS: dict[str, str] = {
    TransactionType.CARD_ENROLLED: "card", TransactionType.POINTS_EARNED: "euro", TransactionType.VOID: "undo",
    TransactionType.REFUND: "undo", TransactionType.MERGE_IN: "merge", TransactionType.MERGE_OUT: "merge",
    TransactionType.POINTS_EXPIRED: "clock", TransactionType.REWARD_EXPIRED: "clock",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visit:
    """One line of the history: a sign in a disc, what happened, where and when."""

    sign: str
    icon: str
    tone: str
    title: str
    where: str
    at: datetime
    undone: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reward that waits to be collected."""

    title: str
    text: str


def card_context(face: CardFace) -> dict[str, Any]:
    """Return the context of components/card_face.html."""
    card, program, goal = face.card, face.card.program, face.next_points_reward
    shown = {
        "kind": program.loyalty_type,
        "seed": card.pk,
        "number": card.card_number,
        "qr_data": f"{settings.SITE_URL}/c/{card.qr_code_data}",
        "points": card.points_balance,
    }
    if program.loyalty_type == LoyaltyType.POINTS:
        return shown | {
            "points_goal": goal.points_cost if goal else None,
            "points_to_go": goal.points_cost - card.points_balance if goal else None,
            "points_reward": goal.name if goal else "",
        }
    return shown | {
        "count": card.stamp_count,
        "target": card.stamps_target,
        "to_go": face.stamps_until_reward,
        "reward": card.stamps_reward or program.stamps_reward_description or _("reward"),
    }


def notices(face: CardFace, merchant: Merchant | None = None) -> list[dict[str, str]]:
    """Return what the customer should know of the card or the program, in neutral words."""
    program, found, today = face.card.program, [], timezone.localdate()
    if face.card.status == CardStatus.FROZEN:
        found.append({"text": _("This card is resting. Ask at the till."), "tone": "warn"})
    if merchant is not None and expiry.is_stopped(merchant.status, merchant.status_since, timezone.now()):
        found.append({"text": _("Cards are resting here for now. Nothing on yours is lost."), "tone": "warn"})
    elif program.status == ProgramStatus.PAUSED:
        found.append({"text": _("No new stamps or points at the moment. Your rewards stay."), "tone": ""})
    elif program.status == ProgramStatus.ENDED:
        found.append({"text": _ended(program.ends_on, today), "tone": "warn"})
    if face.points_expire_on is not None and face.points_expire_on - today <= expiry.NOTICE:
        count, day = face.card.points_balance, localdate(face.points_expire_on, "long")
        text = ngettext(
            "Your %(count)s point is valid until %(day)s. Any visit keeps it.",
            "Your %(count)s points are valid until %(day)s. Any visit keeps them.",
            count,
        )
        found.append({"text": text % {"count": count, "day": day}, "tone": "warn"})
    return found


def _ended(ends_on: date | None, today: date) -> str:
    if ends_on is None:
        return _("This programme has ended.")
    day = localdate(ends_on, "long")
    if ends_on < today:
        return _("This programme has ended. Rewards could be collected until %(day)s.") % {"day": day}
    return _("This programme has ended. Collect your rewards until %(day)s.") % {"day": day}


def waiting(face: CardFace) -> list[Waiting]:
    """Return the rewards of full cards, alike ones counted together."""
    groups: dict[tuple[str, datetime | None], int] = {}
    for reward in face.rewards:
        if reward.state != AVAILABLE:
            groups[(reward.name, reward.expires_at)] = groups.get((reward.name, reward.expires_at), 0) + 1
    return [_waiting(name, expires_at, count) for (name, expires_at), count in groups.items()]


def affordable(face: CardFace) -> list[ReadyReward]:
    """Return the rewards that the points afford."""
    return [reward for reward in face.rewards if reward.state == AVAILABLE]


def catalogue(face: CardFace) -> list[dict[str, Any]]:
    """Return what points buy, with what is missing for each."""
    within_reach = {reward.id for reward in affordable(face)}
    return [
        {
            "name": reward.name,
            "image": reward.image.name,
            "cost": reward.points_cost,
            "ready": reward.pk in within_reach,
            "missing": max(0, reward.points_cost - face.card.points_balance),
        }
        for reward in face.catalogue
    ]


def visits(entries: Iterable[Entry]) -> list[Visit]:
    """Return ledger rows as lines of the history."""
    return [
        Visit(
            sign=_sign(entry.row),
            icon=_icon(entry.row),
            tone="gold" if entry.row.type in GOLD else "",
            title=capfirst(entry.explanation),
            where=entry.row.store.name if entry.row.store else "",
            at=entry.row.occurred_at,
            undone=entry.voided,
        )
        for entry in entries
    ]


def by_month(found: Iterable[Visit]) -> list[dict[str, Any]]:
    """Return lines under the name of their month, in the store's time."""
    months: list[dict[str, Any]] = []
    for visit in found:
        day = timezone.localtime(visit.at).date()
        if not months or months[-1]["month"] != (day.year, day.month):
            title = format_skeleton("yMMMM", day, locale=money.babel_locale())
            months.append({"month": (day.year, day.month), "title": capfirst(title), "visits": []})
        months[-1]["visits"].append(visit)
    return months


def birthday(customer: Customer) -> str:
    """Return the birthday as it was told, with or without the year."""
    if not customer.birth_day or not customer.birth_month:
        return ""
    day = date(customer.birth_year or 2000, customer.birth_month, customer.birth_day)
    return format_skeleton("yMMMMd" if customer.birth_year else "MMMMd", day, locale=money.babel_locale())


def consent(text: object, row: Consent | None, customer: Customer) -> dict[str, Any]:
    """Return a consent as it stands; one given by e-mail counts once the address is confirmed."""
    on = row is not None and row.granted
    by_mail = row is not None and row.channel == Channel.EMAIL
    waits = on and by_mail and row is not None and not consents.is_confirmed(row, customer)
    return {"text": text, "row": row, "on": on, "waits": waits}


def _sign(row: Transaction) -> str:
    """Return the change as +1 or −1; a hybrid sale's row carries points, its stamp has a row of its own."""
    if row.type in GOLD:
        return ""
    change = row.stamps_delta or row.points_delta
    return f"+{change}" if change > 0 else f"\N{MINUS SIGN}{-change}" if change else ""


def _icon(row: Transaction) -> str:
    return "gift" if row.type in GOLD else ICONS.get(row.type, "info")


def _waiting(name: str, expires_at: datetime | None, count: int) -> Waiting:
    title = ngettext("%(name)s is waiting", "%(count)s × %(name)s are waiting", count)
    if expires_at is None:
        text = _("Just ask at the till. No end date.")
    else:
        text = _("Just ask at the till, by %(day)s.") % {"day": localdate(expires_at, "long")}
    return Waiting(title=capfirst(title % {"name": name, "count": count}), text=text)
