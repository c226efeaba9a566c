"""What the check of a PIN needs to read, in one round trip, under the locks that put parallel tries in a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.db import pipeline
from core.errors import NotFound
from stores.models import StaffPin, StaffPinStore
from stores.rules.pins import Strikes, Subject

DAY_GUARD = "day"

# Tries of one sender stand in a line: fifty at once cannot each see "one try left".
LOCK_SENDER = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
RULES = """
    SELECT x.pin_max_failed_attempts, x.pin_lockout_minutes, s.time_zone,
        (SELECT count(*) FROM stores_staffpin p WHERE p.merchant_id = x.merchant_id AND p.is_active
            AND (p.all_stores OR EXISTS (
                SELECT FROM stores_staffpinstore l WHERE l.staff_pin_id = p.id AND l.store_id = %(store)s))) AS people
    FROM merchants_merchantsettings x
    LEFT JOIN stores_store s ON s.id = %(store)s AND s.merchant_id = x.merchant_id
    WHERE x.merchant_id = %(merchant)s
"""
GUARDS = """
    SELECT subject_kind, failed_attempts, lock_level, locked_until FROM stores_pinguard
    WHERE merchant_id = %(merchant)s AND subject_id = %(id)s
      AND ((subject_kind = %(kind)s AND device = %(device)s) OR subject_kind = 'day')
"""
STAFF = """
    SELECT p.id, p.name, p.version, p.pin_hash, p.pepper_id, p.failed_attempts, p.locked_until, p.last_used_at
    FROM stores_staffpin p
    WHERE p.merchant_id = %(merchant)s AND p.is_active
      AND (p.all_stores OR EXISTS (
          SELECT FROM stores_staffpinstore l WHERE l.staff_pin_id = p.id AND l.store_id = %(store)s))
"""
# The person's row is locked while the PIN is hashed: tries on one person stand in a line, whoever sends them.
NAMED = STAFF + " AND p.id = %(staff)s FOR NO KEY UPDATE OF p"
BY_BUCKET = (
    STAFF + " AND (p.pepper_id, p.pin_bucket) IN (SELECT unnest(%(peppers)s::text[]), unnest(%(buckets)s::int[]))"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A staff member whose PIN it may be."""

    id: UUID
    name: str
    version: int
    pin_hash: str
    pepper_id: str
    strikes: Strikes
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sender:
    """What a PIN came through, with its strikes now and those of its day."""

    subject: Subject
    strikes: Strikes
    day: Strikes


@dataclass(frozen=True, slots=True)
class Case:
    """One try: the merchant's limits, the strikes of each sender (now, and over the day), the candidates.

    people: how many work in the store, any of whom a PIN without a name may meet.
    """

    limit: int
    minutes: int
    zone: str
    people: int
    senders: list[Sender]
    candidates: list[Candidate]


def read_case(
    *, merchant_id: UUID, store_id: UUID, subjects: Sequence[Subject], staff_id: UUID | None,
    buckets: Sequence[tuple[str, int]],
) -> Case:  # fmt: skip
    """Lock the senders in their order (and the person, when named) and read the case, in an open scope."""
    values: dict[str, Any] = {
        "merchant": merchant_id, "store": store_id, "staff": staff_id,
        "peppers": [pepper for pepper, _ in buckets], "buckets": [number for _, number in buckets],
    }  # fmt: skip
    with pipeline() as line:
        for subject in subjects:
            line.run(LOCK_SENDER, (f"stores.pins/{merchant_id}/{subject.kind}/{subject.id}/{subject.device}",))
        rules = line.run(RULES, values)
        staff = line.run(NAMED if staff_id else BY_BUCKET, values)
        guards = [
            line.run(GUARDS, {"merchant": merchant_id, "id": item.id, "kind": item.kind, "device": item.device})
            for item in subjects
        ]
    limits = rules.one()
    if limits is None:
        raise NotFound
    return Case(
        limit=limits["pin_max_failed_attempts"], minutes=limits["pin_lockout_minutes"], zone=limits["time_zone"] or "",
        people=limits["people"],
        senders=[_sender(subject, found.all()) for subject, found in zip(subjects, guards, strict=True)],
        candidates=[_candidate(row) for row in staff.all()],
    )  # fmt: skip


def working_at(store_id: UUID) -> QuerySet[StaffPin]:
    """Return the active staff of a store, by name."""
    linked = StaffPinStore.objects.filter(staff_pin=OuterRef("pk"), store_id=store_id)
    return StaffPin.objects.filter(Q(all_stores=True) | Exists(linked), is_active=True)


def all_staff() -> QuerySet[StaffPin]:
    """Return the merchant's staff with the stores of those who do not work in all of them."""
    return StaffPin.objects.prefetch_related("store_links__store")


def require(staff_id: UUID) -> None:
    """Raise NotFound unless the merchant has this staff member."""
    if not StaffPin.objects.filter(pk=staff_id).exists():
        raise NotFound


def _sender(subject: Subject, rows: Sequence[Mapping[str, Any]]) -> Sender:
    strikes = {row["subject_kind"]: _strikes(row) for row in rows}
    return Sender(subject, strikes.get(subject.kind, Strikes()), strikes.get(DAY_GUARD, Strikes()))


def _strikes(row: Mapping[str, Any]) -> Strikes:
    return Strikes(row["failed_attempts"], row.get("lock_level", 0), row["locked_until"])


def _candidate(row: Mapping[str, Any]) -> Candidate:
    return Candidate(
        id=row["id"], name=row["name"], version=row["version"], pin_hash=row["pin_hash"], pepper_id=row["pepper_id"],
        strikes=_strikes(row), last_used_at=row["last_used_at"],
    )  # fmt: skip
