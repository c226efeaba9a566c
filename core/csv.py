"""CSV that a spreadsheet opens without running anything: RFC 4180, UTF-8 with a byte order mark, formulas neutralised.

A spreadsheet takes a cell for a formula when its text begins with = + - or @; a tab or a line break in front of it, the
full-width forms and invisible characters do not help. So does whatever stands behind a semicolon where the reader's own
separator is the semicolon. Such texts get an apostrophe in front (OWASP, CSV injection). Numbers stay numbers.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse

BOM = b"\xef\xbb\xbf"
MEDIA_TYPE = "text/csv; charset=utf-8"
# About how many characters are written at once: a streamed file is never held whole.
BLOCK = 32_768
# = + - @, their full-width and small forms, and the minus sign proper.
_STARTERS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
# What a spreadsheet may skip before it looks: blanks, quotes, control and invisible characters.
_SKIPPED = "\\s\"'`\x00-\x1f\x7f-\x9f\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_FORMULA = re.compile(f"(\\A|[;|\\t\\r\\n])(?=[{_SKIPPED}]*[{_STARTERS}])|\\A(?=[\\t\\r\\n])")
_UNPRINTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def neutral(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, without the control characters that none shows."""
    return _FORMULA.sub(r"\1'", _UNPRINTED.sub("", text))


def cell(value: Any) -> str:
    """Return a value as a cell: numbers plain, times in UTC, true and false as in the API, texts neutralised."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return neutral(str(value))


def stream(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Yield a file block by block: the header, then the rows as they come."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    yield BOM
    writer.writerow(header)
    for row in rows:
        writer.writerow([cell(value) for value in row])
        if text.tell() >= BLOCK:
            yield _taken(text)
    yield _taken(text)


def response(name: str, body: Iterable[bytes]) -> StreamingHttpResponse:
    """Answer with a streamed file to keep under a name (plain letters, digits, hyphens)."""
    answer = StreamingHttpResponse(body, content_type=MEDIA_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store, private"
    answer["X-Accel-Buffering"] = "no"
    return answer


def _taken(text: io.StringIO) -> bytes:
    block = text.getvalue().encode("utf-8", "replace")
    text.seek(0)
    text.truncate()
    return block
