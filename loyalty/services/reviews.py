"""What a till did without a connection and was refused when it arrived: kept, shown, booked or dismissed (rule 19).

Accepting books the very operation: at the instant at which it happened, under its own key, so that it counts once
whatever the till still sends. The manager answers for what the limits, the age and the PIN would say; the state of
card and program nobody can answer for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import audit, idempotency, tenancy
from core.errors import DomainError, NotFound, ValidationFailed
from loyalty.enums import ReviewState
from loyalty.models import ReviewItem
from loyalty.queries import cards
from loyalty.queries import reviews as review_queries
from loyalty.queries.hot import CardRef
from loyalty.services import operations, points, stamps
from loyalty.services.operations import Call, Context, Decision, Operation, Trace
from merchants.permissions import MANAGE
from stores.models import StaffPin
from stores.queries.access import Access, Credential
from stores.services import pins

LONGEST_NOTE = 200
PATH = "/api/v1/store/loyalty/{op}"


class AlreadyResolved(DomainError):
    """Somebody decided otherwise before; `state`, `resolved_at` and `resolved_by(_name)` say what, when and who."""

    code = "already_resolved"
    message = _("Somebody has decided this already.")


@dataclass(frozen=True, slots=True)
class Refused:
    """An operation as a till kept it. body: its fields by the API's names, without PIN and session.

    store_id: where the till stands, for what is refused before anybody looked.
    """

    asked: idempotency.Request
    body: Mapping[str, Any]
    occurred_at: datetime
    card: CardRef
    session: str | None = None
    staff_id: UUID | None = None
    terminal_id: UUID | None = None
    store_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, and how. store_code: the store they name, for an item that has none."""

    credential: Credential
    at: datetime
    store_code: str | None = None
    channel: str = ""
    ip: str | None = None
    user_agent: str = ""

    @property
    def user_id(self) -> UUID | None:
        """The person, None for a script."""
        return self.credential.id if self.credential.kind == "user" else None


def keep(
    *, merchant_id: UUID, refused: Refused, refusal: DomainError, trace: Trace, at: datetime
) -> DomainError:  # fmt: skip
    """Keep a refused item for a person to look at, once per key and request; sent again, it tells the newest reason.

    Returns what its till is to be told: the refusal, or AlreadyResolved where somebody has dismissed the item. What
    somebody has decided stays decided.
    """
    facts, asked = idempotency.as_sent(refusal.facts), refused.asked
    with tenancy.scope(merchant_id):
        item, made = _of(asked), False
        if item is None:
            item, made = ReviewItem.objects.get_or_create(
                key=asked.key,
                fingerprint=asked.fingerprint,
                defaults={
                    "op": asked.operation, "body": dict(refused.body), "code": refusal.code, "facts": facts,
                    "occurred_at": refused.occurred_at, "received_at": at,
                    "store_id": trace.store_id or refused.store_id, "terminal_id": refused.terminal_id,
                    "card_id": trace.card_id or cards.by_reference(refused.card.kind, refused.card.value),
                    "staff_pin_id": _who(merchant_id, trace.staff_id or refused.staff_id, refused.session),
                },
            )  # fmt: skip
        if item.state == ReviewState.DISMISSED:
            return _already(item)
        if not made and item.state == ReviewState.OPEN and item.code != refusal.code:
            item.code, item.facts = refusal.code, facts
            item.save(update_fields=["code", "facts"])
    return refusal


def refuse_dismissed(asked: idempotency.Request) -> None:
    """Raise AlreadyResolved where somebody has dismissed this request, and let nobody do so meanwhile; in a scope."""
    item = _of(asked, lock=True)
    if item is not None and item.state == ReviewState.DISMISSED:
        raise _already(item)


