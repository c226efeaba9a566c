"""A pass is made when it is asked for, of the state that is committed then; what was handed out is noted.

Two transactions of one round trip around the rendering: none is open while pictures are drawn and the package is
signed.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core import tenancy
from core.errors import DomainError, NotFound, ServiceUnavailable
from wallets import metrics
from wallets.providers.apple.provider import APPLE
from wallets.providers.base import PassIdentity, Rendered
from wallets.providers.errors import BrokenCredential, CannotRender, NotConfigured
from wallets.queries import descriptions
from wallets.queries.readings import Reading
from wallets.services import sealing

logger = logging.getLogger(__name__)
RETRY_SECONDS = 60
MIXED = "*"
# That a device came by is worth a line when it is news: whoever asks all the time is noted now and then.
NOTE_EVERY = timedelta(minutes=1)

KNOWN = """
    SELECT id AS pass_id, serial, token_sealed, requested_version AS version, fetched_version, behind_since, fetched_at,
        content_hash, handed_hash, last_modified
    FROM wallets_applepass WHERE id = %s
"""

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
class Known:
    """A pass's row as it was before the card was read. version: what was requested by then, so at least that is shown.

    behind_since: the oldest change that no device had fetched.
    """

    pass_id: UUID
    serial: str
    token_sealed: str
    version: int
    fetched_version: int
    behind_since: datetime | None
    fetched_at: datetime | None
    content_hash: str
    handed_hash: str
    last_modified: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """A pass as it is now, and what was known of it before."""

    merchant_id: UUID
    known: Known
    rendered: Rendered

    @property
    def version(self) -> int:
        """What was requested before the pass was read."""
        return self.known.version


@dataclass(frozen=True, slots=True)
class Package:
    """What is sent to whoever asked: the .pkpass, and since when it is what it is (whole seconds)."""

    content: bytes
    last_modified: datetime


def fetch(*, merchant_id: UUID, pass_id: UUID, at: datetime, body: bool = True) -> Package:
    """Return the pass for a device that holds it; with `body` it counts as fetched up to the version it shows."""
    made = make(merchant_id=merchant_id, pass_id=pass_id, at=at)
    package = _note(made, at=at, handed=body, fetched=body)
    if body and made.known.behind_since is not None:
        metrics.fetched((at - made.known.behind_since).total_seconds())
    return package


def download(*, merchant_id: UUID, pass_id: UUID, at: datetime, body: bool = True) -> Package:
    """Return the pass for a browser: no device has it yet, so nothing counts as fetched."""
    return _note(make(merchant_id=merchant_id, pass_id=pass_id, at=at), at=at, handed=body, fetched=False)


def make(*, merchant_id: UUID, pass_id: UUID, at: datetime) -> Made:
    """Render a pass without noting anything; raises NotFound, or ServiceUnavailable when it cannot be made now."""
    with tenancy.brief(merchant_id) as line:
        # The row first: what is read after it shows at least what was requested by then.
        found = line.run(KNOWN, [pass_id])
        reading = Reading.of_pass(line, pass_id)
    row = found.one()
    card = next(iter(descriptions.described(reading, at).values()), None)
    if row is None or card is None:
        raise NotFound
    known = Known(**row)
    try:
        identity = PassIdentity(known.serial, sealing.open_sealed(known.token_sealed))
        rendered = APPLE.render(card, identity)
    except (NotConfigured, BrokenCredential, CannotRender, ValueError) as fault:
        logger.warning("pass %s cannot be made: %s", known.serial, fault)
        raise _unavailable() from fault
    return Made(merchant_id, known, rendered)


def _unavailable() -> DomainError:
    return ServiceUnavailable(retry_after=RETRY_SECONDS)


def _note(made: Made, *, at: datetime, handed: bool, fetched: bool) -> Package:
    known, digest = made.known, made.rendered.digest
    if known.last_modified is not None and not _is_news(known, digest, at=at, handed=handed, fetched=fetched):
        return Package(made.rendered.content, known.last_modified)
    values: dict[str, Any] = {
        "pass": known.pass_id, "digest": digest, "version": known.version, "at": at, "handed": handed,
        "fetched": fetched, "mixed": MIXED,
    }  # fmt: skip
    with tenancy.brief(made.merchant_id) as line:
        # What a crash forgets of this is noted again with the next fetch.
        line.run("SET LOCAL synchronous_commit = off")
        noted = line.run(NOTE, values)
    row = noted.one()
    if row is None:
        raise NotFound
    return Package(made.rendered.content, row["last_modified"])


def _is_news(known: Known, digest: str, *, at: datetime, handed: bool, fetched: bool) -> bool:
    """Tell whether the row would say something else than it does."""
    if known.content_hash != digest or (handed and known.handed_hash not in (digest, MIXED)):
        return True
    if not fetched:
        return False
    lately = known.fetched_at is not None and known.fetched_at > at - NOTE_EVERY
    return not lately or known.behind_since is not None or known.fetched_version < known.version
