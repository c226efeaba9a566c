"""What devices report: the only word from their side, sent by anybody, so it is cut, cleaned and forgotten again."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from wallets.models import DeviceLog

MOST_MESSAGES = 20
LENGTH = 500
KEPT = timedelta(days=30)
MOST_ROWS = 100_000
STEP = 5_000

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# A device has no reason to report the token, and we have none to keep it.
TOKEN = re.compile(r"(ApplePass\s+|authenticationToken\W+)[\w\-+/=]+", re.IGNORECASE)
# "… (pass type pass.org.example, serial number 9fT…, …)", or as the end of an address.
SERIAL = re.compile(r"(?:serial(?: ?number)?\W{1,4}|/)([A-Za-z0-9_-]{20,40})(?![A-Za-z0-9_-])", re.IGNORECASE)

OLD = """
    DELETE FROM wallets_devicelog WHERE id IN (
        SELECT id FROM wallets_devicelog WHERE received_at < %(before)s OR id <= %(last)s ORDER BY id LIMIT %(step)s)
"""


def keep(messages: Sequence[Any], *, at: datetime) -> int:
    """Keep the first messages of a report; returns how many. What is no text is left out."""
    texts = [clean(text) for text in messages[:MOST_MESSAGES] if isinstance(text, str)]
    rows = [DeviceLog(received_at=at, message=text, serial=serial_in(text)) for text in texts if text]
    DeviceLog.objects.bulk_create(rows)
    return len(rows)


def clean(text: str) -> str:
    """Return a message on one line, without control characters and tokens, at its greatest length."""
    flat = CONTROL.sub(" ", text[: LENGTH * 4])
    return TOKEN.sub(r"\1…", flat).strip()[:LENGTH]


def serial_in(text: str) -> str:
    """Return the serial number that a message is about, "" when it names none."""
    found = SERIAL.search(text)
    return found[1] if found else ""


def purge(*, at: datetime) -> int:
    """Delete messages after a month, and the oldest ones when there are too many; returns how many went."""
    newest = DeviceLog.objects.order_by("-id").values_list("id", flat=True)[MOST_ROWS : MOST_ROWS + 1]
    values: dict[str, Any] = {"before": at - KEPT, "last": next(iter(newest), 0), "step": STEP}
    gone = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(OLD, values)
            count = cursor.rowcount
        gone += count
        if count < STEP:
            return gone
