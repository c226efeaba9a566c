"""Who calls, and for which store: one statement that every request of a till, a script or a person begins with.

Before the tenant is known a caller is a Credential: proven, but ids only (look-up functions return nothing else). In
the tenant's scope `load` turns it into an Access: what the caller may do, the store, and what the platform allows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Literal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.db import Deferred, Pipeline, pipeline
from core.errors import DomainError, NotAuthenticated, NotFound, PermissionDenied
from merchants.permissions import OWN_DEVICE_SCOPES, ROLE_SCOPES, TERMINAL_SCOPES

Kind = Literal["api_key", "terminal", "user", "card"]


class StoreRequired(DomainError):
    """The merchant has several stores and the request names none."""

    code, status, keep = "store_required", 400, False
    message = _("Name the store in the header X-Store-Code.")


@dataclass(frozen=True, slots=True)
class Credential:
    """A proven caller: an API key, a paired terminal or a signed-in person, at one merchant.

    card: a visitor's own device, which has proved the card of this id; staff type their PIN on it.
    """

    kind: Kind
    merchant_id: UUID
    id: UUID


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What operations need to know of a store."""

    id: UUID
    code: str
    name: str
    time_zone: str
    day_start: time
    own_device_enabled: bool


@dataclass(frozen=True, slots=True)
class MerchantFacts:
    """What operations need to know of the merchant and of what the platform allows it."""

    name: str
    status: str
    status_since: datetime
    currency: str
    time_zone: str
    default_language: str
    staff_pin_policy: str
    pin_max_failed_attempts: int
    pin_lockout_minutes: int
    allow_self_enrollment: bool
    allow_void_transactions: bool
    allow_cross_store_redemption: bool
    own_card_policy: str
    ask_pin_again: bool


@dataclass(frozen=True, slots=True)
class Access:
    """A caller with its rights, the store it acts for (None where none is needed) and the merchant.

    is_bound: whether the caller belongs to that store and acts for no other (a till, or a key of one store).
    """

    credential: Credential
    scopes: frozenset[str]
    role: str
    name: str
    store: StoreFacts | None
    merchant: MerchantFacts
    is_bound: bool = False

    def require(self, scope: str) -> None:
        """Raise PermissionDenied unless the caller has the scope."""
        if scope not in self.scopes:
            raise PermissionDenied(required_scope=scope)

    @property
    def is_person_at_a_screen(self) -> bool:
        """Whether somebody looks at the answer: then a suspected duplicate asks once."""
        return self.credential.kind != "api_key"

    @property
    def is_manager(self) -> bool:
        """Whether the caller may correct what others did."""
        return "manage" in self.scopes

    @property
    def sees_customers(self) -> bool:
        """Whether customers are shown by name and address: to managers and scripts; a till only recognises people."""
        return self.is_manager or self.credential.kind == "api_key"

    def store_or_refuse(self) -> StoreFacts:
        """Return the store; raises StoreRequired without one."""
        if self.store is None:
            raise StoreRequired
        return self.store


MERCHANT = """
    m.name AS merchant_name, m.status, m.status_since, m.currency, m.time_zone AS merchant_time_zone,
    m.default_language, x.staff_pin_policy, x.pin_max_failed_attempts, x.pin_lockout_minutes,
    x.allow_self_enrollment, x.allow_void_transactions, x.allow_cross_store_redemption, x.own_card_policy,
    x.ask_pin_again
"""
CALLERS = {
    "api_key": (
        "stores_apikey",
        "c.name AS caller_name, c.scopes, c.store_id AS bound_store, c.revoked_at, c.expires_at, NULL AS role",
        "c.id = %(caller)s",
    ),
    "terminal": (
        "stores_terminal",
        "c.name AS caller_name, NULL AS scopes, c.store_id AS bound_store, c.revoked_at, NULL AS expires_at, NULL role",
        "c.id = %(caller)s",
    ),
    "user": (
        "merchants_membership",
        "'' AS caller_name, NULL AS scopes, NULL AS bound_store, NULL AS revoked_at, NULL AS expires_at, c.role",
        "c.user_id = %(caller)s AND c.is_active",
    ),
    # A card is no row of ours: who proves it is known already, and the operation looks at it under its lock.
    "card": (
        "(SELECT %(caller)s::uuid AS id)",
        "'' AS caller_name, NULL AS scopes, NULL AS bound_store, NULL AS revoked_at, NULL AS expires_at, NULL AS role",
        "TRUE",
    ),
}
# The store: the one named, else the one the caller is bound to, else the merchant's only one.
STATEMENT = """
    SELECT {caller}, {merchant},
        s.id AS store_id, s.code AS store_code, s.name AS store_name, s.time_zone AS store_time_zone,
        s.day_start, s.own_device_enabled
    FROM merchants_merchant m
    JOIN merchants_merchantsettings x ON x.merchant_id = m.id
    JOIN {table} c ON {found}
    LEFT JOIN stores_store s ON s.closed_at IS NULL AND CASE
        WHEN %(store_code)s::text IS NOT NULL THEN s.code = %(store_code)s
        WHEN {bound} IS NOT NULL THEN s.id = {bound}
        ELSE NOT EXISTS (SELECT FROM stores_store o WHERE o.id <> s.id AND o.closed_at IS NULL)
    END
    WHERE m.id = %(merchant)s
"""
SQL = {
    kind: STATEMENT.format(
        table=table, caller=columns, found=found, merchant=MERCHANT,
        bound="NULL::uuid" if kind in ("user", "card") else "c.store_id",
    )
    for kind, (table, columns, found) in CALLERS.items()
}  # fmt: skip


