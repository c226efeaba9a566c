"""Whether a provider takes what is sent with a credential: while it refuses it, nothing is sent but a probe at times.

Kept per fingerprint, so another certificate or account begins with a clean sheet.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from wallets.models import ProviderState

logger = logging.getLogger(__name__)

PROBE_EVERY = timedelta(minutes=5)
# That all is well need not be written down with every batch.
NOTE_EVERY = timedelta(minutes=1)
REASON_LENGTH = 500

BLOCK = """
    INSERT INTO wallets_providerstate AS s (provider, credential, blocked_at, reason, next_probe_at)
    VALUES (%(provider)s, %(credential)s, %(at)s, %(reason)s, %(probe)s)
    ON CONFLICT (provider, credential) DO UPDATE SET blocked_at = COALESCE(s.blocked_at, EXCLUDED.blocked_at),
        reason = EXCLUDED.reason, next_probe_at = EXCLUDED.next_probe_at
    RETURNING blocked_at = %(at)s
"""
REMARK = """
    INSERT INTO wallets_providerstate AS s (provider, credential, reason)
    VALUES (%(provider)s, %(credential)s, %(reason)s)
    ON CONFLICT (provider, credential) DO UPDATE SET reason = EXCLUDED.reason WHERE s.blocked_at IS NULL
"""
ACCEPT = """
    INSERT INTO wallets_providerstate AS s (provider, credential, reason, accepted_at)
    VALUES (%(provider)s, %(credential)s, '', %(at)s)
    ON CONFLICT (provider, credential) DO UPDATE SET accepted_at = EXCLUDED.accepted_at, blocked_at = NULL,
        next_probe_at = NULL, reason = CASE WHEN s.blocked_at IS NULL THEN s.reason ELSE '' END
    WHERE s.blocked_at IS NOT NULL OR s.accepted_at IS NULL OR s.accepted_at < %(before)s
"""
PROBE = """
    UPDATE wallets_providerstate SET next_probe_at = %(probe)s
    WHERE provider = %(provider)s AND credential = %(credential)s AND blocked_at IS NOT NULL
        AND (next_probe_at IS NULL OR next_probe_at <= %(at)s)
"""
GIVE_BACK = """
    UPDATE wallets_providerstate SET next_probe_at = %(at)s
    WHERE provider = %(provider)s AND credential = %(credential)s AND blocked_at IS NOT NULL
"""


def state_of(*, provider: str, credential: str) -> ProviderState:
    """Return what is known of a credential; an unsaved row when nothing is."""
    known = ProviderState.objects.filter(provider=str(provider), credential=credential).first()
    return known or ProviderState(provider=str(provider), credential=credential)


def may_probe(state: ProviderState, at: datetime) -> bool:
    """Tell whether it is time to try a refused credential again."""
    return state.next_probe_at is None or state.next_probe_at <= at


def take_probe(*, provider: str, credential: str, at: datetime) -> bool:
    """Take the one probe that is due; False when somebody else has it, or the credential is not refused."""
    return _run(PROBE, provider, credential, at=at, probe=at + PROBE_EVERY) == 1


def give_probe_back(*, provider: str, credential: str, at: datetime) -> None:
    """Let the next one probe at once: the probe that was taken asked nothing."""
    _run(GIVE_BACK, provider, credential, at=at)


def block(*, provider: str, credential: str, reason: str, at: datetime) -> None:
    """Note that the provider refuses a credential: nothing is sent with it until a probe succeeds."""
    _run(BLOCK, provider, credential, at=at, reason=reason[:REASON_LENGTH], probe=at + PROBE_EVERY)
    logger.error("%s refuses our credential %s: %s", provider, credential[:12], reason)


def accept(*, provider: str, credential: str, at: datetime) -> None:
    """Note that the provider took something: whatever was blocked goes on."""
    _run(ACCEPT, provider, credential, at=at, before=at - NOTE_EVERY)


def remark(*, provider: str, credential: str, reason: str) -> None:
    """Note what a provider complained of without refusing the credential; an administrator should look at it."""
    logger.error("%s complains about our credential %s: %s", provider, credential[:12], reason)
    _run(REMARK, provider, credential, reason=reason[:REASON_LENGTH])


def _run(sql: str, provider: str, credential: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"provider": str(provider), "credential": credential, **values})
        return int(cursor.rowcount)
