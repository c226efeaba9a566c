"""What Google answered, written down: what it holds now, who was told, and what follows for the queue."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, F, Value, When
from django.db.models.functions import Greatest

from core import tenancy
from loyalty.models import Card
from wallets import metrics
from wallets.enums import Provider
from wallets.models import GoogleClass, GooglePass
from wallets.providers.base import Answer, Verdict
from wallets.providers.google.client import CLASS
from wallets.services import queue
from wallets.services.google_exchange import Outcome
from wallets.services.google_plans import Plan, fault
from wallets.services.queue import Settlement

Done = tuple[Plan, Outcome]


def write(done: Sequence[Done], *, at: datetime) -> None:
    """Note what became of each plan, and settle their rows."""
    by_merchant: dict[UUID, list[Done]] = defaultdict(list)
    for plan, outcome in done:
        by_merchant[plan.claim.merchant_id].append((plan, outcome))
        _count(plan, outcome, at)
    for merchant_id, group in by_merchant.items():
        with tenancy.scope(merchant_id):
            _note(group, at)
    settle(((plan.task.kind, settlement(plan, outcome, at)) for plan, outcome in done), at=at)


def settle(rows: Iterable[tuple[str, Settlement]], *, at: datetime) -> None:
    """Settle rows by what they are about."""
    by_table: dict[str, list[Settlement]] = defaultdict(list)
    for kind, row in rows:
        by_table[queue.CLASSES if kind == CLASS else queue.UPDATES].append(row)
    for table, settlements in by_table.items():
        queue.settle(settlements, at=at, table=table)


def settlement(plan: Plan, outcome: Outcome, at: datetime) -> Settlement:
    """Say what follows an outcome. A refused credential uses up no try: the rows wait until it is taken again."""
    claim, answer = plan.claim, outcome.answer
    if answer is None or answer.verdict is Verdict.BLOCKED:
        return Settlement(claim.id, claim.claimed_at, "later", at)
    if answer.verdict is Verdict.ACCEPTED:
        return Settlement(claim.id, claim.claimed_at, "sent")
    lasting = answer.verdict is not Verdict.RETRY
    return fault(claim, _words(answer), at, lasting=lasting, retry_after=answer.retry_after)


def _words(answer: Answer) -> str:
    return f"{answer.status}: {answer.reason}" if answer.status else answer.reason


def _count(plan: Plan, outcome: Outcome, at: datetime) -> None:
    if outcome.answer is None or plan.task.kind == CLASS:
        return
    if outcome.asked:
        metrics.pushed(Provider.GOOGLE, outcome.answer.verdict)
    if outcome.answer.verdict is Verdict.ACCEPTED and plan.behind_since is not None:
        metrics.accepted((at - plan.behind_since).total_seconds())


def _note(group: Sequence[Done], at: datetime) -> None:
    objects = [(plan, outcome) for plan, outcome in group if plan.task.kind != CLASS]
    ids = [plan.row_id for plan, _ in objects]
    # Whoever erases a person locks the passes, too: what names them is not written back afterwards.
    locked = GooglePass.objects.filter(pk__in=ids).select_for_update(no_key=True).order_by("pk")
    rows = {row.pk: row for row in locked} if ids else {}
    cards = [row.card_id for row in rows.values()]
    erased = set(Card.objects.filter(pk__in=cards, customer__erased_at__isnull=False).values_list("pk", flat=True))
    for plan, outcome in group:
        if plan.task.kind == CLASS:
            _note_class(plan, outcome, at)
        elif plan.row_id in rows:
            row = rows[plan.row_id]
            _note_object(row, plan, outcome, at, keep=not plan.task.vital or row.card_id not in erased)


def _note_class(plan: Plan, outcome: Outcome, at: datetime) -> None:
    if not outcome.there:
        return
    row = GoogleClass.objects.filter(pk=plan.row_id, class_id=plan.task.name)
    row.update(
        accepted=plan.task.wanted, accepted_at=at, accepted_version=Greatest(F("accepted_version"), plan.version)
    )  # fmt: skip


def _note_object(row: GooglePass, plan: Plan, outcome: Outcome, at: datetime, *, keep: bool) -> None:
    changes: dict[str, Any] = {}
    if plan.mark and not outcome.notified:
        changes["notified_at"] = [mark for mark in row.notified_at if mark != plan.mark]
    if outcome.class_missing:
        _remake_class(row.card_id, plan, at)
    if outcome.answer is not None and outcome.answer.verdict is Verdict.ACCEPTED:
        reached = When(requested_version__lte=plan.version, then=Value(None))
        changes |= {
            "accepted": plan.task.wanted if outcome.there and keep else {},
            "accepted_version": max(row.accepted_version, plan.version),
            "accepted_at": at,
            "behind_since": Case(reached, default=F("behind_since")),
        }
    if changes:
        GooglePass.objects.filter(pk=row.pk, object_id=plan.task.name).update(**changes)


def _remake_class(card_id: UUID, plan: Plan, at: datetime) -> None:
    """Google does not know the class that it accepted once: it is to be made again."""
    program_id = Card.objects.values_list("program_id", flat=True).get(pk=card_id)
    lost = GoogleClass.objects.filter(program_id=program_id, class_id=plan.task.wanted["classId"])
    if lost.filter(accepted_version__gt=0).update(accepted={}, accepted_version=0):
        queue.request_class(program_id=program_id, at=at)
