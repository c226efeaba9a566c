"""Who speaks at Apple's paths: a device proves that it holds a pass by the pass's own token."""

import hmac
import logging
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from core import tenancy
from wallets.services import erasure, sealing

logger = logging.getLogger(__name__)
SCHEME = "applepass"
NOBODY = UUID(int=0)
TOKEN = "SELECT token_sealed, erased_at FROM wallets_applepass WHERE id = %s"  # noqa: S105 - it is sealed


@dataclass(frozen=True, slots=True)
class Holder:
    """A device that holds a pass, ids only."""

    merchant_id: UUID
    pass_id: UUID


def pass_type(*, merchant_id: UUID | None = None) -> str:
    """Return the pass type of a merchant's passes, "" where there are none. Today all merchants share one."""
    return str(settings.LOYALTY_APPLE_PASS_TYPE_ID)


def prove(*, wanted_type: str, serial: str, authorization: str, at: datetime) -> Holder | None:
    """Return the holder that an Authorization header proves, None for anybody else.

    An unknown serial number takes the same steps as a wrong token: an answer tells neither by its words nor its time.
    """
    if not wanted_type or wanted_type != pass_type():
        return None
    found = tenancy.lookup("apple_pass", serial)
    merchant_id, pass_id = found[0] if found else (NOBODY, NOBODY)
    with tenancy.brief(merchant_id) as line:
        rows = line.run(TOKEN, [pass_id])
    row = rows.one()
    fits = hmac.compare_digest(_sent(authorization), _kept(row["token_sealed"] if row else ""))
    return Holder(merchant_id, pass_id) if row and fits and not erasure.has_ended(row["erased_at"], at) else None


def _sent(authorization: str) -> bytes:
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip().encode("utf-8", "replace") if scheme.lower() == SCHEME else b""


def _kept(sealed: str) -> bytes:
    """Return a pass's token; where there is none any more, or it cannot be opened, one that nobody has."""
    try:
        return sealing.open_sealed(sealed or _decoy(tuple(settings.LOYALTY_DATA_KEYS))).encode()
    except ValueError as fault:
        logger.warning("a pass's token cannot be opened: %s", fault)
        return sealing.new_token().encode()


@lru_cache(maxsize=4)
def _decoy(keys: tuple[str, ...]) -> str:
    """Return a token that opens nothing, sealed as real ones are."""
    return sealing.seal(sealing.new_token())
