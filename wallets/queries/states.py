"""Where cards live besides the web: a page of cards in one query."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection

from core import tenancy
from loyalty.extensions import WalletState

# A pass that no device holds lags behind for nobody, and so does an object that Google never accepted.
STATES = """
    SELECT c.id, COALESCE(d.devices, 0), COALESCE(g.saved, false),
        LEAST(CASE WHEN d.devices > 0 THEN a.behind_since END,
              CASE WHEN g.saved OR g.accepted_version > 0 THEN g.behind_since END)
    FROM unnest(%s::uuid[]) AS c(id)
    LEFT JOIN wallets_applepass a ON a.card_id = c.id
    LEFT JOIN wallets_googlepass g ON g.card_id = c.id
    LEFT JOIN LATERAL (
        SELECT count(*) AS devices FROM wallets_appledeviceregistration r
        WHERE r.merchant_id = a.merchant_id AND r.apple_pass_id = a.id
    ) d ON a.id IS NOT NULL
"""


def states(card_ids: Sequence[UUID]) -> Mapping[UUID, WalletState]:
    """Return the wallet state of each card. Inside the merchant's or the platform's scope."""
    tenancy.require_scope("wallets_applepass")
    with connection.cursor() as cursor:
        cursor.execute(STATES, [list(card_ids)])
        rows = cursor.fetchall()
    return {
        card_id: WalletState(apple_devices=devices, google_saved=saved, out_of_date_since=since)
        for card_id, devices, saved, since in rows
    }
