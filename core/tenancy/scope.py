"""Scopes: a transaction in which the database shows one merchant's rows, or, for the platform, everyone's.

The boundary is PostgreSQL's row-level security (see operations.py for the policies); a scope only says who is
looking. Both settings are transaction-local, so a pooled connection carries nothing over to the next request.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import connection, transaction

from core import tracing
from core.db import Pipeline, pipeline

PLATFORM_ROLE = "loyalty_platform"
_FUNCTION_NAME = re.compile(r"^[a-z_]+$")


class NoTenantScope(RuntimeError):
    """A tenant table was read or written outside of any scope: a programming error, never a visitor's fault."""


class HasPrimaryKey(Protocol):
    """Anything saved that has a UUID as primary key, such as a merchant."""

    pk: Any


@dataclass(frozen=True, slots=True)
class Scope:
    """Who is looking: one merchant, or the platform (merchant_id is None)."""

    merchant_id: UUID | None


_current: ContextVar[Scope | None] = ContextVar("tenant_scope", default=None)


def current_merchant_id() -> UUID | None:
    """Return the merchant of the scope we are in, None in the platform's scope or in none."""
    active = _current.get()
    return active.merchant_id if active else None


def in_platform() -> bool:
    """Tell whether we are in the platform's scope."""
    active = _current.get()
    return active is not None and active.merchant_id is None


def require_scope(what: str) -> None:
    """Raise NoTenantScope unless a scope is open; `what` names the table for the message."""
    if _current.get() is None:
        raise NoTenantScope(f"{what} was used outside a tenant scope: wrap the call in core.tenancy.scope(merchant)")


@contextmanager
def scope(merchant: UUID | str | HasPrimaryKey) -> Iterator[UUID]:
    """Open a transaction that sees only this merchant's rows; yields the merchant's id.

    Nested in a scope of the same merchant it joins it (a savepoint); nested in another one it takes over and gives
    the previous tenant back on exit. Streamed bodies, tasks and threads must open their own.
    """
    merchant_id = _as_uuid(merchant)
    tracing.saw(merchant_id)
    with _enter(Scope(merchant_id)):
        yield merchant_id


@contextmanager
def brief(merchant: UUID | str | HasPrimaryKey) -> Iterator[Pipeline]:
    """Yield a pipeline whose statements see this merchant's rows: a whole transaction in one round trip.

    For a few statements of which none waits for another's answer; its body does nothing but queue them. It ends with
    the pipeline, so it opens no scope for querysets. Inside a transaction it is a part of that.
    """
    merchant_id = _as_uuid(merchant)
    tracing.saw(merchant_id)
    if connection.in_atomic_block:
        with scope(merchant_id), pipeline() as line:
            yield line
        return
    # Up to its end, which is the pipeline's, PostgreSQL takes what comes without BEGIN for one transaction.
    with pipeline() as line:
        announce(line, Scope(merchant_id))
        yield line


@contextmanager
def platform(*, reason: str, actor: HasPrimaryKey | None = None, merchant_id: UUID | None = None) -> Iterator[None]:
    """Open a transaction that sees every tenant, for platform work only; `reason` says why, in words.

    Where a person acts (`actor`), an audit row is written with the reason. The modules that may call this are listed
    in core.tenancy.platform_callers, and a test holds the list.
    """
    with _enter(Scope(None)):
        if actor is not None:
            from core.models import AuditEntry

            AuditEntry.objects.create(actor_id=actor.pk, merchant_id=merchant_id, action="platform", reason=reason)
        yield


def lookup(function: str, *args: Any) -> list[tuple[Any, ...]]:
    """Call one of the `lookup.*` functions, which tell the ids that belong to a credential before the tenant is known.

    Returns its rows as tuples of ids (empty when nothing matches, as for a text with NUL, which no row can hold). Needs
    no scope and opens no transaction.
    """
    if not _FUNCTION_NAME.match(function):
        raise ValueError(f"not a lookup function: {function!r}")
    if any(isinstance(arg, str) and "\x00" in arg for arg in args):
        return []
    marks = ", ".join(["%s"] * len(args))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM lookup.{function}({marks})", args)  # noqa: S608 - the name is checked above
        return cursor.fetchall()


@contextmanager
def _enter(wanted: Scope) -> Iterator[None]:
    active = _current.get()
    if active == wanted and connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    nested = connection.in_atomic_block
    with transaction.atomic():
        with pipeline() as line:
            announce(line, wanted)
        token = _current.set(wanted)
        try:
            yield
        finally:
            _current.reset(token)
        # Reached only without an exception: a rollback to the savepoint brings the settings back by itself.
        if nested and not connection.needs_rollback:
            with pipeline() as line:
                announce(line, active)


@contextmanager
def entered(merchant_id: UUID) -> Iterator[None]:
    """Mark the scope as open without a statement: for a caller that sends `announce` in its own pipeline.

    Only the hot path uses it, to have BEGIN, the tenant and the card's lock in one round trip.
    """
    if _current.get() is not None:
        with scope(merchant_id):
            yield
        return
    tracing.saw(merchant_id)
    with transaction.atomic():
        token = _current.set(Scope(merchant_id))
        try:
            yield
        finally:
            _current.reset(token)


def announce(line: Any, wanted: Scope | None, *, lock_timeout: str | None = None) -> None:
    """Queue the statement that tells the database who is looking (None: nobody).

    lock_timeout: how long to wait for a row's lock in this transaction, such as "500ms"; None leaves it as it is.
    """
    tenant = str(wanted.merchant_id) if wanted and wanted.merchant_id else ""
    role = PLATFORM_ROLE if wanted and wanted.merchant_id is None else "none"
    sql, values = "SELECT set_config('app.merchant_id', %s, true), set_config('role', %s, true)", [tenant, role]
    if lock_timeout is not None:
        sql, values = f"{sql}, set_config('lock_timeout', %s, true)", [*values, lock_timeout]
    line.run(sql, values)


def _as_uuid(merchant: UUID | str | HasPrimaryKey) -> UUID:
    if isinstance(merchant, UUID):
        return merchant
    if isinstance(merchant, str):
        return UUID(merchant)
    return UUID(str(merchant.pk))
