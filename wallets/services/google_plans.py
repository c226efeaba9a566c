"""From a card or program as it is now to what Google is to be told, and from its answer to what we remember."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core import tenancy
from wallets.models import GoogleClass, GooglePass
from wallets.providers.base import PassIdentity
from wallets.providers.google import mapping
from wallets.providers.google.client import CLASS, OBJECT
from wallets.providers.google.provider import GOOGLE
from wallets.queries import descriptions
from wallets.rules.description import CardDescription, Standing
from wallets.services import passes, queue
from wallets.services.google_claims import ClaimedClass
from wallets.services.google_exchange import PATIENCE_SECONDS, Task
from wallets.services.queue import Claimed, Settlement, after_fault

NOTIFICATIONS_A_DAY = 3
DAY = timedelta(hours=24)
WAIT_FOR_CLASS = timedelta(milliseconds=300)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """A claimed row and what is to be done for it. version: of the pass or class, read before what it shows."""

    claim: Claimed | ClaimedClass
    row_id: UUID
    version: int
    task: Task
    behind_since: datetime | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """As whom and when we read. ends: when the time for telling Google is over, by the monotonic clock."""

    issuer_id: str
    at: datetime
    ends: float

    def issued(self, name: str) -> bool:
        """Tell whether a name at Google is of this issuer; another one means new names."""
        return name.startswith(f"{self.issuer_id}.")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows to be told to Google, and rows that are settled without it."""

    plans: list[Plan]
    settled: list[Settlement]


def of_objects(
    claims: Sequence[Claimed], *, issuer_id: str, at: datetime, seconds: float = PATIENCE_SECONDS
) -> Prepared:  # fmt: skip
    """Read what claimed cards look like now. One that cannot be shown is no matter of the others.

    seconds: how long Google may take.
    """
    reading = Reading(issuer_id, at, time.monotonic() + seconds)
    parts: list[Plan | Settlement] = []
    by_merchant: dict[UUID, list[Claimed]] = defaultdict(list)
    for claim in claims:
        by_merchant[claim.merchant_id].append(claim)
    for merchant_id, group in by_merchant.items():
        parts += _parts(merchant_id, group, reading)
    return _sorted(parts)


def of_classes(
    claims: Iterable[ClaimedClass], *, issuer_id: str, at: datetime, seconds: float = PATIENCE_SECONDS
) -> Prepared:  # fmt: skip
    """Read what claimed classes are to be."""
    reading = Reading(issuer_id, at, time.monotonic() + seconds)
    parts: list[Plan | Settlement] = []
    for claim in claims:
        try:
            with tenancy.scope(claim.merchant_id):
                parts.append(_class_plan(claim, reading))
        except Exception as error:
            logger.exception("a program cannot be shown at Google")
            parts.append(_impossible(claim, error, at))
    return _sorted(parts)


def fault(
    claim: Claimed | ClaimedClass, error: str, at: datetime, *, lasting: bool, retry_after: float | None = None
) -> Settlement:  # fmt: skip
    """Decide what follows a fault of a claimed row."""
    return after_fault(
        row_id=claim.id, claimed_at=claim.claimed_at, queued_at=claim.queued_at, attempts=claim.attempts, at=at,
        lasting=lasting, error=error, retry_after=retry_after,
    )  # fmt: skip


def _sorted(parts: Iterable[Plan | Settlement]) -> Prepared:
    prepared = Prepared([], [])
    for part in parts:
        if isinstance(part, Plan):
            prepared.plans.append(part)
        else:
            prepared.settled.append(part)
    return prepared


def _parts(merchant_id: UUID, group: list[Claimed], reading: Reading) -> list[Plan | Settlement]:
    try:
        with tenancy.scope(merchant_id):
            return _group(group, reading)
    except Exception as error:
        if len(group) == 1:
            logger.exception("a card cannot be shown at Google")
            return [_impossible(group[0], error, reading.at)]
        return [part for claim in group for part in _parts(merchant_id, [claim], reading)]


