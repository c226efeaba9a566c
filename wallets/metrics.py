"""What Prometheus is told of passes: pushes by their result, and how long a change took to arrive.

Only counting: no database, no provider, so every layer may import it. `queries/backlog.py` reads the queue.
"""

from prometheus_client import Counter, Histogram

from wallets.enums import Provider

# A change should arrive within two seconds; behind an outage it takes a minute, and a phone may be off for days.
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 3600.0, 86400.0)
RESULTS = frozenset({"accepted", "retry", "gone", "refused", "blocked"})
PUSHES = Counter(
    "wallet_pushes", "Pushes to devices (apple) and requests about objects (google) by result.", ["provider", "result"]
)
FETCH_LAG = Histogram("wallet_fetch_lag_seconds", "From a change until a device fetched it (Apple).", buckets=BUCKETS)
ACCEPT_LAG = Histogram("wallet_accept_lag_seconds", "From a change until Google accepted it.", buckets=BUCKETS)
# Made at once, so that a rate starts at zero instead of at nothing.
for _provider in Provider.values:
    for _result in sorted(RESULTS):
        PUSHES.labels(_provider, _result)


def pushed(provider: str, result: str) -> None:
    """Count one push and its result, a word of wallets.providers.base.Verdict; anything else counts as "other"."""
    PUSHES.labels(str(provider), str(result) if str(result) in RESULTS else "other").inc()


def fetched(seconds: float) -> None:
    """Note how old the oldest change was that a device has now fetched (ApplePass.behind_since → fetch)."""
    FETCH_LAG.observe(max(seconds, 0.0))


def accepted(seconds: float) -> None:
    """Note how old the oldest change was that Google has now accepted (GooglePass.behind_since → accepted)."""
    ACCEPT_LAG.observe(max(seconds, 0.0))
