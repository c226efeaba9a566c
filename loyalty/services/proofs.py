"""How the staff member behind an operation proves themselves: a PIN, or the session that a PIN opened.

A till that was without a connection sends its operations later: a session counts then if it was good at the instant of
the operation, and the person's PIN had not been ended by then (rule 19).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from core.errors import DomainError
from loyalty.enums import Channel
from loyalty.queries import hot
from merchants.enums import PinPolicy
from stores.services import pins

if TYPE_CHECKING:
    from loyalty.services.operations import Call

# What became of the PINs that one request has tried, by PIN and person.
Verified = dict[tuple[str, UUID | None], "pins.VerifiedStaff | DomainError"]


@dataclass(frozen=True, slots=True)
class StaffProof:
    """What a staff member proves themselves with: a PIN (with or without their name) or a session.

    Where both were sent the PIN is what counts: it was typed for this very operation.
    """

    pin: str | None = None
    session: str | None = None
    staff_id: UUID | None = None


def policy(call: Call, loaded: hot.Loaded) -> PinPolicy:
    """Return whether a PIN is required or disabled; `optional` leaves it to the program.

    A manager who corrects something in the back office has signed in for it and may have no PIN at all. A customer's
    own phone proves nothing of the shop: there a PIN is always needed.
    """
    if call.credential.kind == "card":
        return PinPolicy.REQUIRED
    if call.channel == Channel.DASHBOARD and loaded.access.is_manager:
        return PinPolicy.DISABLED
    found = PinPolicy(loaded.access.merchant.staff_pin_policy)
    if found is not PinPolicy.OPTIONAL:
        return found
    asks = loaded.program is not None and loaded.program.require_staff_pin
    return PinPolicy.REQUIRED if asks else PinPolicy.OPTIONAL


def verify(call: Call, proof: StaffProof, store_id: UUID) -> pins.VerifiedStaff:
    """Check a PIN, once per request however many operations carry it; outside of any scope."""
    tried, key = call.verified, (proof.pin or "", proof.staff_id)
    if tried is None or key not in tried:
        outcome: pins.VerifiedStaff | DomainError
        try:
            outcome = pins.verify(
                merchant_id=call.credential.merchant_id, store_id=store_id, subject=call.subject,
                pin=proof.pin or "", staff_id=proof.staff_id, at=call.now, through=call.through,
            )  # fmt: skip
        except DomainError as problem:
            outcome = problem
        if tried is not None:
            tried[key] = outcome
    else:
        outcome = tried[key]
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def session(call: Call, proof: StaffProof) -> tuple[pins.SessionClaims | None, DomainError | None]:
    """Read the session as it stood when the operation happened; what is wrong with it may not matter."""
    if proof.session is None or proof.pin is not None:
        return None, None
    try:
        claims = pins.read_session(
            proof.session, merchant_id=call.credential.merchant_id, subject=call.subject, at=call.at
        )
    except DomainError as problem:
        return None, problem
    return claims, None


def staff(
    call: Call, proof: StaffProof, loaded: hot.Loaded, proved: pins.VerifiedStaff | None,
    claims: pins.SessionClaims | None, problem: DomainError | None, *, afresh: bool,
    by_right: bool,
) -> hot.StaffRow | None:  # fmt: skip
    """Return the staff member who proved themselves, None where the policy asks for none.

    afresh: the merchant may want a PIN typed for this very operation; a session does not do then. by_right: the
    caller's own right is enough; a PIN that was sent is checked all the same.
    """
    asked = policy(call, loaded)
    if asked is PinPolicy.DISABLED:
        return None
    if afresh and loaded.access.merchant.ask_pin_again and proved is None:
        raise pins.StaffPinRequired(fresh=True)
    row, store = loaded.staff, loaded.access.store_or_refuse()
    if row is not None and row.belongs_to(store.id) and _stands(call, row, proved, claims):
        return row
    if proof.session is not None or (asked is PinPolicy.REQUIRED and not by_right):
        raise problem or pins.StaffPinRequired
    return None


def _stands(
    call: Call, row: hot.StaffRow, proved: pins.VerifiedStaff | None, claims: pins.SessionClaims | None
) -> bool:
    """Tell whether the PIN is the person's still, or was when a kept operation happened."""
    if proved is not None:
        return row.is_active and row.version == proved.version
    if claims is None:
        return False
    if call.received_at is not None:
        return row.had_version(claims.version, call.at)
    return row.is_active and row.version == claims.version
