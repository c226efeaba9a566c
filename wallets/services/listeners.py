"""The devices that listen to passes, as the pushes need them: who is to be told what, who was told, who is gone.

Locks as in statements.py: passes in the order of their ids, then devices, then numbers.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from core import tenancy
from core.db import pipeline
from wallets.services import tags
from wallets.services.queue import Claimed

# Changes for one device within this time are one push.
WINDOW = timedelta(seconds=2)
# A worker whose clock is ahead must not silence a device for longer.
SKEW = timedelta(seconds=5)

LOCK_PASSES = """
    SELECT p.id, p.merchant_id, p.card_id FROM wallets_applepass p
    WHERE (p.merchant_id, p.card_id) IN (SELECT * FROM unnest(%(merchants)s::uuid[], %(cards)s::uuid[]))
    ORDER BY p.id FOR NO KEY UPDATE
"""
# Also devices that can only ask by themselves, for want of a token: the pass needs a number for them, too.
LISTENING = """
    SELECT r.id, r.apple_pass_id, r.device_id, d.push_token <> '' AS reachable, d.pushed_at, w.version, w.card_id
    FROM unnest(%(passes)s::uuid[], %(merchants)s::uuid[], %(cards)s::uuid[], %(versions)s::int[])
        AS w(pass_id, merchant_id, card_id, version)
    JOIN wallets_appledeviceregistration r ON r.merchant_id = w.merchant_id AND r.apple_pass_id = w.pass_id
    JOIN wallets_appledevice d ON d.id = r.device_id
    WHERE r.pushed_version < w.version
"""
NUMBER = """
    UPDATE wallets_applepass p SET change_tag = n.tag
    FROM unnest(%(passes)s::uuid[], %(tags)s::bigint[]) AS n(pass_id, tag) WHERE p.id = n.pass_id
