"""The API's JSON reader: exact numbers, and nothing in it that a later step could trip over."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import IO, Any, NoReturn

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import BaseParser

from core.errors import DomainError, ValidationFailed

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_DIGITS = 60
# NUL, which PostgreSQL cannot store, and halves of surrogate pairs, which UTF-8 cannot write.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
WHOLE_BODY = "non_field_errors"


class RequestTooLarge(DomainError):
    """The body is larger than anything the API takes."""

    code, status, keep = "request_too_large", 413, False
    message = _("This is too much at once.")


class ExactJSONParser(BaseParser):
    """Reads JSON of at most 1 MB. A number with a point or an exponent becomes a Decimal of its very text.

    Refused as validation_error: what is not UTF-8 or not JSON, NaN and Infinity, a name given twice in one object, more
    than 20 levels, numbers of more than 60 digits, NUL and halves of surrogate pairs (with the field's name).
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:  # fmt: skip
        """Read the body; raises ValidationFailed or RequestTooLarge."""
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise RequestTooLarge
        return self.read(raw)

    def read(self, raw: bytes) -> Any:
        """Return what the bytes say."""
        return loads(raw)


class PatientJSONParser(ExactJSONParser):
    """As above, but leaves it to the view to look for what cannot be stored (require_storable), part by part."""

    def read(self, raw: bytes) -> Any:
        """Return what the bytes say."""
        return _read(raw)


def loads(raw: bytes) -> Any:
    """Read JSON as ExactJSONParser does."""
    value = _read(raw)
    require_storable(value)
    return value


def require_storable(value: Any) -> None:
    """Raise ValidationFailed, with the field's name, where a text cannot be stored."""
    for path, _depth, text in _strings(value):
        if not is_storable(text):
            _refuse("null_characters_not_allowed", _("There is a character in it that cannot be stored."), path)


def is_storable(text: str) -> bool:
    """Tell whether a text can be stored and written."""
    return UNSTORABLE.search(text) is None


def _read(raw: bytes) -> Any:
    try:
        value = json.loads(
            raw.decode("utf-8"), parse_float=_decimal, parse_int=_integer, parse_constant=_no_number,
            object_pairs_hook=_object,
        )  # fmt: skip
    except RecursionError:
        _refuse("too_deep", _("This is nested too deeply."))
    except (ValueError, UnicodeDecodeError):
        _refuse("invalid_json", _("This is not JSON that can be read."))
    if any(depth > MAX_DEPTH for _path, depth, _text in _strings(value)):
        _refuse("too_deep", _("This is nested too deeply."))
    return value


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    # An exponent of nine digits would be written out in full by the first sum made with it.
    if len(text) > MAX_DIGITS or abs(number.adjusted()) > MAX_DIGITS:
        _refuse("number_too_large", _("A number in it is out of range."))
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        _refuse("number_too_large", _("A number in it is out of range."))
    return int(text)


def _no_number(_text: str) -> NoReturn:
    _refuse("invalid_json", _("This is not JSON that can be read."))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("duplicate_name", _("A name in it is given twice."))
    return found


def _strings(value: Any) -> Iterator[tuple[str, int, str]]:
    """Yield (path, depth, text) of every name and text, without recursion; a bad name is told by its parent's path."""
    waiting: list[tuple[str, int, Any]] = [("", 0, value)]
    while waiting:
        path, depth, item = waiting.pop()
        if isinstance(item, str):
            yield path or WHOLE_BODY, depth, item
        elif isinstance(item, dict):
            for name, inner in item.items():
                yield path or WHOLE_BODY, depth, name
                waiting.append((f"{path}.{name}" if path else name, depth + 1, inner))
        elif isinstance(item, list):
            if depth > MAX_DEPTH:
                yield path or WHOLE_BODY, depth, ""
            waiting += [(f"{path}.{index}" if path else "", depth + 1, inner) for index, inner in enumerate(item)]


def _refuse(code: str, text: str | Promise, field: str = WHOLE_BODY) -> NoReturn:
    raise ValidationFailed.of(field, code, text)
