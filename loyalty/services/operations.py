"""How every operation on a card runs: who, PIN, lock, rules, one write; what a refusal leaves behind.

The order of refusals is fixed: authentication, right, object, card reference, PIN, state of card and program, rules,
suspected duplicate. A replay is answered after authentication and before PIN and state. PINs are hashed outside the
card's lock; refused attempts are recorded in a transaction of their own, after the operation's is rolled back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import idempotency, tenancy
from core.errors import DomainError
from core.ids import uuid7
from core.models import AuditEntry
from loyalty.models import RefusedAttempt
from loyalty.queries import hot, late
from loyalty.rules import expiry as expiry_rules
from loyalty.rules import timing
from loyalty.rules.stamps import Moment
from loyalty.rules.states import CardState, ProgramRules
from loyalty.services import expiry, ledger, proofs, revivals
from merchants.enums import MerchantStatus, OwnCardPolicy, PinPolicy
from merchants.permissions import READ
from stores.queries.access import Access, Credential, StoreFacts
from stores.services import pins

SUSPICION = timedelta(seconds=10)
StaffProof = proofs.StaffProof
CHANNELS = {"api_key": "api", "terminal": "terminal", "user": "terminal", "card": "storefront"}


class CardNotActive(DomainError):
    """The card is frozen, closed or merged; the reason is not for everyone."""

    code = "card_not_active"
    message = _("This card cannot be used at the moment.")


class ProgramNotActive(DomainError):
    """The program does not take this now."""

    code = "program_not_active"
    message = _("This programme is not running at the moment.")


class WrongProgramType(DomainError):
    """The program does not count this unit."""

    code = "wrong_program_type"
    message = _("This programme does not work with that.")


class StoreNotInProgram(DomainError):
    """The store runs another program than the card's, or none."""

    code = "store_not_in_program"
    message = _("This card is not valid in this store.")


class CrossStoreRedemptionOff(DomainError):
    """Rewards are handed out only in the store the card comes from."""

    code = "cross_store_redemption_off"
    message = _("This reward is handed out in the store the card comes from.")


class MerchantSuspended(DomainError):
    """The merchant has been suspended for more than 60 days."""

    code = "merchant_suspended"
    message = _("This programme is closed for now.")


class OwnCard(DomainError):
    """Staff may not give anything to a card that is linked to themselves (rule 22)."""

    code = "own_card"
    message = _("This is your own card. Somebody else can book it.")


class DuplicateSuspected(DomainError):
    """The same was given to this card by the same person seconds ago: ask once."""

    code = "duplicate_suspected"
    message = _("This was given a moment ago. Once more?")


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for an operation, and how. device: the till's name at a POS with one key.

    at: when it happened, by which the rules judge. received_at: when it arrived, where a till kept it until then.
    through: what else a wrong PIN counts against. verified: PINs that this very request has tried already.
    """

    credential: Credential
    asked: idempotency.Request
    at: datetime
    store_code: str | None = None
    device: str = ""
    channel: str = ""
    ip: str | None = None
    user_agent: str = ""
    received_at: datetime | None = None
    through: tuple[pins.Subject, ...] = ()
    verified: proofs.Verified | None = None

    @property
    def now(self) -> datetime:
        """When the request arrived: PINs, locks and what begins now go by it."""
        return self.received_at or self.at

    @property
    def subject(self) -> pins.Subject:
        """What a wrong PIN counts against when it matches nobody."""
        return pins.Subject(self.credential.kind, self.credential.id, self.device)


@dataclass(slots=True)
class Context:
    """What an operation's decision looks at: everything loaded, checked and locked."""

    call: Call
    loaded: hot.Loaded
    card: CardState
    program: ProgramRules
    store: StoreFacts
    moment: Moment
    staff: hot.StaffRow | None
    note: str = ""
    order_reference: str = ""
    limited: bool = True
    staff_id: UUID | None = None

    @property
    def access(self) -> Access:
        """The caller's rights and the merchant."""
        return self.loaded.access

    @property
    def active_on(self) -> date:
        """The card's day of newest activity after this operation; what arrives late does not turn it back."""
        return max(self.moment.day, self.card.last_activity_on)


