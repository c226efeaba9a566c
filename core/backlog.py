"""What Prometheus is told of the outbox and of the nightly check of the ledger, at a cost that has a limit."""

from collections.abc import Iterator

from django.db import connection
from prometheus_client.core import GaugeMetricFamily

from core import tenancy
from core.audit import LEDGER_VERIFIED

# More rows of a state are not counted: the figure then says "at least".
MOST = 20_000
PATIENCE = "2s"
STATES = ("queued", "inflight", "failed")
# Each branch reads one partial index; events that were delivered, which are nearly all, are not touched.
COUNTED = """
    SELECT '{state}' AS state, count(*), COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - min(created_at)), 0)
    FROM (SELECT created_at FROM core_outboxevent WHERE state = '{state}' LIMIT {most}) AS open_rows
"""
VERIFIED = """
    SELECT EXTRACT(EPOCH FROM clock_timestamp() - created_at), COALESCE((facts ->> 'differences')::int, 0)
    FROM core_auditentry WHERE action = %s ORDER BY created_at DESC LIMIT 1
"""


def measure_outbox() -> Iterator[GaugeMetricFamily]:
    """Yield the open events by state, and the age of the oldest."""
    counted = _open()
    rows = GaugeMetricFamily("outbox_rows", f"Events by state (counting ends at {MOST}).", labels=["state"])
    for state in STATES:
        rows.add_metric([state], counted[state][0])
    age = max(counted["queued"][1], counted["inflight"][1])
    yield rows
    yield GaugeMetricFamily("outbox_age_seconds", "How long the oldest open event waits; 0 when none does.", value=age)


def measure_ledger() -> Iterator[GaugeMetricFamily]:
    """Yield how long ago the ledger was verified and what was found; nothing where it never was."""
    verified = _verified()
    if verified is not None:
        seconds, differences = verified
        yield GaugeMetricFamily("ledger_verified_age_seconds", "Since all balances were last verified.", value=seconds)
        yield GaugeMetricFamily("ledger_differences", "What the last verification found.", value=differences)


def _open() -> dict[str, tuple[int, float]]:
    parts = [COUNTED.format(state=state, most=MOST) for state in STATES]
    with tenancy.platform(reason="core: measure the outbox of all merchants"), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE}'")
        cursor.execute(" UNION ALL ".join(parts))
        return {str(state): (int(number), float(age)) for state, number, age in cursor.fetchall()}


def _verified() -> tuple[float, float] | None:
    with tenancy.platform(reason="core: when all ledgers were last verified"), connection.cursor() as cursor:
        cursor.execute(VERIFIED, [LEDGER_VERIFIED])
        row = cursor.fetchone()
    return (float(row[0]), float(row[1])) if row is not None else None
