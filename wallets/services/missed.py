"""Changes that nobody noted: their task died with its worker, and the broker gives it back only minutes later.

The outbox knows what happened and the queue's rows know what was done since, so the two are held against each other.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from core import tenancy
from wallets.enums import Provider
from wallets.queries.providers import in_use

# A change is noted within a second; after this it is late. Several rounds look at each event.
LATE = timedelta(seconds=15)
WINDOW = timedelta(seconds=75)
MOST = 1000
# Events of all topics that are looked through, the newest: more than a busy minute has.
RECENT = 20_000

# A row that is queued, or that was claimed after the event, covers it. Where no row is, a device or Google is to hear:
# but for a card whose enrolment was noted (its version grew) before a device downloaded it, which has nothing to hear.
MISSED = """
    WITH heard AS (
        SELECT DISTINCT ON (card_id) merchant_id, card_id, why, created_at FROM (
            SELECT o.merchant_id, (o.payload->>'card_id')::uuid AS card_id, o.payload->>'why' AS why, o.created_at
            FROM (SELECT * FROM core_outboxevent ORDER BY id DESC LIMIT %(recent)s) o
            WHERE o.topic = 'card.changed' AND o.state = 'sent' AND o.created_at BETWEEN %(since)s AND %(until)s
        ) events ORDER BY card_id, created_at DESC
    )
    SELECT h.merchant_id, h.card_id, COALESCE(h.why, '') FROM heard h
    WHERE (%(apple)s AND EXISTS (
            SELECT FROM wallets_applepass p
            JOIN wallets_appledeviceregistration r ON r.merchant_id = p.merchant_id AND r.apple_pass_id = p.id
            WHERE p.card_id = h.card_id AND NOT (h.why = 'card_enrolled' AND p.requested_version > 1)
        ) AND NOT EXISTS (
            SELECT FROM wallets_passupdate u WHERE u.merchant_id = h.merchant_id AND u.card_id = h.card_id
                AND u.provider = 'apple' AND (u.state = 'queued' OR COALESCE(u.claimed_at, u.queued_at) >= h.created_at)
        )) OR (%(google)s AND NOT EXISTS (
            SELECT FROM wallets_passupdate u
            WHERE u.merchant_id = h.merchant_id AND u.card_id = h.card_id AND u.provider = 'google'
                AND (u.state = 'queued' OR COALESCE(u.claimed_at, u.queued_at) >= h.created_at)
        ) AND EXISTS (SELECT FROM loyalty_card c WHERE c.id = h.card_id AND c.status IN ('active', 'frozen')))
    LIMIT %(most)s
"""


def find(*, at: datetime) -> list[tuple[UUID, UUID, str]]:
    """Return merchant, card and reason of changes of the last minute that should have been noted by now."""
    apple, google = in_use(Provider.APPLE), in_use(Provider.GOOGLE)
    if not apple and not google:
        return []
    values: dict[str, Any] = {
        "since": at - WINDOW, "until": at - LATE, "apple": apple, "google": google, "most": MOST, "recent": RECENT,
    }  # fmt: skip
    with tenancy.platform(reason="wallets: changes of all merchants that nobody noted"), connection.cursor() as cursor:
        cursor.execute(MISSED, values)
        return cursor.fetchall()
