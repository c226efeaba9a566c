"""What the pipeline may have missed: passes that lag behind though nothing is under way for them, cards without one.

Each statement names (merchant, card), at most so many of a merchant, in turns among the merchants: a large one does not
use up what the others wait for. In the platform's scope.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

UNFETCHED_AFTER = timedelta(hours=24)
FAILED_AGAIN_AFTER = timedelta(hours=6)

PARTS = {
    "row": "LEFT JOIN wallets_passupdate u ON u.merchant_id = p.merchant_id AND u.card_id = p.card_id AND u.provider",
    "idle": "(u.id IS NULL OR u.state NOT IN ('queued', 'inflight'))",
    # Failed rows wait a while, so that somebody sees them; the others are queued at once.
    "lost": "(u.id IS NULL OR u.state = 'sent' OR (u.state = 'failed' AND u.settled_at <= %(failed_before)s))",
    "heard": """EXISTS (SELECT FROM wallets_appledeviceregistration r
        WHERE r.merchant_id = p.merchant_id AND r.apple_pass_id = p.id)""",
}
FAULTS: dict[str, str] = {
    # Told nobody: what was requested was never pushed to all devices, and nothing is under way.
    "apple_unpushed": """
        SELECT p.merchant_id, p.card_id FROM wallets_applepass p {row} = 'apple'
        WHERE p.pushed_version < p.requested_version AND p.behind_since IS NOT NULL AND {lost} AND {heard}""",
    # Told, and yet no device came for a day: it is told again, under a new number (pitfall 47).
    "apple_unfetched": """
        SELECT p.merchant_id, p.card_id FROM wallets_applepass p {row} = 'apple'
        WHERE p.fetched_version < p.requested_version AND p.pushed_version >= p.requested_version
            AND p.behind_since <= %(unfetched_before)s AND p.pushed_at <= %(unfetched_before)s
            AND {idle} AND {heard}""",
    "google_unaccepted": """
        SELECT p.merchant_id, p.card_id FROM wallets_googlepass p {row} = 'google'
        WHERE p.accepted_version < p.requested_version AND {lost}""",
    # A card from before there was Google here, or whose event got lost.
    "google_without": """
        SELECT p.merchant_id, p.id AS card_id FROM loyalty_card p JOIN customers_customer c
            ON c.merchant_id = p.merchant_id AND c.id = p.customer_id AND c.erased_at IS NULL
        WHERE p.status IN ('active', 'frozen') AND NOT EXISTS (SELECT FROM wallets_googlepass g
            WHERE g.merchant_id = p.merchant_id AND g.card_id = p.id)""",
}
IN_TURNS = """
    SELECT merchant_id, card_id FROM (
        SELECT merchant_id, card_id, row_number() OVER (PARTITION BY merchant_id ORDER BY card_id) AS turn
        FROM ({fault}) f
    ) t WHERE turn <= %(share)s ORDER BY turn, merchant_id LIMIT %(most)s
"""
# From a random place on, and from the beginning where the end comes before there are enough.
SAMPLE = """
    (SELECT merchant_id, card_id, object_id FROM wallets_googlepass
     WHERE id >= %(pivot)s AND accepted_version > 0 ORDER BY id LIMIT %(size)s)
    UNION ALL
    (SELECT merchant_id, card_id, object_id FROM wallets_googlepass
     WHERE id < %(pivot)s AND accepted_version > 0 ORDER BY id LIMIT %(size)s)
    LIMIT %(size)s
"""


def cards(fault: str, *, at: datetime, share: int, most: int) -> Mapping[UUID, list[UUID]]:
    """Return the cards of a fault by merchant."""
    values: dict[str, Any] = {
        "unfetched_before": at - UNFETCHED_AFTER, "failed_before": at - FAILED_AGAIN_AFTER, "share": share,
        "most": most,
    }  # fmt: skip
    found: dict[UUID, list[UUID]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(IN_TURNS.format(fault=FAULTS[fault].format(**PARTS)), values)
        for merchant_id, card_id in cursor.fetchall():
            found[merchant_id].append(card_id)
    return found


def bounds() -> tuple[UUID, UUID] | None:
    """Return the smallest and the largest id of the objects at Google, None when there are none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM wallets_googlepass ORDER BY id LIMIT 1")
        first = cursor.fetchone()
        cursor.execute("SELECT id FROM wallets_googlepass ORDER BY id DESC LIMIT 1")
        last = cursor.fetchone()
    return (first[0], last[0]) if first and last else None


def sample(pivot: UUID, size: int) -> list[tuple[UUID, UUID, str]]:
    """Return (merchant, card, object) of some objects that Google has, from a random place on."""
    with connection.cursor() as cursor:
        cursor.execute(SAMPLE, {"pivot": pivot, "size": size})
        return [(row[0], row[1], row[2]) for row in cursor.fetchall()]
