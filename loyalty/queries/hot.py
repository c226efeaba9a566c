"""What an operation looks at, in one round trip: tenant, caller, store, program, answered keys, card (locked), staff.

This is the only place with hand-written SQL for reading: the statements travel in one pipeline together with BEGIN,
so that a stamp costs few round trips. Each later statement has a later snapshot, so what stands behind the card's lock
sees what the lock waited for. The lock touches the card only: a plain join would make all tills of a merchant queue.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction
from django.utils.translation import gettext_lazy as _
from psycopg.errors import LockNotAvailable

from core import idempotency
from core.db import Deferred, Pipeline, pipeline
from core.errors import DomainError, NotFound
from core.tenancy.scope import Scope, announce, entered
from loyalty.rules.states import CardState, ProgramRules
from stores.queries import access as access_queries
from stores.queries.access import Access, Credential

LOCK_TIMEOUT = "500ms"


class CardBusy(DomainError):
    """Another operation holds the card for longer than we wait."""

    code = "card_busy"
    message = _("This card is being used at another till. Try again.")


@dataclass(frozen=True, slots=True)
class CardRef:
    """How a request names a card. kind: qr_code, card_number, card_id, or transaction (the card of a ledger row)."""

    kind: str
    value: str | UUID


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A staff member's PIN row as the operation sees it."""

    id: UUID
    name: str
    version: int
    is_active: bool
    all_stores: bool
    rotated_at: datetime | None
    revoked_at: datetime | None
    store_ids: list[UUID]

    def works_at(self, store_id: UUID) -> bool:
        """Whether the person works in the store."""
        return self.is_active and self.belongs_to(store_id)

    def belongs_to(self, store_id: UUID) -> bool:
        """Whether the store is one of the person's, at work there still or not."""
        return self.all_stores or store_id in self.store_ids

    def had_version(self, version: int, at: datetime) -> bool:
        """Whether the PIN's version of an earlier instant was this one: it is, or was the one before its last change.

        A PIN that changed twice since is not known well enough.
        """
        if version == self.version and self.is_active:
            return True
        changed_at = max(filter(None, (self.rotated_at, self.revoked_at)), default=None)
        return changed_at is not None and version == self.version - 1 and at < changed_at


@dataclass(slots=True)
class Loaded:
    """Everything an operation decides on. `answer` is set when the request was answered before.

    own_staff_id: the staff member whose own card this is, None for a customer's (rule 22). rewards_expire_at: when the
    first of the card's ready rewards expires, None where none does.
    """

    access: Access
    answer: idempotency.Answer | None = None
    program: ProgramRules | None = None
    card: CardState | None = None
    customer_email_key: str = ""
    own_staff_id: UUID | None = None
    rewards_expire_at: datetime | None = None
    costs: list[int] = field(default_factory=list)
    staff: StaffRow | None = None
    latest: list[dict[str, Any]] = field(default_factory=list)
    rewards: list[dict[str, Any]] = field(default_factory=list)
    reward: dict[str, Any] | None = None


