"""What a customer agreed to, and how that can be shown: every decision as it was recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from customers.models import Consent

MOST = 100


@dataclass(frozen=True, slots=True)
class Evidence:
    """given: what counts now and was agreed to; decisions: all of them, the newest first, up to a bound."""

    given: Sequence[Consent]
    decisions: Sequence[Consent]


def of(customer_id: UUID) -> Evidence:
    """Return a customer's decisions; inside the merchant's scope, one query."""
    decisions = list(Consent.objects.filter(customer_id=customer_id).order_by("-recorded_at", "-id")[:MOST])
    newest: dict[tuple[str, str], Consent] = {}
    for row in decisions:
        newest.setdefault((row.purpose, row.channel), row)
    return Evidence([newest[key] for key in sorted(newest) if newest[key].granted], decisions)
