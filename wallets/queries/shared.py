"""What all cards of a program share, read again when anything of it changed: never by its age.

Every reading of a card brings a fingerprint of the rows behind it along, as they are committed at that moment. While it
is the same, this process remembers what it made of those rows.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core import tenancy
from core.db import pipeline
from loyalty.models import Program, Reward
from loyalty.queries import storefronts
from merchants.models import Merchant
from stores.models import Store
from wallets.rules.description import ProgramDescription

MOST_PROGRAMS = 1024
# Whole rows, and more of them than a pass shows: a change too many is a reading too many, and nothing worse.
FINGERPRINTS = """
    SELECT p.id, p.merchant_id, md5(concat(p::text, '|', m::text, '|',
        (SELECT string_agg(s::text, '|' ORDER BY s.id) FROM stores_store s WHERE s.merchant_id = p.merchant_id), '|',
        (SELECT string_agg(l::text, '|' ORDER BY l.id) FROM loyalty_storeprogram l
         WHERE l.merchant_id = p.merchant_id), '|',
        (SELECT string_agg(r::text, '|' ORDER BY r.id) FROM loyalty_reward r
         WHERE r.merchant_id = p.merchant_id AND r.program_id = p.id))) AS mark
    FROM loyalty_program p JOIN merchants_merchant m ON m.id = p.merchant_id
    WHERE p.id {chosen}
"""
BY_ID = FINGERPRINTS.format(chosen="= ANY (%(programs)s)")


@dataclass(frozen=True, slots=True)
class Shared:
    """A program with all that its cards have in common. Read only: threads share it.

    homes: all stores of the merchant; running: those in which the program runs. near: what passes show of the program,
    by the store that a card comes from; filled as it is asked for.
    """

    program: Program
    merchant: Merchant
    homes: Mapping[UUID, Store]
    running: tuple[Store, ...]
    catalogue: tuple[Reward, ...]
    near: dict[tuple[str, UUID | None], ProgramDescription] = field(default_factory=dict, repr=False, compare=False)


class Remembered:
    """The programs of this process that were asked for last, each with the fingerprint of the rows behind it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[UUID, tuple[str, Shared]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, program_id: UUID, mark: str) -> Shared | None:
        """Return what was made of exactly these rows, None when that is not known."""
        with self._lock:
            known = self._kept.get(program_id)
            if known is None or known[0] != mark:
                return None
            self._kept.move_to_end(program_id)
            return known[1]

    def keep(self, mark: str, shared: Shared) -> None:
        """Remember what was made of rows."""
        with self._lock:
            self._kept[shared.program.pk] = mark, shared
            self._kept.move_to_end(shared.program.pk)
            while len(self._kept) > MOST_PROGRAMS:
                self._kept.popitem(last=False)


_remembered = Remembered()


def of(rows: Iterable[Mapping[str, Any]]) -> dict[UUID, Shared]:
    """Return the programs of rows of FINGERPRINTS by their id."""
    found = {row["id"]: _remembered.get(row["id"], row["mark"]) or _read(row["merchant_id"], row["id"]) for row in rows}
    return {program_id: shared for program_id, shared in found.items() if shared is not None}


def by_id(program_id: UUID) -> Shared | None:
    """Return one program, None when there is none here. Inside the merchant's scope."""
    with pipeline() as line:
        rows = line.run(BY_ID, {"programs": [program_id]})
    return of(rows.all()).get(program_id)


def _read(merchant_id: UUID, program_id: UUID) -> Shared | None:
    """Read a program; what changed meanwhile is not remembered, since nobody knows which fingerprint it has."""
    with tenancy.scope(merchant_id):
        before = _mark(program_id)
        program = Program.objects.filter(pk=program_id).first()
        if program is None:
            return None
        shared = Shared(
            program=program,
            merchant=Merchant.objects.get(pk=program.merchant_id),
            homes=Store.objects.in_bulk(),
            running=tuple(storefronts.stores_running(program)),
            catalogue=tuple(storefronts.catalogue(program)),
        )
        if before == _mark(program_id):
            _remembered.keep(before, shared)
    return shared


def _mark(program_id: UUID) -> str:
    with pipeline() as line:
        rows = line.run(BY_ID, {"programs": [program_id]})
    row = rows.one()
    return row["mark"] if row else ""