"""
CLAIM_DEVICES = """
    WITH free AS (
        SELECT id FROM wallets_appledevice WHERE id = ANY (%(devices)s) AND push_token <> ''
            AND (pushed_at IS NULL OR pushed_at <= %(before)s OR pushed_at > %(ahead)s)
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE wallets_appledevice d SET pushed_at = %(at)s FROM free WHERE d.id = free.id RETURNING d.id, d.push_token
"""
LOCK = "SELECT id FROM wallets_applepass WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE"
REACHED = """
    UPDATE wallets_appledeviceregistration r SET pushed_version = GREATEST(r.pushed_version, t.version)
    FROM wallets_appledevice d,
        unnest(%(ids)s::uuid[], %(versions)s::int[], %(tokens)s::text[]) AS t(id, version, token)
    WHERE r.id = t.id AND d.id = r.device_id AND d.push_token = t.token
    RETURNING r.id
"""
PUSHED = """
    UPDATE wallets_applepass p SET pushed_version = GREATEST(p.pushed_version, d.version), pushed_at = %(at)s
    FROM unnest(%(passes)s::uuid[], %(versions)s::int[]) AS d(pass_id, version) WHERE p.id = d.pass_id
"""
LOCK_OF_DEVICE = """
    SELECT p.id FROM wallets_applepass p
    WHERE p.id IN (SELECT r.apple_pass_id FROM wallets_appledeviceregistration r WHERE r.device_id = %(device)s)
    ORDER BY p.id FOR NO KEY UPDATE
"""
STILL_THE_SAME = """
    SELECT id FROM wallets_appledevice
    WHERE id = %(device)s AND push_token = %(token)s AND (%(since)s::timestamptz IS NULL OR token_at <= %(since)s)
    FOR UPDATE
"""


@dataclass(frozen=True, slots=True)
class Listener:
    """A registration that was not told of a version of its pass."""

    registration_id: UUID
    pass_id: UUID
    card_id: UUID
    device_id: int
    version: int


def number(claimed: Sequence[Claimed], *, pass_type: str, at: datetime) -> dict[UUID, list[Listener]]:
    """Give changed passes new numbers and return, by pass, the devices to be told.

    The transaction is over, and durable, when this returns: whoever is pushed then finds the number. A pass whose
    devices were all pushed a moment ago keeps its number until it is their turn.
    """
    versions = {update.card_id: update.version for update in claimed}
    found: dict[UUID, list[Listener]] = {}
    ready: set[UUID] = set()
    with tenancy.platform(reason="wallets: number changed passes of all merchants"), connection.cursor() as cursor:
        for row_id, pass_id, device_id, reachable, pushed_at, version, card_id in _listening(claimed, versions):
            if reachable:
                found.setdefault(pass_id, []).append(Listener(row_id, pass_id, card_id, device_id, version))
            if not reachable or pushed_at is None or pushed_at <= at - WINDOW:
                ready.add(pass_id)
        if ready:
            first = tags.take(pass_type, len(ready))
            cursor.execute(NUMBER, {"passes": sorted(ready), "tags": list(range(first, first + len(ready)))})
    return found


def _listening(claimed: Sequence[Claimed], versions: Mapping[UUID, int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "merchants": [update.merchant_id for update in claimed], "cards": [update.card_id for update in claimed],
        }  # fmt: skip
        cursor.execute(LOCK_PASSES, values)
        rows = cursor.fetchall()
        passes, merchants, cards = zip(*rows, strict=True) if rows else ((), (), ())
        values = {
            "passes": list(passes), "merchants": list(merchants), "cards": list(cards),
            "versions": [versions[card] for card in cards],
        }  # fmt: skip
        cursor.execute(LISTENING, values)
        return cursor.fetchall()


def claim_devices(devices: Collection[int], *, at: datetime) -> tuple[dict[int, str], dict[int, datetime]]:
    """Take the devices that were not pushed within the window: their tokens; of the others, until when to wait."""
    if not devices:
        return {}, {}
    values: dict[str, Any] = {"devices": sorted(devices), "at": at, "before": at - WINDOW, "ahead": at + SKEW}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM_DEVICES, values)
        tokens: dict[int, str] = dict(cursor.fetchall())
        others = sorted(set(devices) - set(tokens))
        cursor.execute(
            "SELECT id, pushed_at FROM wallets_appledevice WHERE id = ANY (%s) AND push_token <> ''", [others]
        )
        busy = {row[0]: min((row[1] or at) + WINDOW, at + WINDOW) for row in cursor.fetchall()}
    return tokens, busy


def free_devices(devices: Collection[int], *, claimed_at: datetime) -> None:
    """Let devices be pushed again at once: what was claimed did not reach them."""
    if devices:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE wallets_appledevice SET pushed_at = NULL WHERE id IN (SELECT id FROM wallets_appledevice "
                "WHERE id = ANY (%s) AND pushed_at = %s ORDER BY id FOR NO KEY UPDATE)",
                [sorted(devices), claimed_at],
            )


def note_reached(told: Sequence[Listener], tokens: Mapping[int, str]) -> set[int]:
    """Note up to which version devices were told; returns those that have another token by now, or are gone."""
    if not told:
        return set()
    values: dict[str, Any] = {
        "ids": [each.registration_id for each in told], "versions": [each.version for each in told],
        "tokens": [tokens[each.device_id] for each in told],
    }  # fmt: skip
    with tenancy.platform(reason="wallets: note whom pushes reached"), pipeline() as line:
        line.run("SET LOCAL synchronous_commit = off")
        line.run(LOCK, [sorted({each.pass_id for each in told})])
        rows = line.run(REACHED, values)
    noted = {row["id"] for row in rows.all()}
    return {each.device_id for each in told if each.registration_id not in noted}


def note_pushed(versions: Mapping[UUID, int], *, at: datetime) -> None:
    """Note that all devices of passes were told of a version."""
    if versions:
        with tenancy.platform(reason="wallets: note which passes were pushed"), connection.cursor() as cursor:
            _lock(versions)
            cursor.execute(PUSHED, {"passes": list(versions), "versions": list(versions.values()), "at": at})


def forget(device_id: int, token: str, *, since: datetime | None) -> bool:
    """Take a device off all its passes because Apple no longer knows its token; False when it came back meanwhile.

    since: since when Apple does not know it; a registration after that wins.
    """
    values: dict[str, Any] = {"device": device_id, "token": token, "since": since}
    with tenancy.platform(reason="wallets: forget a device that is gone"), connection.cursor() as cursor:
        cursor.execute(LOCK_OF_DEVICE, values)
        cursor.execute(STILL_THE_SAME, values)
        if cursor.fetchone() is None:
            return False
        cursor.execute("DELETE FROM wallets_appledeviceregistration WHERE device_id = %(device)s", values)
        cursor.execute("DELETE FROM wallets_appledevice WHERE id = %(device)s", values)
    return True


def drop_tokens(tokens: Mapping[int, str]) -> None:
    """Forget tokens that Apple never gave out; the devices stay, and may ask by themselves or name another token."""
    with connection.cursor() as cursor:
        for device_id in sorted(tokens):
            cursor.execute(
                "UPDATE wallets_appledevice SET push_token = '' WHERE id = %s AND push_token = %s",
                [device_id, tokens[device_id]],
            )


def _lock(passes: Iterable[UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [sorted(passes)])
