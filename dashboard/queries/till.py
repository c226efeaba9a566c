"""The till of a store: who may open it, and what its page needs to know before the first card comes."""

from dataclasses import dataclass

from core import tenancy
from loyalty.models import Program
from loyalty.queries import programs
from merchants.enums import PinPolicy
from merchants.models import Merchant
from merchants.permissions import EARN, MANAGE
from stores.queries import access as access_queries
from stores.queries.access import Access, Credential, StoreFacts


@dataclass(frozen=True, slots=True)
class Till:
    """What the terminal's page shows of its store, merchant and program."""

    merchant_name: str
    default_language: str
    store_code: str
    store_name: str
    terminal_name: str
    time_zone: str
    currency: str
    trade: str
    has_program: bool
    needs_pin: bool
    void_window_minutes: int
    loyalty_type: str
    caller: str
    may_manage: bool
    is_person: bool


def load(credential: Credential, store_code: str | None) -> Till:
    """Return the till of a store; opens the merchant's scope.

    Raises NotFound (unknown or foreign store), NotAuthenticated (revoked) and PermissionDenied (a terminal of another
    store of the merchant, a person without the right to give). Without a code: the terminal's own store.
    """
    with tenancy.scope(credential.merchant_id):
        access = access_queries.load(credential, store_code)
        access.require(EARN)
        store = access.store_or_refuse()
        trade = Merchant.objects.values_list("trade", flat=True).get()
        return _till(access, store, trade, programs.for_store(store.id))


def _till(access: Access, store: StoreFacts, trade: str, program: Program | None) -> Till:
    voids = access.merchant.allow_void_transactions
    return Till(
        merchant_name=access.merchant.name,
        default_language=access.merchant.default_language,
        store_code=store.code,
        store_name=store.name,
        terminal_name=access.name,
        time_zone=store.time_zone,
        currency=program.currency if program else access.merchant.currency,
        trade=trade,
        has_program=program is not None,
        needs_pin=_needs_pin(access, program),
        void_window_minutes=program.void_window_minutes if program and voids else 0,
        loyalty_type=program.loyalty_type if program else "stamps",
        caller=f"{access.credential.kind}-{access.credential.id}",
        may_manage=MANAGE in access.scopes,
        is_person=access.credential.kind == "user",
    )


def _needs_pin(access: Access, program: Program | None) -> bool:
    """Tell whether staff prove themselves: the platform's policy, or the program's where that leaves it open."""
    policy = access.merchant.staff_pin_policy
    if policy != PinPolicy.OPTIONAL:
        return policy == PinPolicy.REQUIRED
    return program is None or program.require_staff_pin