@dataclass(slots=True)
class Decision:
    """What an operation will do: the rows to write, and the answer."""

    write: ledger.Write
    body: dict[str, Any]
    status: int = 201
    repeats: tuple[str, int] | None = None


@dataclass(slots=True)
class Operation:
    """One kind of operation: its right, what it needs loaded, and the decision on it.

    corrects: whether it takes something off the card or back, for which a merchant may want a fresh PIN. by_right: the
    caller's right is enough without one. limited: False where a manager answers for cooldown and daily limit, and for
    the staff member `credited` with it. then: what is to be written with it, after the ledger and in the same
    transaction.
    """

    name: str
    authorize: Callable[[Access], None]
    decide: Callable[[Context], Decision]
    card: hot.CardRef
    staff: StaffProof = field(default_factory=StaffProof)
    earns: bool = True
    redeems: bool = False
    confirm: bool = False
    ready: bool = False
    reward_id: UUID | None = None
    note: str = ""
    order_reference: str = ""
    corrects: bool = False
    by_right: bool = False
    limited: bool = True
    credited: UUID | None = None
    then: Callable[[Context, Decision], None] | None = None


@dataclass(slots=True)
class Trace:
    """What is known of a request when it is refused; a caller that passes its own can look at it then."""

    store_id: UUID | None = None
    card_id: UUID | None = None
    staff_id: UUID | None = None


def perform(call: Call, operation: Operation, trace: Trace | None = None) -> idempotency.Answer:
    """Run an operation once and return its answer; to be called outside of any scope.

    Raises the DomainErrors of the operation's rules and those of this module; a refusal changes nothing but what must
    survive it (PIN counters, the refused attempt).
    """
    trace = trace or Trace()
    try:
        proved: pins.VerifiedStaff | None = None
        if operation.staff.pin is not None:
            answer, proved = _verify_first(call, operation, trace)
            if answer is not None:
                return answer
        return _run(call, operation, proved, trace)
    except DomainError as refusal:
        if refusal.keep:
            _record_refusal(call, operation, trace, refusal)
        raise


def preview(call: Call, operation: Operation) -> dict[str, Any]:
    """Return the answer an operation would give, without giving it; a PIN is not asked for."""
    with hot.opened(_wanted(call, operation, None, lock=False)) as loaded:
        loaded.access.require(READ)
        loaded.card = expiry.settle(loaded=loaded, at=call.at, now=call.now, write=False)
        context = _context(call, operation, loaded, None)
        body = operation.decide(context).body
    body.pop("transaction_id", None)
    return dict(idempotency.as_sent(body))


def check_before_body(call: Call, authorize: Callable[[Access], None], card: hot.CardRef | None = None) -> None:
    """Raise what comes before a bad body: no right (403), an object of the address that is not there (404)."""
    wanted = hot.CardRef("card_id", uuid7()) if card is None else card
    with hot.opened(hot.Wanted(call.credential, call.store_code, wanted, lock=False)) as loaded:
        authorize(loaded.access)
        if card is not None:
            hot.require_card(loaded)


def _wanted(call: Call, operation: Operation, staff_id: UUID | None, *, lock: bool) -> hot.Wanted:
    return hot.Wanted(
        credential=call.credential, store_code=call.store_code, card=operation.card, asked=call.asked if lock else None,
        staff_id=staff_id, lock=lock, latest=call.credential.kind != "api_key" and not operation.confirm,
        ready=operation.ready, reward_id=operation.reward_id,
    )  # fmt: skip


def _verify_first(
    call: Call, operation: Operation, trace: Trace
) -> tuple[idempotency.Answer | None, pins.VerifiedStaff | None]:
    """Check what comes before a PIN, then the PIN, which takes its own transaction and no lock on the card."""
    wanted = replace(_wanted(call, operation, None, lock=False), asked=call.asked)
    with hot.opened(wanted) as loaded:
        _note_trace(trace, loaded)
        if loaded.answer is not None:
            return loaded.answer, None
        operation.authorize(loaded.access)
        card = hot.require_card(loaded)
        store = loaded.access.store_or_refuse()
        needed = proofs.policy(call, loaded) is not PinPolicy.DISABLED
    if not needed:
        return None, None
    proved = proofs.verify(call, operation.staff, store.id)
    trace.card_id, trace.staff_id = card.id, proved.id
    return None, proved