def queue(line: Pipeline, credential: Credential, store_code: str | None) -> Deferred:
    """Queue the statement in a pipeline of an open scope; give its row to `read`."""
    return line.run(SQL[credential.kind], parameters(credential, store_code))


def parameters(credential: Credential, store_code: str | None) -> dict[str, Any]:
    """Return the parameters of the statement, for a caller that builds on SQL[kind]."""
    return {"caller": credential.id, "merchant": credential.merchant_id, "store_code": store_code}


def read(
    credential: Credential, row: Mapping[str, Any] | None, store_code: str | None, *, store_needed: bool = True
) -> Access:  # fmt: skip
    """Turn the statement's row into an Access.

    Raises NotAuthenticated (revoked, expired), NotFound (a store of another merchant or none of that code),
    PermissionDenied (a caller bound to one store asks for another one) and StoreRequired.
    """
    if row is None:
        raise NotFound if credential.kind == "user" else NotAuthenticated
    if row["revoked_at"] is not None or (row["expires_at"] is not None and row["expires_at"] <= timezone.now()):
        raise NotAuthenticated
    store = _store(row)
    if store is None and store_code is not None:
        raise NotFound
    bound = row["bound_store"]
    if bound is not None and store is not None and store.id != bound:
        raise PermissionDenied
    if store is None and bound is not None:
        raise NotFound
    access = Access(
        credential=credential, scopes=_scopes(credential, row), role=row["role"] or "", name=row["caller_name"],
        store=store, merchant=_merchant(row), is_bound=bound is not None,
    )  # fmt: skip
    if store_needed:
        access.store_or_refuse()
    return access


def load(credential: Credential, store_code: str | None = None, *, store_needed: bool = True) -> Access:
    """Load the Access in the open scope of the credential's merchant; raises as `read`."""
    if store_code and "\x00" in store_code:
        raise NotFound
    with pipeline() as line:
        found = queue(line, credential, store_code)
    return read(credential, found.one(), store_code, store_needed=store_needed)


def _scopes(credential: Credential, row: Mapping[str, Any]) -> frozenset[str]:
    if credential.kind == "api_key":
        return frozenset(row["scopes"])
    if credential.kind == "terminal":
        return TERMINAL_SCOPES
    if credential.kind == "card":
        return OWN_DEVICE_SCOPES
    return ROLE_SCOPES.get(row["role"], frozenset())


def _store(row: Mapping[str, Any]) -> StoreFacts | None:
    if row["store_id"] is None:
        return None
    return StoreFacts(
        id=row["store_id"], code=row["store_code"], name=row["store_name"], time_zone=row["store_time_zone"],
        day_start=row["day_start"], own_device_enabled=row["own_device_enabled"],
    )  # fmt: skip


def _merchant(row: Mapping[str, Any]) -> MerchantFacts:
    return MerchantFacts(
        name=row["merchant_name"], status=row["status"], status_since=row["status_since"], currency=row["currency"],
        time_zone=row["merchant_time_zone"], default_language=row["default_language"],
        staff_pin_policy=row["staff_pin_policy"], pin_max_failed_attempts=row["pin_max_failed_attempts"],
        pin_lockout_minutes=row["pin_lockout_minutes"], allow_self_enrollment=row["allow_self_enrollment"],
        allow_void_transactions=row["allow_void_transactions"],
        allow_cross_store_redemption=row["allow_cross_store_redemption"], own_card_policy=row["own_card_policy"],
        ask_pin_again=row["ask_pin_again"],
    )  # fmt: skip