def settle(*, merchant_id: UUID, booked: Sequence[tuple[idempotency.Request, Any]], at: datetime) -> None:
    """Close open items whose till sent them again and was not refused any more. booked: requests and transactions.

    An item is closed by its own request only, whatever else was booked under its key; one that was dismissed stays so.
    """
    if not booked:
        return
    with tenancy.scope(merchant_id):
        rows = ReviewItem.objects.select_for_update(no_key=True).filter(
            key__in={asked.key for asked, _transaction in booked}, state=ReviewState.OPEN
        )
        for item in rows.order_by("id"):
            mine = next((found for asked, found in booked if _is_of(item, asked)), None)
            if mine is not None:
                _resolve(item, ReviewState.ACCEPTED, at=at, user_id=None, transaction_id=mine)


def _of(asked: idempotency.Request, *, lock: bool = False) -> ReviewItem | None:
    """Return the item that was kept of a request."""
    rows = ReviewItem.objects.filter(key=asked.key).order_by("id")
    if lock:
        rows = rows.select_for_update(no_key=True, of=("self",))
    return next((item for item in rows if _is_of(item, asked)), None)


def _is_of(item: ReviewItem, asked: idempotency.Request) -> bool:
    """Tell whether an item is that of a request; one that was kept without a fingerprint tells by its body."""
    return item.key == asked.key and asked.is_of(item.op, item.fingerprint or _asked(item).fingerprint)


def _asked(item: ReviewItem) -> idempotency.Request:
    """Return the till's own request."""
    return idempotency.request(item.key, item.op, PATH.format(op=item.op), item.body)


def accept(decider: Decider, *, item_id: UUID, note: str = "") -> ReviewItem:
    """Book an item after all and return it with its transaction; to be called outside of any scope.

    Accepting twice is accepting once. Raises NotFound, PermissionDenied, AlreadyResolved (it was dismissed) and what
    the operation raises that no manager can waive (card_not_active, card_full, wrong_program_type …).
    """
    merchant_id, note = decider.credential.merchant_id, _clean(note)
    with tenancy.scope(merchant_id):
        item = review_queries.one(item_id)
    if item.state == ReviewState.ACCEPTED:
        return item
    _refuse_resolved(item)
    answer = _book(decider, item, note)
    if answer.replayed:
        settle(merchant_id=merchant_id, booked=[(_asked(item), answer.body["transaction_id"])], at=decider.at)
    with tenancy.scope(merchant_id):
        item = review_queries.one(item_id)
        if item.state != ReviewState.ACCEPTED:
            raise _already(item)
        return item


def dismiss(decider: Decider, *, item_id: UUID, note: str) -> ReviewItem:
    """Leave an item unbooked, with a note that says why. Raises NotFound, ValidationFailed, AlreadyResolved (booked).

    Dismissing twice is dismissing once.
    """
    note = _clean(note)
    with tenancy.scope(decider.credential.merchant_id):
        if not note:
            raise ValidationFailed.of("note", "required", _("Say why, in a few words."))
        item = _locked(item_id)
        if item.state == ReviewState.ACCEPTED:
            raise _already(item)
        if item.state == ReviewState.OPEN:
            _resolve(item, ReviewState.DISMISSED, at=decider.at, user_id=decider.user_id, note=note)
            _note(decider, item, "review_dismissed")
        return review_queries.one(item_id)


def _operation(decider: Decider, item: ReviewItem, note: str) -> Operation:
    """Return the item as an operation for which the manager answers."""
    body = item.body
    card = CardRef("card_id", item.card_id) if item.card_id else _reference(body)
    if item.op == "stamp":
        operation = stamps.giving(card, body.get("quantity", 1), None, True)
    else:
        operation = points.earning(
            card, body["purchase_amount_cents"], body.get("currency", ""), body.get("order_reference", ""), None, True
        )

    def authorize(access: Access) -> None:
        access.require(MANAGE)

    def then(_context: Context, decision: Decision) -> None:
        transaction_id = decision.write.lines[0].id
        locked = _locked(item.pk)
        _resolve(
            locked, ReviewState.ACCEPTED, at=decider.at, user_id=decider.user_id, note=note,
            transaction_id=transaction_id,
        )  # fmt: skip
        _note(decider, locked, "review_accepted")

    decide = _guarded(item.pk, operation.decide)
    return replace(
        operation, authorize=authorize, decide=decide, then=then, limited=False, credited=item.staff_pin_id, note=note
    )  # fmt: skip