def _run(
    call: Call, operation: Operation, proved: pins.VerifiedStaff | None, trace: Trace
) -> idempotency.Answer:  # fmt: skip
    claims, problem = proofs.session(call, operation.staff)
    staff_id = proved.id if proved else (claims.staff_id if claims else None)
    with hot.opened(_wanted(call, operation, staff_id, lock=True)) as loaded:
        _note_trace(trace, loaded)
        if loaded.answer is not None:
            return loaded.answer
        operation.authorize(loaded.access)
        hot.require_card(loaded)
        loaded.access.store_or_refuse()
        staff = None
        if operation.limited:
            staff = proofs.staff(
                call, operation.staff, loaded, proved, claims, problem, afresh=operation.corrects,
                by_right=operation.by_right,
            )  # fmt: skip
        loaded.card = expiry.settle(loaded=loaded, at=call.at, now=call.now, write=True)
        context = _context(call, operation, loaded, staff)
        is_own = _is_own_card(context, operation)
        if call.received_at is not None and operation.earns:
            context.card = _revived(context)
        decision = operation.decide(context)
        _ask_once(context, operation, decision)
        decision.write.answer = idempotency.Answer.of(decision.status, decision.body)
        last = not is_own and operation.then is None
        ledger.commit(decision.write, _facts(context), call.asked, last=last)
        if is_own:
            _log_own_card(context, operation, decision)
        if operation.then is not None:
            operation.then(context, decision)
    return decision.write.answer


def _context(call: Call, operation: Operation, loaded: hot.Loaded, staff: hot.StaffRow | None) -> Context:
    """Check the state of merchant, card and program, and gather what the decision needs."""
    card, store = hot.require_card(loaded), loaded.access.store_or_refuse()
    _check_merchant(loaded.access, operation, call.at)
    # What is taken off or put right on a frozen card is a manager's business; nobody earns or redeems on one (rule 20).
    answers = operation.corrects and not operation.redeems and loaded.access.is_manager
    if card.status != "active" and not (card.status == "frozen" and answers):
        raise CardNotActive
    if loaded.program is None or loaded.program.id != card.program_id:
        raise StoreNotInProgram
    day = timing.business_date(call.at, store.time_zone, store.day_start)
    program = loaded.program if call.received_at is None else late.rules_then(loaded.program, call.at)
    _check_program(program, operation, day)
    elsewhere = card.enrolled_store_id != store.id and not loaded.access.merchant.allow_cross_store_redemption
    if operation.redeems and elsewhere:
        raise CrossStoreRedemptionOff
    moment = Moment(call.at, day, timing.day_ends(call.at, store.time_zone, store.day_start))
    return Context(
        call, loaded, card, program, store, moment, staff, operation.note, operation.order_reference,
        limited=operation.limited, staff_id=staff.id if staff else operation.credited,
    )  # fmt: skip


def _revived(context: Context) -> CardState:
    """Return the card with the points that a visit which came in late keeps alive, though they were booked as expired.

    Only what arrives late looks: nothing that happens now can lie before an expiry.
    """
    program, access = context.loaded.program, context.access
    if program is None or not program.has_points:
        return context.card
    visit = revivals.Visit(access.credential.merchant_id, access.merchant.time_zone, program, context.moment)
    return revivals.revive(context.card, visit)


def _is_own_card(context: Context, operation: Operation) -> bool:
    """Tell whether staff give something to their own card; raises OwnCard where the merchant does not allow it.

    Where a manager answers for the staff member it is not refused.
    """
    staff_id, owner = context.staff_id, context.loaded.own_staff_id
    gives = operation.earns or operation.name == "adjust"
    if staff_id is None or staff_id != owner or not gives:
        return False
    if operation.limited and context.access.merchant.own_card_policy == OwnCardPolicy.REFUSE:
        raise OwnCard
    return True


