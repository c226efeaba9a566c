"""A pass is made when it is asked for, of the state that is committed then; what was handed out is noted.

Two short transactions around the rendering: none is open while pictures are drawn and the package is signed.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from core import tenancy
from core.errors import DomainError, NotFound, ServiceUnavailable
from wallets import metrics
from wallets.models import ApplePass
from wallets.providers.apple.provider import APPLE
from wallets.providers.base import PassIdentity, Rendered
from wallets.providers.errors import BrokenCredential, CannotRender, NotConfigured
from wallets.queries import descriptions
from wallets.services import sealing

logger = logging.getLogger(__name__)
RETRY_SECONDS = 60
MIXED = "*"

# Last-Modified has whole seconds. It grows whenever the content is another one, also twice in a second, so that equal
# dates mean equal passes, whatever it was that changed.
NOTE = """
    UPDATE wallets_applepass SET
        last_modified = CASE WHEN content_hash = %(digest)s AND last_modified IS NOT NULL THEN last_modified
            ELSE GREATEST(date_trunc('second', %(at)s::timestamptz), last_modified + interval '1 second') END,
        content_hash = %(digest)s,
        handed_hash = CASE WHEN NOT %(handed)s THEN handed_hash
            WHEN handed_hash IN ('', %(digest)s) THEN %(digest)s ELSE %(mixed)s END,
        fetched_version = CASE WHEN %(fetched)s THEN GREATEST(fetched_version, %(version)s) ELSE fetched_version END,
        fetched_at = CASE WHEN %(fetched)s THEN %(at)s ELSE fetched_at END,
        behind_since = CASE WHEN %(fetched)s AND GREATEST(fetched_version, %(version)s) >= requested_version THEN NULL
            ELSE behind_since END
    WHERE id = %(pass)s
    RETURNING last_modified
"""


@dataclass(frozen=True, slots=True)
class Made:
    """A pass as it is now. version: what was requested before it was read, so at least that is on it.

    behind_since: the oldest change that no device had fetched then.
    """

    merchant_id: UUID
    pass_id: UUID
    version: int
    rendered: Rendered
    behind_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """What is sent to whoever asked: the .pkpass, and since when it is what it is (whole seconds)."""

    content: bytes
    last_modified: datetime


def fetch(*, merchant_id: UUID, pass_id: UUID, at: datetime, body: bool = True) -> Package:
    """Return the pass for a device that holds it; with `body` it counts as fetched up to the version it shows."""
    made = make(merchant_id=merchant_id, pass_id=pass_id, at=at)
    package = _note(made, at=at, handed=body, fetched=body)
    if body and made.behind_since is not None:
        metrics.fetched((at - made.behind_since).total_seconds())
    return package


def download(*, merchant_id: UUID, pass_id: UUID, at: datetime, body: bool = True) -> Package:
    """Return the pass for a browser: no device has it yet, so nothing counts as fetched."""
    return _note(make(merchant_id=merchant_id, pass_id=pass_id, at=at), at=at, handed=body, fetched=False)


def make(*, merchant_id: UUID, pass_id: UUID, at: datetime) -> Made:
    """Render a pass without noting anything; raises NotFound, or ServiceUnavailable when it cannot be made now."""
    with tenancy.scope(merchant_id):
        row = ApplePass.objects.filter(pk=pass_id).first()
        card = descriptions.describe(row.card_id, at) if row is not None else None
    if row is None or card is None:
        raise NotFound
    try:
        identity = PassIdentity(row.serial, sealing.open_sealed(row.token_sealed))
        rendered = APPLE.render(card, identity)
    except (NotConfigured, BrokenCredential, CannotRender, ValueError) as fault:
        logger.warning("pass %s cannot be made: %s", row.serial, fault)
        raise _unavailable() from fault
    return Made(merchant_id, pass_id, row.requested_version, rendered, row.behind_since)


def _unavailable() -> DomainError:
    return ServiceUnavailable(retry_after=RETRY_SECONDS)


def _note(made: Made, *, at: datetime, handed: bool, fetched: bool) -> Package:
    values: dict[str, Any] = {
        "pass": made.pass_id, "digest": made.rendered.digest, "version": made.version, "at": at, "handed": handed,
        "fetched": fetched, "mixed": MIXED,
    }  # fmt: skip
    with tenancy.scope(made.merchant_id), connection.cursor() as cursor:
        cursor.execute(NOTE, values)
        found = cursor.fetchone()
    if found is None:
        raise NotFound
    return Package(made.rendered.content, found[0])
