"""How many may join: limits that keep a script from filling a merchant's list, counted before anything is written."""

from uuid import UUID

from core import throttling
from core.errors import Throttled

HOUR = 3600
PER_ADDRESS = 30
PER_STORE = 600


def count_enrollment(*, address: str, store_id: UUID) -> None:
    """Count one enrolment from an address and at a store; raises Throttled beyond 30 and 600 an hour."""
    hits = (
        throttling.allow(f"enroll-address:{address}", limit=PER_ADDRESS, period=HOUR),
        throttling.allow(f"enroll-store:{store_id}", limit=PER_STORE, period=HOUR),
    )
    if not all(hits):
        raise Throttled(retry_after=throttling.seconds_left(HOUR))
