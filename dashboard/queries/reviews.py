"""What tills kept and could not book, in the words of a shop: what it was, why it waits, what became of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core import money
from dashboard.queries import cards
from loyalty.enums import ReviewState
from loyalty.models import ReviewItem
from loyalty.queries import reviews

PAGE = 25
LATELY = 10
REASONS: dict[str, Promise] = {
    "too_old": _("It arrived more than 72 hours later"),
    "cooldown_active": _("Too soon after another stamp"),
    "daily_limit_reached": _("More stamps than a day allows"),
    "card_full": _("The card was full"),
    "card_not_active": _("The card is not active"),
    "program_not_active": _("The programme was resting"),
    "wrong_program_type": _("The programme does not count this"),
    "store_not_in_program": _("The card is not valid in this store"),
    "merchant_suspended": _("The account rests"),
    "staff_pin_required": _("No PIN that counted at that time"),
    "staff_pin_invalid": _("A wrong PIN"),
    "staff_pin_locked": _("The PIN was locked"),
    "own_card": _("Staff at their own card"),
    "not_found": _("No card by that number or code"),
    "idempotency_key_reused": _("The till sent it under a number that was used before"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One item as it is shown. card_id is None where no card was found."""

    id: UUID
    title: str
    who: str
    card_id: UUID | None
    reason: str
    staff: str
    till: str
    at: datetime
    state: str
    state_label: str
    note: str
    decided_at: datetime | None

    @property
    def can_be_booked(self) -> bool:
        """Whether there is a card to book it on."""
        return self.card_id is not None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of items that wait, the cursor of the next one, and what was decided lately."""

    waiting: list[Line]
    after: str
    decided: list[Line]


def page(store_id: UUID, currency: str, *, after: str) -> Found:
    """Return what waits at a store, the oldest arrival last, and the latest decisions."""
    rows = reviews.listed(state=ReviewState.OPEN, store_id=store_id).order_by("-id")
    before = _cursor(after)
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
    decided = reviews.listed(store_id=store_id).exclude(state=ReviewState.OPEN).order_by("-resolved_at", "-id")
    return Found(
        waiting=[line(item, currency) for item in found[:PAGE]],
        after=str(found[PAGE - 1].pk) if len(found) > PAGE else "",
        decided=[line(item, currency) for item in decided[:LATELY]],
    )


def line(item: ReviewItem, currency: str) -> Line:
    """Return an item in words."""
    sent_as = str(item.body.get("card_number") or "")
    unknown = gettext("Card %(number)s") % {"number": sent_as} if sent_as else gettext("Unknown card")
    return Line(
        id=item.pk, title=_what(item, currency), who=cards.title(item.card) if item.card else unknown,
        card_id=item.card_id, reason=str(REASONS.get(item.code, item.code)),
        staff=item.staff_pin.name if item.staff_pin else "", till=item.terminal.name if item.terminal else "",
        at=item.occurred_at, state=item.state, state_label=str(item.get_state_display()), note=item.note,
        decided_at=item.resolved_at,
    )  # fmt: skip


def _what(item: ReviewItem, currency: str) -> str:
    if item.op == "points":
        cents = int(item.body.get("purchase_amount_cents") or 0)
        return gettext("Purchase of %(amount)s") % {"amount": money.show(cents, currency)}
    count = int(item.body.get("quantity") or 1)
    return ngettext("%(count)s stamp", "%(count)s stamps", count) % {"count": count}


def _cursor(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