def _group(group: list[Claimed], reading: Reading) -> list[Plan | Settlement]:
    # The versions first: what is read afterwards shows at least these.
    rows = {row.card_id: row for row in GooglePass.objects.filter(card_id__in=[claim.card_id for claim in group])}
    cards = descriptions.describe_many(list(rows), reading.at)
    programs = {card.program.program_id for card in cards.values()}
    classes = {program_id: passes.google_class(program_id, reading.at) for program_id in programs}
    parts: list[Plan | Settlement] = []
    for claim in group:
        row, card = rows.get(claim.card_id), cards.get(claim.card_id)
        if row is None or card is None:
            parts.append(Settlement(claim.id, claim.claimed_at, "sent"))
            continue
        above = classes[card.program.program_id]
        issued = reading.issued(above.class_id)
        if above.accepted_version > 0 and issued:
            parts.append(_object_plan(claim, row, card, above, reading))
        else:
            parts.append(_wait(claim, above, reading.at, issued=issued))
    return parts


def _object_plan(
    claim: Claimed, row: GooglePass, card: CardDescription, above: GoogleClass, reading: Reading
) -> Plan:  # fmt: skip
    if not reading.issued(row.object_id):
        row.object_id, row.accepted, row.accepted_version, row.saved = passes.google_name("c"), {}, 0, False
        row.save(update_fields=["object_id", "accepted", "accepted_version", "saved"])
    wanted = GOOGLE.render(card, PassIdentity(row.object_id, group=above.class_id)).content
    over = card.standing is Standing.OVER
    known = row.accepted_version > 0 or bool(row.accepted)
    mark = _mark(row, wanted, reading.at) if known and not over else ""
    task = Task(
        OBJECT, row.object_id, wanted, row.accepted, known=known, priority=claim.priority, notify=bool(mark),
        vital=not over, ends=reading.ends,
    )  # fmt: skip
    return Plan(claim, row.pk, row.requested_version, task, row.behind_since, mark)


def _class_plan(claim: ClaimedClass, reading: Reading) -> Plan | Settlement:
    row = GoogleClass.objects.get(pk=claim.id)
    program = descriptions.describe_program(claim.program_id)
    if program is None:
        return Settlement(claim.id, claim.claimed_at, "sent")
    if not reading.issued(row.class_id):
        row.class_id, row.accepted, row.accepted_version = passes.google_name("p"), {}, 0
        row.save(update_fields=["class_id", "accepted", "accepted_version"])
    wanted = GOOGLE.render_class(program, row.class_id).content
    task = Task(
        CLASS, row.class_id, wanted, row.accepted, known=row.accepted_version > 0, priority=claim.priority,
        ends=reading.ends,
    )  # fmt: skip
    return Plan(claim, row.pk, claim.version, task)


def _mark(row: GooglePass, wanted: dict[str, Any], at: datetime) -> str:
    """Note that the holder is about to be told of a reward; "" when there is no news or today had enough.

    Noted before it is sent: a fourth notification would be refused, an answer that is lost must not lead to one.
    """
    if not row.accepted or mapping.ready_count(wanted) <= mapping.ready_count(row.accepted):
        return ""
    recent = [text for text in row.notified_at if datetime.fromisoformat(text) > at - DAY]
    if len(recent) >= NOTIFICATIONS_A_DAY:
        return ""
    row.notified_at = [*recent, at.isoformat()]
    row.save(update_fields=["notified_at"])
    return at.isoformat()


def _wait(claim: Claimed, above: GoogleClass, at: datetime, *, issued: bool) -> Settlement:
    """Let a card wait for its class: as long as the class itself waits."""
    if above.state == "failed" and issued:
        return fault(claim, f"class: {above.last_error}", at, lasting=True)
    if above.state in ("sent", "failed"):
        # It is of another issuer, or Google lost it.
        queue.request_class(program_id=above.program_id, at=at)
    due = max(above.due_at, at) if above.state == "queued" else at + WAIT_FOR_CLASS
    return Settlement(claim.id, claim.claimed_at, "later", due)


def _impossible(claim: Claimed | ClaimedClass, error: Exception, at: datetime) -> Settlement:
    return fault(claim, f"{type(error).__name__}: {error}", at, lasting=True)
