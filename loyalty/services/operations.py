"""How every operation on a card runs: who, PIN, lock, rules, one write; what a refusal leaves behind.

The order of refusals is fixed: authentication, right, object, card reference, PIN, state of card and program, rules,
suspected duplicate. A replay is answered after authentication and before PIN and state. PINs are hashed outside the
card's lock; refused attempts are recorded in a transaction of their own, after the operation's is rolled back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import idempotency, tenancy
from core.errors import DomainError
from core.ids import uuid7
from loyalty.enums import Channel
from loyalty.models import RefusedAttempt
from loyalty.queries import hot
from loyalty.rules import timing
from loyalty.rules.stamps import Moment
from loyalty.rules.states import CardState, ProgramRules
from loyalty.services import ledger
from merchants.enums import MerchantStatus, PinPolicy
from merchants.permissions import READ
from stores.queries.access import Access, Credential, StoreFacts
from stores.services import pins

GRACE = timedelta(days=60)
SUSPICION = timedelta(seconds=10)
CHANNELS = {"api_key": "api", "terminal": "terminal", "user": "terminal"}


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


class DuplicateSuspected(DomainError):
    """The same was given to this card by the same person seconds ago: ask once."""

    code = "duplicate_suspected"
    message = _("This was given a moment ago. Once more?")


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for an operation, and how. device: the till's name at a POS with one key."""

    credential: Credential
    asked: idempotency.Request
    at: datetime
    store_code: str | None = None
    device: str = ""
    channel: str = ""
    ip: str | None = None
    user_agent: str = ""

    @property
    def subject(self) -> pins.Subject:
        """What a wrong PIN counts against when it matches nobody."""
        return pins.Subject(self.credential.kind, self.credential.id, self.device)


@dataclass(frozen=True, slots=True)
class StaffProof:
    """What a staff member proves themselves with: a PIN (with or without their name) or a session."""

    pin: str | None = None
    session: str | None = None
    staff_id: UUID | None = None


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

    @property
    def access(self) -> Access:
        """The caller's rights and the merchant."""
        return self.loaded.access


@dataclass(slots=True)
class Decision:
    """What an operation will do: the rows to write, and the answer."""

    write: ledger.Write
    body: dict[str, Any]
    status: int = 201
    repeats: tuple[str, int] | None = None


@dataclass(slots=True)
class Operation:
    """One kind of operation: its right, what it needs loaded, and the decision on it."""

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


@dataclass(slots=True)
class _Trace:
    """What is known of a request when it is refused."""

    store_id: UUID | None = None
    card_id: UUID | None = None
    staff_id: UUID | None = None


def perform(call: Call, operation: Operation) -> idempotency.Answer:
    """Run an operation once and return its answer; to be called outside of any scope.

    Raises the DomainErrors of the operation's rules and those of this module; a refusal changes nothing but what must
    survive it (PIN counters, the refused attempt).
    """
    trace = _Trace()
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
    call: Call, operation: Operation, trace: _Trace
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
        needed = _pin_policy(call, loaded) is not PinPolicy.DISABLED
    if not needed:
        return None, None
    proved = pins.verify(
        merchant_id=call.credential.merchant_id, store_id=store.id, subject=call.subject,
        pin=operation.staff.pin or "", staff_id=operation.staff.staff_id, at=call.at,
    )  # fmt: skip
    trace.card_id, trace.staff_id = card.id, proved.id
    return None, proved


def _run(
    call: Call, operation: Operation, proved: pins.VerifiedStaff | None, trace: _Trace
) -> idempotency.Answer:  # fmt: skip
    claims, problem = _session(call, operation)
    staff_id = proved.id if proved else (claims.staff_id if claims else None)
    with hot.opened(_wanted(call, operation, staff_id, lock=True)) as loaded:
        _note_trace(trace, loaded)
        if loaded.answer is not None:
            return loaded.answer
        operation.authorize(loaded.access)
        hot.require_card(loaded)
        loaded.access.store_or_refuse()
        version = proved.version if proved else (claims.version if claims else None)
        staff = _proved_staff(call, operation, loaded, version, problem)
        context = _context(call, operation, loaded, staff)
        decision = operation.decide(context)
        _ask_once(context, operation, decision)
        decision.write.answer = idempotency.Answer(decision.status, idempotency.as_sent(decision.body))
        ledger.commit(decision.write, _facts(context), call.asked)
    return decision.write.answer


def _session(call: Call, operation: Operation) -> tuple[pins.SessionClaims | None, DomainError | None]:
    if operation.staff.session is None:
        return None, None
    try:
        claims = pins.read_session(
            operation.staff.session, merchant_id=call.credential.merchant_id, subject=call.subject, at=call.at
        )
    except DomainError as problem:
        return None, problem
    return claims, None


