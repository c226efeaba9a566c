"""The nightly look at the numbers: verify_ledger's comparison, and its result where the platform's people see it."""

import logging
import time
from dataclasses import asdict
from datetime import datetime
from typing import Any

from core import tenancy
from core.audit import LEDGER_VERIFIED
from core.models import AuditEntry
from loyalty.queries import verification
from loyalty.queries.verification import Report

logger = logging.getLogger(__name__)

# Differences that are kept by name; more than this are counted.
KEPT = 50


def verify(*, at: datetime) -> Report:
    """Hold every number against the ledger, of all merchants, and write down what was found.

    The result is an audit entry `ledger_verified`: facts {at, seconds, cards, rows, differences, kept: [{kind, says,
    merchant_id, card_id, about}]}. It names ids and figures only.
    """
    began = time.monotonic()
    report = verification.verify()
    facts = {
        "at": at.isoformat(),
        "seconds": round(time.monotonic() - began, 1),
        "cards": report.cards,
        "rows": report.rows,
        "differences": len(report.differences),
        "kept": [
            {name: str(value) if value is not None else None for name, value in asdict(item).items()}
            for item in report.differences[:KEPT]
        ],
    }
    with tenancy.platform(reason="nightly verification: keep the result for the platform's people"):
        AuditEntry.objects.create(action=LEDGER_VERIFIED, target="ledger", facts=facts)
    if report.differences:
        logger.error("verify_ledger: %s differences in %s cards", len(report.differences), report.cards)
    return report


def last_result() -> dict[str, Any] | None:
    """Return the facts of the newest verification, None before the first; needs the platform's scope."""
    entry = AuditEntry.objects.filter(action=LEDGER_VERIFIED).order_by("-created_at").first()
    return dict(entry.facts) if entry is not None else None