def _log_own_card(context: Context, operation: Operation, decision: Decision) -> None:
    """Leave a note for the merchant where staff gave something to their own card and may."""
    AuditEntry.objects.create(
        merchant_id=context.call.credential.merchant_id, action="own_card", target=f"card {context.card.id}",
        facts={
            "staff": str(context.staff_id), "operation": operation.name,
            "transaction": str(decision.write.lines[0].id),
        },
    )  # fmt: skip


def _check_merchant(access: Access, operation: Operation, at: datetime) -> None:
    """Refuse to earn and redeem once a merchant is late or suspended for more than 60 days (rule 5).

    Before that cards go on working; corrections do so until the merchant is closed.
    """
    merchant = access.merchant
    if not expiry_rules.is_stopped(merchant.status, merchant.status_since, at):
        return
    if operation.earns or operation.redeems or merchant.status == MerchantStatus.CLOSED:
        raise MerchantSuspended


def _check_program(program: ProgramRules, operation: Operation, day: Any) -> None:
    """Earning needs an active program; redeeming goes on while it is paused, and until the run-off date once ended."""
    if program.status == "active" or not (operation.earns or operation.redeems):
        return
    if operation.redeems and program.status == "paused":
        return
    if operation.redeems and program.status == "ended" and (program.ends_on is None or day <= program.ends_on):
        return
    raise ProgramNotActive(program_status=program.status)


def _ask_once(context: Context, operation: Operation, decision: Decision) -> None:
    """Raise DuplicateSuspected when a person at a screen repeats what was given to this card seconds ago."""
    if decision.repeats is None or operation.confirm or not context.access.is_person_at_a_screen:
        return
    rows = context.loaded.latest
    for row in rows:
        amount = row["purchase_amount_cents"] if row["type"] == "points_earned" else row["stamps_delta"]
        same = (row["type"], amount) == decision.repeats and row["staff_pin_id"] == context.staff_id
        newest = row["idempotency_key"] == rows[0]["idempotency_key"]
        if newest and same and context.call.at - row["occurred_at"] < SUSPICION:
            raise DuplicateSuspected(confirm=True, last_at=row["occurred_at"])


def _facts(context: Context) -> ledger.Facts:
    call, credential = context.call, context.call.credential
    return ledger.Facts(
        merchant_id=credential.merchant_id, program_id=context.program.id, program_version=context.program.version,
        key=call.asked.key or f"auto-{uuid7()}", channel=call.channel or CHANNELS[credential.kind],
        currency=context.program.currency, business_date=context.moment.day, occurred_at=call.at,
        recorded_at=datetime.now(UTC), store_id=context.store.id, staff_id=context.staff_id,
        terminal_id=credential.id if credential.kind == "terminal" else None,
        api_key_id=credential.id if credential.kind == "api_key" else None,
        user_id=credential.id if credential.kind == "user" else None, order_reference=context.order_reference,
        ip=call.ip if credential.kind != "api_key" else None,
        user_agent=call.user_agent if credential.kind != "api_key" else "", note=context.note,
    )  # fmt: skip


def _note_trace(trace: Trace, loaded: hot.Loaded) -> None:
    trace.store_id = loaded.access.store.id if loaded.access.store else None
    trace.card_id = loaded.card.id if loaded.card else None
    trace.staff_id = loaded.staff.id if loaded.staff else trace.staff_id


def _record_refusal(call: Call, operation: Operation, trace: Trace, refusal: DomainError) -> None:
    """Keep the refused attempt, in its own transaction."""
    facts = {key: value for key, value in refusal.facts.items() if isinstance(value, (str, int, bool))}
    with tenancy.scope(call.credential.merchant_id):
        RefusedAttempt.objects.create(
            card_id=trace.card_id, store_id=trace.store_id, staff_pin_id=trace.staff_id, operation=operation.name,
            code=refusal.code, caller_kind=call.credential.kind, caller_id=call.credential.id, facts=facts,
            occurred_at=call.at,
        )  # fmt: skip
