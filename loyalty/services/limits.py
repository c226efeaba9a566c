"""How often one may join or ask for the way back: limits against scripts, counted before a transaction is open."""

from uuid import UUID

from core import throttling
from core.errors import Throttled

HOUR = 3600
PER_ADDRESS = 30
PER_STORE = 600
RECOVERIES = 30


def count_enrollment(*, address: str, store_id: UUID) -> None:
    """Count one enrolment from an address and at a store; raises Throttled beyond 30 and 600 an hour."""
    hits = (
        throttling.allow(f"enroll-address:{address}", limit=PER_ADDRESS, period=HOUR),
        throttling.allow(f"enroll-store:{store_id}", limit=PER_STORE, period=HOUR),
    )
    if not all(hits):
        raise Throttled(retry_after=throttling.seconds_left(HOUR))


def count_recovery(*, address: str) -> None:
    """Count one request for the way back from an address; raises Throttled beyond 30 an hour."""
    if not throttling.allow(f"recover:{address}", limit=RECOVERIES, period=HOUR):
        raise Throttled(retry_after=throttling.seconds_left(HOUR))


def count_address(*, card_id: UUID) -> None:
    """Count one mail that a card's holder causes by typing an address; raises Throttled beyond 30 an hour."""
    if not throttling.allow(f"address:{card_id}", limit=RECOVERIES, period=HOUR):
        raise Throttled(retry_after=throttling.seconds_left(HOUR))