def _guarded(item_id: UUID, decide: Callable[[Context], Decision]) -> Callable[[Context], Decision]:
    """Look at the item once more under its lock, so that of two managers the second cannot overrule the first."""

    def guarded(context: Context) -> Decision:
        _refuse_resolved(_locked(item_id))
        return decide(context)

    return guarded


def _book(decider: Decider, item: ReviewItem, note: str) -> idempotency.Answer:
    """Book an item under its own key; where that was used for something else the item's id makes one."""
    operation, asked = _operation(decider, item, note), _asked(item)
    try:
        return operations.perform(_call(decider, item, asked), operation)
    except idempotency.IdempotencyKeyReused:
        return operations.perform(_call(decider, item, replace(asked, key=f"review-{item.pk}")), operation)


def _call(decider: Decider, item: ReviewItem, asked: idempotency.Request) -> Call:
    """Describe the booking: the till's own request, seen from a manager's desk."""
    return Call(
        credential=decider.credential, asked=asked, at=item.occurred_at, received_at=decider.at,
        store_code=item.store.code if item.store else decider.store_code, channel=decider.channel, ip=decider.ip,
        user_agent=decider.user_agent,
    )  # fmt: skip


def _reference(body: Mapping[str, Any]) -> CardRef:
    if "qr_code" in body:
        return CardRef("qr_code", cards.code_of(body["qr_code"]))
    if "card_number" in body:
        return CardRef("card_number", cards.number_of(body["card_number"]))
    return CardRef("card_id", UUID(body["card_id"]))


def _who(merchant_id: UUID, staff_id: UUID | None, session: str | None) -> UUID | None:
    """Return whom the item names, proved or not: the one whose session it carries, or who was tapped."""
    named = staff_id or (pins.holder_of(session, merchant_id=merchant_id) if session else None)
    return named if named and StaffPin.objects.filter(pk=named).exists() else None


def _locked(item_id: UUID) -> ReviewItem:
    item = ReviewItem.objects.select_for_update(no_key=True, of=("self",)).filter(pk=item_id).first()
    if item is None:
        raise NotFound
    return item


def _resolve(
    item: ReviewItem, state: ReviewState, *, at: datetime, user_id: UUID | None, note: str = "",
    transaction_id: Any = None,
) -> None:  # fmt: skip
    item.state, item.resolved_at, item.resolved_by_id, item.note = state, at, user_id, note
    item.transaction_id = transaction_id
    item.save(update_fields=["state", "resolved_at", "resolved_by", "note", "transaction"])


def _refuse_resolved(item: ReviewItem) -> None:
    if item.state != ReviewState.OPEN:
        raise _already(item)


def _already(item: ReviewItem) -> AlreadyResolved:
    by = item.resolved_by
    return AlreadyResolved(
        state=item.state, resolved_at=item.resolved_at, resolved_by=by.pk if by else None,
        resolved_by_name=by.name if by else None,
    )  # fmt: skip


def _note(decider: Decider, item: ReviewItem, action: str) -> None:
    facts = {"key": item.key, "code": item.code, "by": str(decider.credential.id), "kind": decider.credential.kind}
    if item.transaction_id:
        facts["transaction"] = str(item.transaction_id)
    audit.note(
        action=action, target=f"review {item.pk}", actor_id=decider.user_id,
        merchant_id=decider.credential.merchant_id, facts=facts,
    )  # fmt: skip


def _clean(note: str) -> str:
    cleaned = " ".join(note.replace("\x00", "").split())
    if len(cleaned) > LONGEST_NOTE:
        raise ValidationFailed.of("note", "max_length", _("Use at most 200 characters."))
    return cleaned
