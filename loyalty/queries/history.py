"""A card's history: ledger rows with what stands beside them, a page at a time in a fixed number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from loyalty.enums import TransactionType
from loyalty.models import CardMerge, ProgramVersion, Transaction
from loyalty.queries import explanations

# A key that the server made itself is announced to nobody.
SERVER_KEY = "auto-"
VersionKey = tuple[UUID, int]
MERGES = (TransactionType.MERGE_IN, TransactionType.MERGE_OUT)


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger row with its explanation, and the row that reverses it: the void, else the last refund."""

    row: Transaction
    reversed_by: UUID | None
    explanation: str
    voided: bool = False

    @property
    def reward(self) -> dict[str, Any] | None:
        """The reward it is about: the issued one, else the one of the catalogue."""
        about = self.row.issued_reward or self.row.reward
        return {"id": about.pk, "name": explanations.reward_name(self.row)} if about is not None else None

    @property
    def idempotency_key(self) -> str | None:
        """The caller's key, None when the server made one."""
        key = self.row.idempotency_key
        return None if key.startswith(SERVER_KEY) else key


def rows() -> "QuerySet[Transaction]":
    """Return ledger rows with what an entry needs loaded, the newest first; narrow them and give them to `entries`."""
    return Transaction.objects.select_related(
        "store", "staff_pin", "reward", "issued_reward", "reverses", "reverses__reward", "reverses__issued_reward"
    ).order_by("-seq")  # fmt: skip


def of_card(card_id: UUID) -> "QuerySet[Transaction]":
    """Return the rows of one card, the newest first."""
    return rows().filter(card_id=card_id)


def entries(found: Iterable[Transaction]) -> list[Entry]:
    """Return rows of `rows()` as entries: two queries more, however many they are; a third where cards were merged."""
    page = list(found)
    merged = _merged([row for row in page if row.type in MERGES])
    voids, refunds = _reversals([row.pk for row in page])
    rules = _rules({key for row in page for key in _versions_of(row)})
    return [
        Entry(
            row=row,
            reversed_by=voids.get(row.pk) or refunds.get(row.pk),
            voided=row.pk in voids,
            explanation=explanations.explain(
                row,
                rules.get((row.program_id, row.program_version), {}),
                rules.get((row.reverses.program_id, row.reverses.program_version)) if row.reverses else None,
                merged.get(row.pk),
            ),
        )
        for row in page
    ]


def _merged(rows: list[Transaction]) -> dict[UUID, explanations.Merged]:
    """Return what the rows of merges are about: a merge has its rows' key, its undoing the instant."""
    if not rows:
        return {}
    cards = {row.card_id for row in rows}
    merges = list(
        CardMerge.objects.filter(Q(source_id__in=cards) | Q(target_id__in=cards)).select_related("source", "target")
    )
    found = {}
    for row in rows:
        for merge in merges:
            back = merge.idempotency_key != row.idempotency_key
            mine = row.card_id in (merge.source_id, merge.target_id)
            if mine and (not back or merge.undone_at == row.occurred_at):
                other = merge.target if row.card_id == merge.source_id else merge.source
                found[row.pk] = explanations.Merged(f"•• {other.card_number[-4:]}", back)
    return found


def _versions_of(row: Transaction) -> Iterable[VersionKey]:
    yield row.program_id, row.program_version
    if row.reverses is not None:
        yield row.reverses.program_id, row.reverses.program_version


def _reversals(ids: list[UUID]) -> tuple[dict[UUID, UUID], dict[UUID, UUID]]:
    """Return which row voids which, and which was the last to refund which."""
    if not ids:
        return {}, {}
    found = Transaction.objects.filter(reverses_id__in=ids).order_by("seq").values_list("reverses_id", "type", "id")
    rows = list(found)
    voids = {reverses: row_id for reverses, kind, row_id in rows if kind == TransactionType.VOID}
    refunds = {reverses: row_id for reverses, kind, row_id in rows if kind != TransactionType.VOID}
    return voids, refunds


def _rules(wanted: set[VersionKey]) -> dict[VersionKey, dict[str, Any]]:
    if not wanted:
        return {}
    which = Q()
    for program_id, number in wanted:
        which |= Q(program_id=program_id, number=number)
    versions = ProgramVersion.objects.filter(which).values_list("program_id", "number", "rules")
    return {(program_id, number): rules for program_id, number, rules in versions}
