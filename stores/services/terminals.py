"""Terminals: a manager makes a pairing code, the device at the till takes it once, a manager can take it away again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.errors import DomainError, NotFound, ValidationFailed
from core.models import AuditEntry
from stores.models import Store, Terminal, TerminalPairing
from stores.rules import tokens

CODE_LIFETIME = timedelta(minutes=15)
NOTE_SEEN_EVERY = timedelta(minutes=1)


class PairingRefused(DomainError):
    """The code is unknown, used, or too old: the answer is the same."""

    code, status, keep = "pairing_refused", 409, False
    message = _("This code does not work. Ask a manager for a new one.")


@dataclass(frozen=True, slots=True)
class PairingCode:
    """A code to type on the device, shown once; `name` as the device will be called."""

    name: str
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Paired:
    """A terminal and the token that its cookie keeps."""

    terminal: Terminal
    token: str


def make_pairing_code(
    *, merchant_id: UUID, store_id: UUID, name: str, user_id: UUID | None, at: datetime
) -> PairingCode:  # fmt: skip
    """Make a code with which one device becomes a terminal of the store within 15 minutes.

    user_id: who asks for it, None for a script that goes back to nobody. Raises NotFound for a store that is closed or
    not the merchant's, ValidationFailed for a name of no or more than 60 characters.
    """
    cleaned = _cleaned(name)
    code = tokens.new_pairing_code()
    with tenancy.scope(merchant_id):
        if not Store.objects.filter(pk=store_id, closed_at=None).exists():
            raise NotFound
        pairing = TerminalPairing.objects.create(
            merchant_id=merchant_id, name=cleaned, store_id=store_id, created_by_id=user_id,
            code_hash=tokens.hash_pairing_code(code), expires_at=at + CODE_LIFETIME,
        )  # fmt: skip
    return PairingCode(cleaned, code, pairing.expires_at)


def pair(*, code: str, at: datetime) -> Paired:
    """Turn the device that shows the code into a terminal; the code works once. Raises PairingRefused."""
    rows = tenancy.lookup("pairing", tokens.hash_pairing_code(tokens.clean_pairing_code(code)))
    if not rows:
        raise PairingRefused
    merchant_id, pairing_id = rows[0]
    token = tokens.new_terminal_token()
    with tenancy.scope(merchant_id):
        # The lock closes the race of two devices with one code.
        pairing = TerminalPairing.objects.select_for_update(of=("self",)).select_related("store").get(pk=pairing_id)
        if pairing.used_at is not None or pairing.expires_at <= at or pairing.store.closed_at is not None:
            raise PairingRefused
        pairing.used_at = at
        pairing.save(update_fields=["used_at"])
        terminal = Terminal.objects.create(
            merchant_id=merchant_id, name=pairing.name, store=pairing.store, token_prefix=token.prefix,
            token_hash=token.hash, paired_by_id=pairing.created_by_id, paired_at=at, last_seen_at=at,
        )  # fmt: skip
        _note(terminal, "terminal_paired", pairing.created_by_id)
    return Paired(terminal, token.text)


def rename(
    *, merchant_id: UUID, terminal_id: UUID, name: str, at: datetime, actor_id: UUID | None = None
) -> Terminal:  # fmt: skip
    """Give a terminal in use another name. Raises NotFound and ValidationFailed (`name`)."""
    cleaned = _cleaned(name)
    with tenancy.scope(merchant_id):
        found = Terminal.objects.select_for_update(of=("self",)).select_related("store")
        terminal = found.filter(pk=terminal_id, revoked_at=None).first()
        if terminal is None:
            raise NotFound
        if terminal.name != cleaned:
            terminal.name = cleaned
            terminal.save(update_fields=["name"])
            _note(terminal, "terminal_renamed", actor_id)
    return terminal


def revoke(*, merchant_id: UUID, terminal_id: UUID, at: datetime, actor_id: UUID | None = None) -> Terminal:
    """Take a terminal out of use at once. Raises NotFound; doing it twice changes nothing."""
    with tenancy.scope(merchant_id):
        terminal = Terminal.objects.select_for_update(of=("self",)).filter(pk=terminal_id).first()
        if terminal is None:
            raise NotFound
        if terminal.revoked_at is None:
            terminal.revoked_at = at
            terminal.save(update_fields=["revoked_at"])
            _note(terminal, "terminal_revoked", actor_id)
    return terminal


def note_discarded(
    *, merchant_id: UUID, store_id: UUID, actor_id: UUID | None, reason: str, items: Sequence[Mapping[str, Any]]
) -> None:
    """Keep in the audit that a manager threw away what a till had saved without a connection: what, and why.

    items: operations as their tills kept them, by keys, times and amounts only, so that nothing names a customer.
    """
    with tenancy.scope(merchant_id):
        AuditEntry.objects.create(
            merchant_id=merchant_id, actor_id=actor_id, action="till_queue_discarded", target=f"store {store_id}",
            reason=reason, facts={"count": len(items), "items": [dict(item) for item in items]},
        )  # fmt: skip


def note_seen(*, merchant_id: UUID, terminal_id: UUID, at: datetime) -> None:
    """Keep when a terminal was last seen, at most once a minute."""
    with tenancy.scope(merchant_id):
        Terminal.objects.filter(pk=terminal_id).exclude(last_seen_at__gt=at - NOTE_SEEN_EVERY).update(last_seen_at=at)


def _cleaned(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= 60 or "\x00" in cleaned:
        raise ValidationFailed.of("name", "required", _("A name has 1 to 60 characters."))
    return cleaned


def _note(terminal: Terminal, action: str, actor_id: UUID | None) -> None:
    AuditEntry.objects.create(
        merchant_id=terminal.merchant_id, actor_id=actor_id, action=action, target=f"terminal {terminal.pk}"
    )
