"""Cards as the back office lists them: found by name, address, phone or number, a page at a time."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

from babel.numbers import format_decimal
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.money import babel_locale
from loyalty.enums import CardStatus
from loyalty.models import Card
from loyalty.queries import cards as listing

PAGE = 25
# Beside the states of a card: those on which a reward waits.
READY = "ready"
TONES = {CardStatus.ACTIVE: "ok", CardStatus.FROZEN: "warn", CardStatus.CLOSED: "", CardStatus.MERGED: ""}


@dataclass(frozen=True, slots=True)
class Row:
    """One card of a list."""

    id: UUID
    title: str
    number: str
    has_name: bool
    balance: str
    ready: int
    where: str
    last_on: date
    status: str
    tone: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of cards and the cursor of the next one."""

    rows: list[Row]
    after: str


def page(*, search: str, status: str, after: str) -> Found:
    """Return the cards that match, the most recently used first. Four queries, a phone number takes two more.

    search: the beginning of a name, a whole e-mail address, a phone number or the beginning of a card number.
    status: a state, or READY; anything else means all but merged ones.
    """
    wanted = status if status in CardStatus.values else None
    text = search.replace("\x00", "")[: listing.MAX_SEARCH]
    cards = listing.listed(search=text, status=wanted, ready=status == READY)
    found = list(_after(cards, after).order_by("-last_activity_on", "-id")[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    return Found([row(card) for card in found[:PAGE]], f"{last.last_activity_on}_{last.pk}" if last else "")


def row(card: Card) -> Row:
    """Return a card as a row."""
    return Row(
        id=card.pk, title=title(card), number=short_number(card), has_name=bool(card.customer.name),
        balance=balance(card), ready=card.rewards_ready, where=card.enrolled_store.name, last_on=card.last_activity_on,
        status="" if card.status == CardStatus.ACTIVE else card.get_status_display(),
        tone=TONES[CardStatus(card.status)],
    )  # fmt: skip


def title(card: Card) -> str:
    """Return whom a card belongs to: the name, else the end of the number."""
    return card.customer.name or _("Card %(number)s") % {"number": short_number(card)}


def short_number(card: Card) -> str:
    """Return the last four digits of a card's number, as people compare them."""
    return f"•• {card.card_number[-4:]}"


def balance(card: Card) -> str:
    """Return what is on a card: "7 / 10", "240 points", or both."""
    parts = []
    if card.program.has_stamps:
        parts.append(f"{card.stamp_count} / {card.stamps_target}")
    if card.program.has_points:
        words = ngettext("%(count)s point", "%(count)s points", card.points_balance)
        parts.append(words % {"count": grouped(card.points_balance)})
    return " · ".join(parts)


def grouped(value: int) -> str:
    """Write a number with the separators of the reader's language."""
    return _grouped(value, babel_locale())


@lru_cache(maxsize=8192)
def _grouped(value: int, locale: str) -> str:
    return str(format_decimal(value, locale=locale))


def _after(cards: "QuerySet[Card]", cursor: str) -> "QuerySet[Card]":
    """Return what comes after a cursor; one that is not ours begins at the start."""
    day, _sep, card_id = cursor.partition("_")
    try:
        on, last = date.fromisoformat(day), UUID(card_id)
    except ValueError:
        return cards
    # The bound by itself lets the index give the page in its order; the two ways to come after it would be sorted.
    return cards.filter(Q(last_activity_on__lt=on) | Q(id__lt=last), last_activity_on__lte=on)
