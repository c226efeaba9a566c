"""What changed for a device: the serial numbers of its passes, and the number with which it asks the next time."""

import re
from dataclasses import dataclass

from core import tenancy
from wallets.models import TagCounter

# Digits only: they come back as they were sent, whether or not the client escapes what it puts into a query.
TAG = re.compile(r"[0-9]{1,19}")
EVERYTHING = -1
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class DeviceChanges:
    """Passes that changed since a tag, and the tag of the newest of them."""

    serials: list[str]
    newest: int


def of_device(device: str, *, pass_type: str, since: str) -> DeviceChanges | None:
    """Return a device's passes with a number above `since`, None when there are none.

    A tag that is none of ours (nothing, garbage, one from the future) asks for all passes. Needs no scope.
    """
    wanted = _number(since)
    rows = tenancy.lookup("apple_changes", device, wanted)
    if not rows and wanted > _newest(pass_type):
        rows = tenancy.lookup("apple_changes", device, EVERYTHING)
    if not rows:
        return None
    return DeviceChanges(sorted(serial for serial, _tag in rows), max(tag for _serial, tag in rows))


def _number(text: str) -> int:
    if not TAG.fullmatch(text):
        return EVERYTHING
    number = int(text)
    return number if number <= LARGEST else EVERYTHING


def _newest(pass_type: str) -> int:
    """Return the last number given out. Read after the list: a tag that we gave is never above it."""
    return TagCounter.objects.filter(pk=pass_type).values_list("value", flat=True).first() or 0
