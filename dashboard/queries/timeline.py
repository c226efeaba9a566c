"""A card's history as people read it: what, how much, who, where, and whether it can still be corrected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.enums import Channel, TransactionType
from loyalty.models import Transaction, TransactionDetail
from loyalty.queries import history
from loyalty.queries.history import Entry

PAGE = 20
# What undoing takes back as a whole, and what a refund is for.
UNDOABLE = frozenset({
    TransactionType.STAMP_EARNED, TransactionType.POINTS_EARNED,
    TransactionType.STAMP_REDEEMED, TransactionType.POINTS_REDEEMED,
})  # fmt: skip
# Rows in which the figure says most; a sale's arithmetic stands under it.
LED_BY_DELTA = frozenset({TransactionType.STAMP_EARNED, TransactionType.POINTS_EARNED})
TONES: dict[str, tuple[str, str]] = {
    TransactionType.STAMP_EARNED: ("check", ""),
    TransactionType.POINTS_EARNED: ("plus", ""),
    TransactionType.STAMP_REDEEMED: ("gift", "gold"),
    TransactionType.POINTS_REDEEMED: ("gift", "gold"),
    TransactionType.REWARD_ISSUED: ("gift", "gold"),
    TransactionType.WELCOME_BONUS: ("sparkle", ""),
    TransactionType.CARD_ENROLLED: ("card", "plain"),
    TransactionType.VOID: ("undo", "warn"),
    TransactionType.REFUND: ("undo", "warn"),
    TransactionType.POINTS_EXPIRED: ("clock", "plain"),
    TransactionType.ADJUSTMENT: ("edit", ""),
    TransactionType.MERGE_IN: ("merge", ""),
    TransactionType.MERGE_OUT: ("merge", "plain"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the history."""

    id: UUID
    title: str
    why: str
    delta: str
    who: str
    where: str
    at: datetime
    icon: str
    tone: str
    note: str
    undone: bool
    can_void: bool
    can_refund: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of a card's history and where the next one begins."""

    lines: list[Line]
    before: int | None


def of_card(card_id: UUID, *, before: int | None, today: date) -> Timeline:
    """Return the newest rows of a card before a sequence number; five queries, however many rows."""
    rows = history.of_card(card_id).select_related("user")
    if before is not None:
        rows = rows.filter(seq__lt=before)
    found = list(rows[: PAGE + 1])
    lines = described(found[:PAGE], today=today)
    return Timeline(lines, found[PAGE - 1].seq if len(found) > PAGE else None)


def described(rows: Sequence[Transaction], *, today: date) -> list[Line]:
    """Return ledger rows in words."""
    beside = _Beside(rows)
    return [_line(entry, beside, today) for entry in history.entries(rows)]


class _Beside:
    """What stands beside the rows: the reasons that were typed, and what reversed them."""

    def __init__(self, rows: Sequence[Transaction]) -> None:
        ids = [row.pk for row in rows]
        details = TransactionDetail.objects.filter(transaction_id__in=ids).exclude(note="")
        self.notes = dict(details.values_list("transaction_id", "note"))
        reversals = Transaction.objects.filter(reverses_id__in=ids).values_list("reverses_id", "type")
        kinds = list(reversals)
        self.voided = {row_id for row_id, kind in kinds if kind == TransactionType.VOID}
        self.refunded = {row_id for row_id, kind in kinds if kind == TransactionType.REFUND}


def _line(entry: Entry, beside: _Beside, today: date) -> Line:
    row = entry.row
    voided, refunded = row.pk in beside.voided, row.pk in beside.refunded
    icon, tone = TONES.get(row.type, ("list", "plain"))
    first = row.type in UNDOABLE and row.line == 0 and not voided
    moved = delta(row)
    leads = bool(moved) and row.type in LED_BY_DELTA
    return Line(
        id=row.pk, title=moved if leads else entry.explanation,
        why=entry.explanation if leads and row.type == TransactionType.POINTS_EARNED else "",
        delta="" if leads else moved, who=who(row), where=row.store.name if row.store else "",
        at=row.occurred_at, icon=icon, tone=tone, note=beside.notes.get(row.pk, ""), undone=voided,
        can_void=first and not refunded and row.business_date == today,
        can_refund=first and row.type == TransactionType.POINTS_EARNED and bool(row.purchase_amount_cents),
    )  # fmt: skip


def delta(row: Transaction) -> str:
    """Return what a row moved: "+1 stamp", "−100 points", nothing for a row that moves nothing."""
    parts = []
    if row.stamps_delta:
        words = ngettext("%(count)s stamp", "%(count)s stamps", abs(row.stamps_delta))
        parts.append(words % {"count": signed(row.stamps_delta)})
    if row.points_delta or row.type == TransactionType.POINTS_EARNED:
        words = ngettext("%(count)s point", "%(count)s points", abs(row.points_delta))
        parts.append(words % {"count": signed(row.points_delta)})
    return ", ".join(parts)


def signed(value: int) -> str:
    """Write a change with its sign, the minus as a minus."""
    if value == 0:
        return "0"
    return f"+{value}" if value > 0 else f"−{-value}"


def who(row: Transaction) -> str:
    """Return who did it: the person of the PIN or the login, else through what it came."""
    if row.staff_pin is not None:
        return str(row.staff_pin.name)
    if row.user is not None:
        return str(row.user.get_short_name())
    channels = {
        Channel.API.value: _("Till system"),
        Channel.TERMINAL.value: _("Terminal"),
        Channel.DASHBOARD.value: _("Back office"),
        Channel.STOREFRONT.value: _("Customer"),
    }
    return channels.get(row.channel, _("System"))