def _pin_policy(call: Call, loaded: hot.Loaded) -> PinPolicy:
    """Return whether a PIN is required or disabled; `optional` leaves it to the program.

    A manager who corrects something in the back office has signed in for it and may have no PIN at all.
    """
    if call.channel == Channel.DASHBOARD and loaded.access.is_manager:
        return PinPolicy.DISABLED
    policy = PinPolicy(loaded.access.merchant.staff_pin_policy)
    if policy is not PinPolicy.OPTIONAL:
        return policy
    asks = loaded.program is not None and loaded.program.require_staff_pin
    return PinPolicy.REQUIRED if asks else PinPolicy.OPTIONAL


def _proved_staff(
    call: Call, operation: Operation, loaded: hot.Loaded, version: int | None, problem: DomainError | None
) -> hot.StaffRow | None:
    """Return the staff member who proved themselves, None where the policy asks for none."""
    policy = _pin_policy(call, loaded)
    if policy is PinPolicy.DISABLED:
        return None
    row, store = loaded.staff, loaded.access.store_or_refuse()
    good = row is not None and row.version == version and row.works_at(store.id)
    if good:
        return row
    if operation.staff.session is not None or policy is PinPolicy.REQUIRED:
        raise problem or pins.StaffPinRequired
    return None


def _context(call: Call, operation: Operation, loaded: hot.Loaded, staff: hot.StaffRow | None) -> Context:
    """Check the state of merchant, card and program, and gather what the decision needs."""
    card, store = hot.require_card(loaded), loaded.access.store_or_refuse()
    _check_merchant(loaded.access, call.at)
    if card.status != "active":
        raise CardNotActive
    if loaded.program is None or loaded.program.id != card.program_id:
        raise StoreNotInProgram
    day = timing.business_date(call.at, store.time_zone, store.day_start)
    _check_program(loaded.program, operation, day)
    elsewhere = card.enrolled_store_id != store.id and not loaded.access.merchant.allow_cross_store_redemption
    if operation.redeems and elsewhere:
        raise CrossStoreRedemptionOff
    moment = Moment(call.at, day, timing.day_ends(call.at, store.time_zone, store.day_start))
    return Context(
        call, loaded, card, loaded.program, store, moment, staff, operation.note, operation.order_reference
    )  # fmt: skip


def _check_merchant(access: Access, at: datetime) -> None:
    """Refuse once a merchant is late or suspended for more than 60 days; before that cards go on working."""
    merchant = access.merchant
    stopped = (MerchantStatus.LATE, MerchantStatus.SUSPENDED)
    if merchant.status == MerchantStatus.CLOSED or (
        merchant.status in stopped and at - merchant.status_since > GRACE
    ):  # fmt: skip
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
    staff_id = context.staff.id if context.staff else None
    for row in rows:
        amount = row["purchase_amount_cents"] if row["type"] == "points_earned" else row["stamps_delta"]
        same = (row["type"], amount) == decision.repeats and row["staff_pin_id"] == staff_id
        newest = row["idempotency_key"] == rows[0]["idempotency_key"]
        if newest and same and context.call.at - row["occurred_at"] < SUSPICION:
            raise DuplicateSuspected(confirm=True, last_at=row["occurred_at"])


def _facts(context: Context) -> ledger.Facts:
    call, credential = context.call, context.call.credential
    return ledger.Facts(
        merchant_id=credential.merchant_id, program_id=context.program.id, program_version=context.program.version,
        key=call.asked.key or f"auto-{uuid7()}", channel=call.channel or CHANNELS[credential.kind],
        currency=context.program.currency, business_date=context.moment.day, occurred_at=call.at,
        recorded_at=datetime.now(UTC), store_id=context.store.id, staff_id=context.staff.id if context.staff else None,
        terminal_id=credential.id if credential.kind == "terminal" else None,
        api_key_id=credential.id if credential.kind == "api_key" else None,
        user_id=credential.id if credential.kind == "user" else None, order_reference=context.order_reference,
        ip=call.ip if credential.kind != "api_key" else None,
        user_agent=call.user_agent if credential.kind != "api_key" else "", note=context.note,
    )  # fmt: skip


def _note_trace(trace: _Trace, loaded: hot.Loaded) -> None:
    trace.store_id = loaded.access.store.id if loaded.access.store else None
    trace.card_id = loaded.card.id if loaded.card else None
    trace.staff_id = loaded.staff.id if loaded.staff else trace.staff_id


def _record_refusal(call: Call, operation: Operation, trace: _Trace, refusal: DomainError) -> None:
    """Keep the refused attempt, in its own transaction."""
    facts = {key: value for key, value in refusal.facts.items() if isinstance(value, (str, int, bool))}
    with tenancy.scope(call.credential.merchant_id):
        RefusedAttempt.objects.create(
            card_id=trace.card_id, store_id=trace.store_id, staff_pin_id=trace.staff_id, operation=operation.name,
            code=refusal.code, caller_kind=call.credential.kind, caller_id=call.credential.id, facts=facts,
            occurred_at=call.at,
        )  # fmt: skip
