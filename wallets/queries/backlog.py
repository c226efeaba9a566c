"""How much waits for the wallets' providers, and since when: read for Prometheus, at a cost that has a limit."""

from collections.abc import Iterator

from django.db import connection
from prometheus_client.core import GaugeMetricFamily

from core import tenancy

# More than so many rows of a queue and state are not counted: the figure then says "at least".
MOST = 200_000
PATIENCE = "2s"
# Each branch reads one partial index of the queue; the settled rows, which are nearly all, are not touched.
COUNTED = """
    SELECT '{queue}' AS queue, '{state}' AS state, count(*) AS rows,
        COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - min(queued_at)), 0) AS age
    FROM (SELECT queued_at FROM {table} WHERE {condition} LIMIT {most}) AS open_rows
"""
QUEUES = {
    "apple": ("wallets_passupdate", "provider = 'apple' AND "),
    "google": ("wallets_passupdate", "provider = 'google' AND "),
    "google_class": ("wallets_googleclass", ""),
}
STATES = ("queued", "inflight", "failed")
BLOCKED = "SELECT provider, count(*) FILTER (WHERE blocked_at IS NOT NULL) FROM wallets_providerstate GROUP BY provider"


def measure() -> Iterator[GaugeMetricFamily]:
    """Yield the open rows and the age of each queue, and whether a provider refuses our credential."""
    counted, blocked = _read()
    rows = GaugeMetricFamily(
        "wallet_queue_rows", f"Rows of a queue by state (counting ends at {MOST}).", labels=["queue", "state"]
    )
    age = GaugeMetricFamily(
        "wallet_queue_age_seconds", "How long the oldest open row of a queue waits; 0 when none does.", labels=["queue"]
    )
    stopped = GaugeMetricFamily(
        "wallet_provider_blocked", "Credentials that a provider refuses at present.", labels=["provider"]
    )
    for (queue, state), (number, _) in counted.items():
        rows.add_metric([queue, state], number)
    for queue in QUEUES:
        age.add_metric([queue], max(counted[queue, "queued"][1], counted[queue, "inflight"][1]))
    for provider in ("apple", "google"):
        stopped.add_metric([provider], blocked.get(provider, 0))
    yield from (rows, age, stopped)


def _read() -> tuple[dict[tuple[str, str], tuple[int, float]], dict[str, int]]:
    with tenancy.platform(reason="wallets: measure the queues of all merchants"), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE}'")
        cursor.execute(_question())
        counted = {(row[0], row[1]): (int(row[2]), float(row[3])) for row in cursor.fetchall()}
        cursor.execute(BLOCKED)
        return counted, {str(provider): int(number) for provider, number in cursor.fetchall()}


def _question() -> str:
    parts = [
        COUNTED.format(queue=queue, state=state, table=table, condition=f"{condition}state = '{state}'", most=MOST)
        for queue, (table, condition) in QUEUES.items()
        for state in STATES
    ]
    return " UNION ALL ".join(parts)
