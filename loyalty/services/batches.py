"""What a till kept while it was without a connection: each item by itself, in the order in which it was done (rule 19).

An item is judged by the rules at the instant at which it happened. Its key is that of the merchant's operations: an
item that was booked already, online or in an earlier batch, is answered as then. What is refused for good is kept for
a person to look at (loyalty.services.reviews); what may go through later is not.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import idempotency, tenancy
from core.errors import DomainError
from loyalty.queries.hot import CardRef
from loyalty.services import operations, points, reviews, stamps
from loyalty.services.operations import Call, Context, Decision, Operation, StaffProof
from merchants.permissions import EARN
from stores.queries import access as access_queries
from stores.queries.access import Access, Credential

logger = logging.getLogger(__name__)

MOST = 100
AHEAD = timedelta(minutes=2)
OLDEST = timedelta(hours=72)
# What the address of an operation is under which its key was used online: an item is the same request.
PATH = "/api/v1/store/loyalty/{op}"
# Refused for now: the same item may go through when it is sent again.
PASSING = frozenset({
    "card_busy", "idempotency_in_progress", "service_unavailable", "throttled", "validation_error",
    "occurred_at_invalid", "permission_denied", "not_authenticated",
})  # fmt: skip
Outcome = idempotency.Answer | Exception


class OccurredAtInvalid(DomainError):
    """The till's clock is ahead: what it did lies more than two minutes in the future."""

    code, status, keep = "occurred_at_invalid", 400, False
    message = _("This time lies in the future. Check the clock of the till.")


class TooOld(DomainError):
    """It happened more than 72 hours ago: a manager decides."""

    code = "too_old"
    message = _("This is older than 72 hours. A manager can book it.")


@dataclass(frozen=True, slots=True)
class Item:
    """One kept operation. body: its fields by the API's names, without key, time, PIN and session."""

    key: str
    op: str
    occurred_at: datetime
    card: CardRef
    body: dict[str, Any]
    staff: StaffProof = field(default_factory=StaffProof)
    quantity: int = 1
    cents: int = 0
    currency: str = ""
    order_reference: str = ""

    def operation(self) -> Operation:
        """Return what is to be done; nobody is at a screen to be asked whether twice was meant."""
        if self.op == "stamp":
            return stamps.giving(self.card, self.quantity, self.staff, True)
        return points.earning(self.card, self.cents, self.currency, self.order_reference, self.staff, True)

    def asked(self) -> idempotency.Request:
        """Return the request that the item is, the same as it would be online."""
        return idempotency.request(self.key, self.op, PATH.format(op=self.op), self.body)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a batch, and how. store_id: the store it stands in, as require_sender found it."""

    credential: Credential
    store_code: str | None
    at: datetime
    store_id: UUID | None = None
    device: str = ""
    ip: str | None = None
    user_agent: str = ""
    verified: dict[Any, Any] = field(default_factory=dict)

    def call(self, item: Item) -> Call:
        """Describe the call of one item."""
        return Call(
            credential=self.credential, asked=item.asked(), at=item.occurred_at, store_code=self.store_code,
            device=self.device, ip=self.ip, user_agent=self.user_agent, received_at=self.at, verified=self.verified,
        )  # fmt: skip


def require_sender(sender: Sender) -> Sender:
    """Return the sender with its store; raises what concerns the batch as a whole: no such store, no right to earn.

    Outside of any scope.
    """
    with tenancy.scope(sender.credential.merchant_id):
        access = access_queries.load(sender.credential, sender.store_code)
        access.require(EARN)
        return replace(sender, store_id=access.store_or_refuse().id)


def run(sender: Sender, items: Sequence[Item]) -> list[Outcome]:
    """Book items one after the other; return an answer or what went wrong for each. Outside of any scope.

    No item touches its neighbours: each is a transaction of its own.
    """
    outcomes = [_book(sender, item) for item in items]
    booked = [
        (item.asked(), outcome.body["transaction_id"])
        for item, outcome in zip(items, outcomes, strict=True)
        if isinstance(outcome, idempotency.Answer) and outcome.replayed
    ]
    reviews.settle(merchant_id=sender.credential.merchant_id, booked=booked, at=sender.at)
    return outcomes


def _book(sender: Sender, item: Item) -> Outcome:
    trace = operations.Trace()
    try:
        return operations.perform(sender.call(item), _operation(sender, item), trace)
    except DomainError as refusal:
        return refusal if refusal.code in PASSING else _keep(sender, item, refusal, trace)
    except Exception as fault:  # one item must not hold up a till's whole queue
        logger.exception("an item of a batch failed")
        return fault


def _operation(sender: Sender, item: Item) -> Operation:
    """Return what is to be done; what a person decided about the item stands, and what is booked waits for nobody."""
    asked, merchant_id = item.asked(), sender.credential.merchant_id

    def authorize(access: Access) -> None:
        access.require(EARN)
        reviews.refuse_dismissed(asked)
        _check_time(item, sender.at)

    def then(_context: Context, decision: Decision) -> None:
        reviews.settle(merchant_id=merchant_id, booked=[(asked, decision.body["transaction_id"])], at=sender.at)

    return replace(item.operation(), authorize=authorize, then=then)


def _check_time(item: Item, at: datetime) -> None:
    """Raise unless it happened within the last 72 hours; behind the replay, since an answer stays what it was."""
    if item.occurred_at > at + AHEAD:
        raise OccurredAtInvalid
    if item.occurred_at < at - OLDEST:
        raise TooOld(occurred_at=item.occurred_at)


def _keep(sender: Sender, item: Item, refusal: DomainError, trace: operations.Trace) -> DomainError:
    """Keep what was refused and return what the till is told: the refusal, or that somebody has dismissed it."""
    till = sender.credential.id if sender.credential.kind == "terminal" else None
    refused = reviews.Refused(
        item.asked(), item.body, item.occurred_at, item.card, item.staff.session, item.staff.staff_id, till,
        sender.store_id,
    )  # fmt: skip
    return reviews.keep(
        merchant_id=sender.credential.merchant_id, refused=refused, refusal=refusal, trace=trace, at=sender.at
    )  # fmt: skip
