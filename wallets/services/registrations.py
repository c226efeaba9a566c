"""Devices that want to hear of a pass: they register, name a new push token, and take their leave.

Locks in this order, as everywhere: the pass, the device, the queue's row, and the counter of numbers last.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from core import tenancy
from core.errors import DomainError
from wallets.enums import Priority, Provider
from wallets.models import AppleDevice, AppleDeviceRegistration, ApplePass
from wallets.services import fetches, queue, tags
from wallets.services.phones import Holder, pass_type

# Nobody has so many devices; a pass that is passed around must not cost a push to each of them for ever.
MOST_DEVICES = 100
SEEN_EVERY = timedelta(hours=1)

KEEP_DEVICE = """
    WITH known AS (SELECT push_token FROM wallets_appledevice WHERE device_library_id = %(device)s)
    INSERT INTO wallets_appledevice (device_library_id, push_token, token_at, seen_at)
    VALUES (%(device)s, %(token)s, %(at)s, %(at)s)
    ON CONFLICT (device_library_id) DO UPDATE
        SET push_token = EXCLUDED.push_token, token_at = EXCLUDED.token_at, seen_at = EXCLUDED.seen_at
    RETURNING id, COALESCE((SELECT push_token FROM known) <> %(token)s, false)
"""
NOTE_SEEN = """
    UPDATE wallets_appledevice SET seen_at = %(at)s WHERE device_library_id = %(device)s AND seen_at < %(before)s
"""


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a registration: whether it is new, and whether a push was queued."""

    created: bool
    queued: bool


def register(holder: Holder, *, device: str, push_token: str, at: datetime) -> Registered:
    """Register a device for a pass, or note its new push token.

    A new registration takes a number, so that the device's next list names the pass. Whether the device may hold an
    older pass is looked at after the commit: what changes from then on finds the registration and is pushed.
    """
    with tenancy.scope(holder.merchant_id):
        row = ApplePass.objects.select_for_update(no_key=True).get(pk=holder.pass_id)
        device_id, other_token = _keep(device, push_token, at)
        known = AppleDeviceRegistration.objects.filter(apple_pass_id=row.pk, device_id=device_id).first()
        if known is None:
            _make_room(row.pk)
            tag = tags.take(pass_type(merchant_id=holder.merchant_id), 1)
            AppleDeviceRegistration.objects.create(
                apple_pass_id=row.pk, device_id=device_id, tag=tag, registered_at=at
            )  # fmt: skip
    settled = known is not None and not other_token and known.pushed_version > 0
    if settled and row.fetched_version >= row.requested_version:
        return Registered(created=False, queued=False)
    queued = _tell(holder, device_id, compare=known is None or not other_token, at=at)
    return Registered(created=known is None, queued=queued)


def unregister(holder: Holder, *, device: str) -> bool:
    """Take a device off a pass; tells whether it was registered. A device without any pass is forgotten."""
    with tenancy.scope(holder.merchant_id):
        ApplePass.objects.select_for_update(no_key=True).get(pk=holder.pass_id)
        gone = AppleDevice.objects.select_for_update().filter(device_library_id=device).first()
        if gone is None:
            return False
        mine = AppleDeviceRegistration.objects.filter(apple_pass_id=holder.pass_id, device_id=gone.pk)
        count, _ = mine.delete()
        forget_if_alone(gone)
    return bool(count)


def note_seen(device: str, *, at: datetime) -> None:
    """Note that a device came by, at most once an hour."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE_SEEN, {"device": device, "at": at, "before": at - SEEN_EVERY})


def forget_if_alone(device: AppleDevice) -> None:
    """Delete a device that is registered for no merchant's pass; the caller holds its lock, inside a scope."""
    if not tenancy.lookup("apple_changes", device.device_library_id, -1):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM wallets_appledevice WHERE id = %s", [device.pk])


def _keep(device: str, push_token: str, at: datetime) -> tuple[int, bool]:
    """Keep the device's newest token; returns its id, and whether it had another one."""
    with connection.cursor() as cursor:
        cursor.execute(KEEP_DEVICE, {"device": device, "token": push_token, "at": at})
        found, other = cursor.fetchone()
    return int(found), bool(other)


def _make_room(pass_id: UUID) -> None:
    """Let the oldest registrations of a pass go when it has too many."""
    found = AppleDeviceRegistration.objects.filter(apple_pass_id=pass_id).order_by("-tag")
    too_many = list(found.values_list("pk", flat=True)[MOST_DEVICES - 1 :])
    if too_many:
        AppleDeviceRegistration.objects.filter(pk__in=too_many).delete()


def _tell(holder: Holder, device_id: int, *, compare: bool, at: datetime) -> bool:
    """Queue a push unless the device surely holds what the pass shows now; tells whether one was queued."""
    made = _made(holder, at) if compare else None
    with tenancy.scope(holder.merchant_id):
        row = ApplePass.objects.select_for_update(no_key=True).get(pk=holder.pass_id)
        if made is not None and row.handed_hash == made.rendered.digest:
            _is_current(row, device_id, made.version)
            return False
        # Whatever was pushed to this device before, it may not have arrived: it is told again.
        mine = AppleDeviceRegistration.objects.filter(apple_pass_id=row.pk, device_id=device_id)
        mine.update(pushed_version=0)
        queue.enqueue(
            merchant_id=holder.merchant_id, card_id=row.card_id, provider=Provider.APPLE,
            version=row.requested_version, priority=Priority.STAMP, at=at,
        )  # fmt: skip
    return True


def _made(holder: Holder, at: datetime) -> fetches.Made | None:
    """Render the pass as it is now, None when that is impossible: then the push will find out."""
    try:
        return fetches.make(merchant_id=holder.merchant_id, pass_id=holder.pass_id, at=at)
    except DomainError:
        return None


def _is_current(row: ApplePass, device_id: int, version: int) -> None:
    """Note that a device holds a version: only this one was ever handed out."""
    row.fetched_version = max(row.fetched_version, version)
    if row.fetched_version >= row.requested_version:
        row.behind_since = None
    row.save(update_fields=["fetched_version", "behind_since"])
    mine = AppleDeviceRegistration.objects.filter(apple_pass_id=row.pk, device_id=device_id)
    mine.update(pushed_version=version)
