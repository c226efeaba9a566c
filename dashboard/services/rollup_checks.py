"""Holds rollups against the ledger: what differs is logged, written to the audit, and counted anew."""

import logging
import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from core import audit, tenancy
from dashboard.models import RollupState
from dashboard.queries import recount, rollup_differences
from dashboard.queries.recount import Days
from dashboard.queries.rollup_differences import Difference
from dashboard.services import rollups
from merchants.models import Merchant

logger = logging.getLogger(__name__)

REASON = "rollups: a sample of merchants whose statistics are held against the ledger"
MERCHANTS_A_NIGHT, DAYS_OF_EACH = 200, 12
FARTHEST = 400
SHOWN = 20


def differences(*, merchant_id: UUID, days: Days, at: datetime) -> list[Difference]:
    """Return where a merchant's rollups differ from the ledger, after what was due is counted.

    What came in while we looked is no difference: the next refresh will count it.
    """
    rollups.refresh(merchant_id=merchant_id, at=at)
    with tenancy.scope(merchant_id):
        found = rollup_differences.find(merchant_id, days)
        if not found:
            return []
        state = RollupState.objects.get()
        moving = set(recount.dirty_days(merchant_id, state.covered_until))
        return [item for item in found if item.day not in moving]


def check(*, merchant_id: UUID, days: Sequence[date], at: datetime) -> list[Difference]:
    """Compare some business days of a merchant; log, audit and repair what differs."""
    found = differences(merchant_id=merchant_id, days=days, at=at)
    if not found:
        return []
    says = [f"{item.day} {item.rollup} {item.says}" for item in found]
    logger.error("rollups of merchant %s differ from the ledger: %s", merchant_id, "; ".join(says[:SHOWN]))
    wrong = sorted({item.day for item in found})
    rollups.recount_days(merchant_id=merchant_id, days=wrong, at=at)
    with tenancy.scope(merchant_id):
        audit.note(
            merchant_id=merchant_id, actor_id=None, action="rollups_checked", target=f"{len(wrong)} days",
            reason="The statistics differed from the ledger and were counted anew.",
            facts={"days": [day.isoformat() for day in wrong], "differences": says[:SHOWN]},
        )  # fmt: skip
    return found


def check_sample(*, at: datetime, chance: random.Random | None = None) -> int:
    """Check some days of some merchants, drawn by lot, the last three days always; returns how many differences."""
    drawn = chance or random.Random()  # noqa: S311 - a sample, no secret
    with tenancy.platform(reason=REASON):
        known = list(Merchant.objects.order_by("pk").values_list("pk", flat=True))
    total = 0
    for merchant_id in drawn.sample(known, min(MERCHANTS_A_NIGHT, len(known))):
        backs = {0, 1, 2, *(drawn.randrange(FARTHEST) for _ in range(DAYS_OF_EACH))}
        days = [at.date() - timedelta(days=back) for back in sorted(backs)]
        total += len(check(merchant_id=merchant_id, days=days, at=at))
    return total
