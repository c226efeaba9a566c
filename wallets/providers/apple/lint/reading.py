"""JSON as a phone reads it: UTF-8 without byte order mark, each key once, no NaN."""

import codecs
import json
from collections import Counter
from typing import Any


class Unreadable(Exception):
    """The bytes are not what they should be; the text says why."""


def load(name: str, data: bytes) -> dict[str, Any]:
    """Return a file's JSON object; raises Unreadable with the one reason why not."""
    if data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable(f"{name} begins with a byte order mark; it must be UTF-8 without one.")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name} is not UTF-8: byte {error.start} cannot be read.") from None
    try:
        found = json.loads(text, object_pairs_hook=lambda pairs: _object(name, pairs), parse_constant=_refuse(name))
    except json.JSONDecodeError as error:
        raise Unreadable(f"{name} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise Unreadable(f"{name} is nested too deeply.") from None
    if not isinstance(found, dict):
        raise Unreadable(f"{name} must be a JSON object.")
    return found


def _object(name: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if twice:
        raise Unreadable(f"{name} has the key {twice[0]!r} twice in one object.")
    return dict(pairs)


def _refuse(name: str) -> Any:
    def refuse(constant: str) -> None:
        raise Unreadable(f"{name} has {constant}, which is no JSON.")

    return refuse