PROGRAM_COLUMNS = tuple(item.name for item in fields(ProgramRules))
CARD_COLUMNS = tuple(item.name for item in fields(CardState))
CONTEXT = """
    SELECT a.*, {program},
        ARRAY(SELECT r.points_cost FROM loyalty_reward r WHERE r.program_id = p.id AND r.is_active
            AND r.archived_at IS NULL AND p.loyalty_type <> 'stamps') AS costs
    FROM ({access}) a
    LEFT JOIN loyalty_program p ON p.id = COALESCE(
        (SELECT sp.program_id FROM loyalty_storeprogram sp WHERE sp.store_id = a.store_id),
        (SELECT d.id FROM loyalty_program d WHERE d.is_default))
"""
CONTEXT_SQL = {
    kind: CONTEXT.format(access=sql, program=", ".join(f"p.{name} AS program_{name}" for name in PROGRAM_COLUMNS))
    for kind, sql in access_queries.SQL.items()
}
# A card that was merged into another one leads to it, by whatever it is named; merges keep this at one step.
LEADS_TO = "c.id = (SELECT COALESCE(n.merged_into_id, n.id) FROM loyalty_card n WHERE {named})"
WHERE = {
    "qr_code": LEADS_TO.format(named="n.qr_code_data = %s"),
    "card_number": LEADS_TO.format(named="n.card_number = %s"),
    "card_id": LEADS_TO.format(named="n.id = %s"),
    "transaction": LEADS_TO.format(named="n.id = (SELECT t.card_id FROM loyalty_transaction t WHERE t.id = %s)"),
}
CARD = (
    f"SELECT {', '.join(f'c.{name}' for name in CARD_COLUMNS)}, k.email_key, k.staff_pin_id AS own_staff_id, "
    "(SELECT min(i.expires_at) FROM loyalty_issuedreward i WHERE c.rewards_ready > 0 AND i.card_id = c.id "
    "AND i.state = 'issued') AS rewards_expire_at "
    "FROM loyalty_card c JOIN customers_customer k ON k.id = c.customer_id WHERE {where}{lock}"
)
STAFF = (
    "SELECT s.id, s.name, s.version, s.is_active, s.all_stores, s.rotated_at, s.revoked_at, "
    "ARRAY(SELECT l.store_id FROM stores_staffpinstore l WHERE l.staff_pin_id = s.id) AS store_ids "
    "FROM stores_staffpin s WHERE s.id = %s"
)
LATEST = (
    "SELECT t.type, t.stamps_delta, t.purchase_amount_cents, t.staff_pin_id, t.occurred_at, t.idempotency_key "
    "FROM loyalty_transaction t WHERE t.card_id = (SELECT c.id FROM loyalty_card c WHERE {where}) "
    "ORDER BY t.seq DESC LIMIT 4"
)
READY = (
    "SELECT i.id, i.name, i.stamps_used, i.stamps_held, i.issued_at, i.expires_at FROM loyalty_issuedreward i "
    "WHERE i.card_id = (SELECT c.id FROM loyalty_card c WHERE {where}) AND i.state = 'issued' "
    "AND i.source = 'stamps' ORDER BY i.issued_at, i.id LIMIT 100"
)
REWARD = (
    "SELECT r.id, r.name, r.program_id, r.points_cost, r.is_active, r.archived_at FROM loyalty_reward r WHERE r.id = %s"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to load: the card (locked or not) and what the operation needs besides."""

    credential: Credential
    store_code: str | None
    card: CardRef
    asked: idempotency.Request | None = None
    staff_id: UUID | None = None
    lock: bool = True
    latest: bool = False
    ready: bool = False
    reward_id: UUID | None = None


@contextmanager
def opened(wanted: Wanted) -> Iterator[Loaded]:
    """Open the operation's transaction and load what it needs in the same round trip.

    Raises what access.read raises, the idempotency conflicts, and CardBusy. A card that is not there is card None.
    """
    merchant_id = wanted.credential.merchant_id
    with entered(merchant_id):
        found: dict[str, Any] = {}
        try:
            with pipeline() as line:
                announce(line, Scope(merchant_id), lock_timeout=LOCK_TIMEOUT)
                found = _queue(line, wanted)
            loaded = _read(wanted, found)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            loaded = _without_card(wanted, found)
            if loaded.answer is None:
                raise CardBusy(retry_after=1) from error
            transaction.set_rollback(True)
        yield loaded


def _without_card(wanted: Wanted, found: dict[str, Any]) -> Loaded:
    """Read what came before the card, which somebody else holds: a replay needs none, and who runs already is told so.

    Raises what access.read raises, and the idempotency conflicts.
    """
    loaded = Loaded(access_queries.read(wanted.credential, found["context"].one(), wanted.store_code))
    if "key" in found and wanted.asked is not None:
        loaded.answer = idempotency.settle(wanted.asked, *found["key"])
    return loaded


def _queue(line: Pipeline, wanted: Wanted) -> dict[str, Any]:
    where, value = WHERE[wanted.card.kind], wanted.card.value
    found: dict[str, Any] = {
        "context": line.run(
            CONTEXT_SQL[wanted.credential.kind], access_queries.parameters(wanted.credential, wanted.store_code)
        )
    }
    if wanted.asked is not None and wanted.asked.key is not None:
        found["key"] = idempotency.queue_check(line, wanted.credential.merchant_id, wanted.asked.key)
    lock = " FOR NO KEY UPDATE OF c" if wanted.lock else ""
    found["card"] = line.run(CARD.format(where=where, lock=lock), (value,))
    if wanted.staff_id is not None:
        found["staff"] = line.run(STAFF, (wanted.staff_id,))
    if wanted.latest:
        found["latest"] = line.run(LATEST.format(where=where), (value,))
    if wanted.ready:
        found["rewards"] = line.run(READY.format(where=where), (value,))
    if wanted.reward_id is not None:
        # The key's lock lets nobody delete or archive the reward between this look and the write that names it.
        found["reward"] = line.run(REWARD + (" FOR KEY SHARE" if wanted.lock else ""), (wanted.reward_id,))
    return found


def _read(wanted: Wanted, found: dict[str, Any]) -> Loaded:
    row = found["context"].one()
    loaded = Loaded(access_queries.read(wanted.credential, row, wanted.store_code))
    if "key" in found and wanted.asked is not None:
        loaded.answer = idempotency.settle(wanted.asked, *found["key"])
    if row["program_id"] is not None:
        loaded.program = ProgramRules(**{name: row[f"program_{name}"] for name in PROGRAM_COLUMNS})
        loaded.costs = list(row["costs"])
    card = found["card"].one()
    if card is not None:
        loaded.customer_email_key = card.pop("email_key")
        loaded.own_staff_id = card.pop("own_staff_id")
        loaded.rewards_expire_at = card.pop("rewards_expire_at")
        loaded.card = CardState(**card)
    loaded.staff = _staff(found.get("staff"))
    loaded.latest = found["latest"].all() if "latest" in found else []
    loaded.rewards = found["rewards"].all() if "rewards" in found else []
    loaded.reward = found["reward"].one() if "reward" in found else None
    return loaded


def _staff(found: Deferred | None) -> StaffRow | None:
    row: Mapping[str, Any] | None = found.one() if found is not None else None
    return StaffRow(**row) if row is not None else None


def require_card(loaded: Loaded) -> CardState:
    """Return the card; raises NotFound when the merchant has none by that reference.

    A merged card is seen only where the merge came while we waited for its lock: asked again, it leads on.
    """
    if loaded.card is None:
        raise NotFound
    if loaded.card.status == "merged":
        raise CardBusy(retry_after=1)
    return loaded.card
