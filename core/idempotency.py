"""Idempotency: one key, one effect. A repeated request gets the answer of the first one.

A key belongs to the merchant. While a request with a key runs it holds an advisory lock, so a second one is told to
wait (409); afterwards the stored answer is replayed, unless the operation or the body differ (422). Only successes are
stored; the ledger's own unique key holds for ever.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import tenancy
from core.db import Deferred, Pipeline, pipeline
from core.errors import DomainError, ValidationFailed
from core.models import IdempotencyRecord

# What may differ between two sendings of the same request, and must not be guessable from the fingerprint.
LEFT_OUT = frozenset({"staff_pin", "staff_session", "confirm"})
MAX_KEY = 128
# The header that marks an answer as a replay.
REPLAY = "Idempotent-Replay"


class IdempotencyInProgress(DomainError):
    """Another request with this key is running."""

    code = "idempotency_in_progress"
    keep = False
    message = _("The same request is still running. Ask again in a moment.")


class IdempotencyKeyReused(DomainError):
    """The key was used for something else."""

    code = "idempotency_key_reused"
    status = 422
    keep = False
    message = _("This key was used for another request.")


class AnswerEncoder(DjangoJSONEncoder):
    """Writes instants to the microsecond: a time of the next stamp that is cut off would come too early."""

    def default(self, o: Any) -> Any:
        """Return what JSON can hold of a value."""
        if isinstance(o, datetime):
            return o.isoformat().replace("+00:00", "Z")
        return super().default(o)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered: HTTP status, the JSON text that is sent and stored, and whether it is a replay."""

    status: int
    text: str
    replayed: bool = False

    @classmethod
    def of(cls, status: int, body: Any) -> "Answer":
        """Make an answer of a body; a replay is the same to the letter."""
        return cls(status, as_text(body))

    @property
    def body(self) -> Any:
        """The body as plain JSON values."""
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Request:
    """What identifies a request: its key (None: the caller sent none), its operation and its fingerprint.

    former: the fingerprints under the secrets before the last rotations, so that a retry across one is recognised.
    """

    key: str | None
    operation: str
    fingerprint: str
    former: tuple[str, ...] = ()

    def is_of(self, operation: str, fingerprint: str) -> bool:
        """Tell whether a stored answer is that of the same request."""
        known = (self.fingerprint, *self.former)
        return operation == self.operation and any(hmac.compare_digest(fingerprint, mine) for mine in known)


def request(key: str | None, operation: str, path: str, body: Any) -> Request:
    """Describe a request; raises ValidationFailed for a key that is empty, too long or not printable ASCII."""
    if key is not None and (not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable()):
        raise ValidationFailed.of(
            "Idempotency-Key", "invalid", _("A key has 1 to 128 printable characters.")
        )  # fmt: skip
    former = tuple(fingerprint(operation, path, body, secret) for secret in settings.SECRET_KEY_FALLBACKS)
    return Request(key, operation, fingerprint(operation, path, body), former)


def fingerprint(operation: str, path: str, body: Any, secret: str | None = None) -> str:
    """Return an HMAC over operation, path and body without PIN, session and confirmation.

    A plain hash of a body would let anyone who reads the table try all PINs. secret: SECRET_KEY when none is given.
    """
    kept = {name: value for name, value in body.items() if name not in LEFT_OUT} if isinstance(body, dict) else body
    text = json.dumps([operation, path, kept], sort_keys=True, separators=(",", ":"), cls=DjangoJSONEncoder)
    keyed = (secret or settings.SECRET_KEY).encode()
    return hmac.new(keyed, b"idempotency" + text.encode(), hashlib.sha256).hexdigest()


def queue_check(line: Pipeline, merchant_id: UUID, key: str) -> tuple[Deferred, Deferred]:
    """Queue taking the key's lock and, with a later snapshot, reading its stored answer."""
    lock = line.run(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)) AS free", (f"{merchant_id}/{key}",)
    )  # fmt: skip
    stored = line.run(
        "SELECT operation, fingerprint, status, body FROM core_idempotencyrecord WHERE merchant_id = %s AND key = %s",
        (merchant_id, key),
    )
    return lock, stored


def settle(asked: Request, lock: Deferred, stored: Deferred) -> Answer | None:
    """Return the stored answer, or None when the request is to run; raises the two conflicts."""
    row = stored.one()
    if row is not None:
        if not asked.is_of(row["operation"], row["fingerprint"]):
            raise IdempotencyKeyReused
        return Answer(row["status"], row["body"], replayed=True)
    locked = lock.one()
    if not locked or not locked["free"]:
        raise IdempotencyInProgress(retry_after=1)
    return None


def once(merchant_id: UUID, asked: Request, run: Callable[[], tuple[int, Any, Any]]) -> Answer:
    """Run a write once per key in the merchant's scope: `run` returns (status, body, body to store).

    The stored body leaves out secrets that are shown once (they are null in a replay). Without a key it just runs.
    """
    with tenancy.scope(merchant_id):
        if asked.key is not None:
            with pipeline() as line:
                lock, stored = queue_check(line, merchant_id, asked.key)
            answer = settle(asked, lock, stored)
            if answer is not None:
                return answer
        status, body, kept = run()
        if asked.key is not None:
            keep(merchant_id, asked, Answer.of(status, kept))
        return Answer.of(status, body)


def as_text(body: Any) -> str:
    """Return the JSON text of a body."""
    return json.dumps(body, cls=AnswerEncoder, ensure_ascii=False, separators=(",", ":"))


def as_sent(body: Any) -> Any:
    """Return a body in the plain JSON values that whoever gets it reads."""
    return json.loads(as_text(body))


def keep(merchant_id: UUID, asked: Request, answer: Answer) -> None:
    """Store an answer under its key, in the current transaction."""
    IdempotencyRecord.objects.create(
        merchant_id=merchant_id, key=asked.key, operation=asked.operation, fingerprint=asked.fingerprint,
        status=answer.status, body=answer.text, created_at=timezone.now(),
    )  # fmt: skip


def forget(ids: Collection[UUID]) -> int:
    """Delete the merchant's stored answers that name one of these ids, in the open scope; returns how many.

    There is no index for it: it reads the answers of the last 30 days once, and is for what happens rarely.
    """
    named = "|".join(sorted(map(str, ids)))
    return int(IdempotencyRecord.objects.filter(body__regex=named).delete()[0]) if named else 0
