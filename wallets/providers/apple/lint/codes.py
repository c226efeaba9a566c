"""Barcodes, places, beacons, NFC and dates of a pass."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

SINCE_IOS_9 = tuple(f"PKBarcodeFormat{name}" for name in ("QR", "PDF417", "Aztec", "Code128"))
SINCE_IOS_27 = tuple(f"PKBarcodeFormat{name}" for name in ("EAN13", "Code39", "Codabar", "I2of5"))
MOST_PLACES, MOST_NFC_BYTES, MOST_UINT16 = 10, 64, 65535
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
DATES = ("expirationDate", "relevantDate")


def faults(found: dict[str, Any]) -> Iterator[str]:
    """Yield the faults of everything that a phone scans, meets or waits for."""
    yield from _barcodes(found)
    yield from _list(found, "locations", _location)
    yield from _list(found, "beacons", _beacon)
    yield from _nfc(found.get("nfc"))
    for name in DATES:
        if found.get(name) is not None and (fault := date_fault(found[name])):
            yield f"{name} {fault}"


def date_fault(value: Any) -> str:
    """Return what is wrong with a date, "" when a phone reads it the same everywhere."""
    found = DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return f"is {value!r}; it must be a date with time and offset, as 2026-12-31T23:59:59+01:00."
    if not found[3]:
        return f"is {value}, without an offset: each phone reads it in its own time zone."
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return f"is {value}, which is no date of the calendar."
    return ""


def is_number(value: Any) -> bool:
    """Tell whether a value of JSON is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _list(found: dict[str, Any], name: str, check: Any) -> Iterator[str]:
    places = found.get(name)
    if places is None:
        return
    if not isinstance(places, list):
        yield f"{name} must be a list."
        return
    if len(places) > MOST_PLACES:
        yield f"{name} has {len(places)} entries; a pass takes {MOST_PLACES} at most."
    for index, place in enumerate(places):
        fault = check(place) if isinstance(place, dict) else "must be an object."
        if fault:
            yield f"{name}[{index}] {fault}"


def _location(place: dict[str, Any]) -> str:
    for name, most in (("latitude", 90), ("longitude", 180)):
        if name not in place:
            return f"lacks {name}."
        value = place[name]
        if value is not None and (not is_number(value) or abs(value) > most):
            return f"has the {name} {value!r}; it must be a number from -{most} to {most}."
    text = place.get("relevantText", "")
    return "" if text is None or isinstance(text, str) else "has a relevantText that is no text."


def _beacon(place: dict[str, Any]) -> str:
    if not isinstance(place.get("proximityUUID"), str) or not UUID.fullmatch(place["proximityUUID"]):
        return "has no proximityUUID in the form of a UUID."
    for name in ("major", "minor"):
        value = place.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_UINT16:
            return f"has the {name} {value!r}; it must be a number from 0 to {MOST_UINT16}."
    return ""


def _barcodes(found: dict[str, Any]) -> Iterator[str]:
    if "barcode" in found and "barcodes" not in found:
        yield "The pass has only barcode, which iOS 9 replaced by barcodes."
    codes = found.get("barcodes")
    if codes is None:
        return
    if not isinstance(codes, list):
        yield "barcodes must be a list."
        return
    for index, code in enumerate(codes):
        fault = _barcode(code)
        if fault:
            yield f"barcodes[{index}] {fault}"
    formats = [code.get("format") for code in codes if isinstance(code, dict)]
    if formats and all(one in SINCE_IOS_27 for one in formats):
        yield f"barcodes has only {formats[0]}, which phones before iOS 27 do not show: add a QR code as the last."


def _barcode(code: Any) -> str:
    if not isinstance(code, dict):
        return "must be an object."
    for name in ("format", "message", "messageEncoding"):
        if name not in code:
            return f"lacks {name}."
        if code[name] is not None and not isinstance(code[name], str):
            return f"has the {name} {code[name]!r}; it must be a text."
    if code["format"] is not None and code["format"] not in (*SINCE_IOS_9, *SINCE_IOS_27):
        return f"has the unknown format {code['format']!r}."
    if not isinstance(code.get("altText", ""), str | None):
        return f"has the altText {code['altText']!r}; it must be a text."
    return _encoding(code["message"], code["messageEncoding"])


def _encoding(message: str | None, encoding: str | None) -> str:
    if message is None or encoding is None:
        return ""
    if not message:
        return "has an empty message."
    try:
        message.encode(encoding)
    except LookupError:
        return f"has the unknown messageEncoding {encoding!r}."
    except UnicodeEncodeError:
        return f"has a message that {encoding} cannot write; use utf-8."
    return ""


def _nfc(nfc: Any) -> Iterator[str]:
    if nfc is None:
        return
    message = nfc.get("message") if isinstance(nfc, dict) else None
    if not isinstance(message, str):
        yield "nfc needs a message."
    elif len(message.encode()) > MOST_NFC_BYTES:
        yield f"nfc has a message of {len(message.encode())} bytes; {MOST_NFC_BYTES} is the most."
