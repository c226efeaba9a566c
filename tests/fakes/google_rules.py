"""What Google's API takes: every body is held against Google's published description and the rules that it only tells.

Written without the product's code. Stricter than Google where Google is silent: recommended lengths are limits here,
deprecated fields and those that only the platform sets are refused.
"""

import json
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

REQUIRED = {
    "LoyaltyClass": ("id", "issuerName", "programName", "programLogo", "reviewStatus"),
    "LoyaltyObject": ("id", "classId", "state"),
    "LoyaltyPoints": ("balance", "label"),
    "LocalizedString": ("defaultValue",),
    "TranslatedString": ("language", "value"),
    "Image": ("sourceUri",),
    "ImageUri": ("uri",),
    "Barcode": ("type", "value"),
    "Uri": ("uri",),
    "TextModuleData": ("id",),
    "MerchantLocation": ("latitude", "longitude"),
    "CallbackOptions": ("url",),
}
PLATFORMS_OWN = {"hasUsers", "hasLinkedDevice", "review"}
LONGEST = {
    ("LoyaltyClass", "issuerName"): 20, ("LoyaltyClass", "programName"): 20, ("LoyaltyClass", "rewardsTier"): 7,
    ("LoyaltyClass", "accountNameLabel"): 15, ("LoyaltyClass", "accountIdLabel"): 15,
    ("LoyaltyObject", "accountName"): 20, ("LoyaltyObject", "accountId"): 20, ("LoyaltyPoints", "label"): 9,
    ("LoyaltyPointsBalance", "string"): 15, ("TextModuleData", "header"): 35, ("TextModuleData", "body"): 500,
    ("Uri", "description"): 20,
}  # fmt: skip
MOST = {"merchantLocations": 10, "textModulesData": 10, "messages": 10, "uris": 10, "valueAddedModuleData": 15}
NAME = re.compile(r"^[0-9]+\.[A-Za-z0-9._-]+$")
COLOR = re.compile(r"^#([0-9a-f]{3}|[0-9a-f]{6})$", re.IGNORECASE)
LANGUAGE = re.compile(r"^[a-z]{2,3}(-[A-Z]{2})?$")
MODULE_ID = re.compile(r"^[A-Za-z0-9_-]+$")
INSTANT = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$")
COUNTRY = re.compile(r"^[A-Z]{2}$")
RANGES = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1), "int64": (-(2**63), 2**63 - 1),
          "uint64": (0, 2**64 - 1)}  # fmt: skip
Faults = list[str]


@cache
def schemas() -> dict[str, Any]:
    """Return the schemas of Google's published description of the API."""
    folder = files("googleapiclient").joinpath("discovery_cache", "documents", "walletobjects.v1.json")
    return dict(json.loads(folder.read_text(encoding="utf-8"))["schemas"])


def faults_of(schema: str, body: Any, *, partial: bool = False) -> Faults:
    """Return what is wrong with a body, [] when nothing is; partial: a PATCH, which names only what changes."""
    found: Faults = []
    _message(schema, body, "", found, partial=partial)
    return found


def _message(schema: str, value: Any, path: str, found: Faults, *, partial: bool = False) -> None:
    if not isinstance(value, dict):
        found.append(f"{path or schema}: an object is expected")
        return
    known = schemas()[schema]["properties"]
    for key, inner in value.items():
        at = f"{path}.{key}" if path else key
        if key not in known:
            found.append(f'Unknown name "{key}" at "{path}": Cannot find field.')
        elif inner is None and partial:
            continue
        else:
            _field(schema, key, known[key], inner, at, found, partial=partial)
    if not partial:
        found += [f"{path or schema}: {key} is required" for key in REQUIRED.get(schema, ()) if not value.get(key)]
        if rule := WHOLE.get(schema):
            found += [f"{path or schema}: {fault}" for fault in rule(value)]


def _field(schema: str, key: str, spec: dict[str, Any], value: Any, at: str, found: Faults, *, partial: bool) -> None:
    if spec.get("deprecated") or key in PLATFORMS_OWN:
        found.append(f"{at}: deprecated, or set by the platform only")
    elif "$ref" in spec:
        _message(spec["$ref"], value, at, found, partial=partial)
    elif spec["type"] == "array":
        _array(key, spec["items"], value, at, found)
    else:
        found += [f"{at}: {fault}" for fault in _plain(spec, value)]
        found += [f"{at}: {fault}" for fault in _own_rules(schema, key, value)]


def _array(key: str, spec: dict[str, Any], value: Any, at: str, found: Faults) -> None:
    if not isinstance(value, list):
        found.append(f"{at}: a list is expected")
        return
    if len(value) > MOST.get(key, 1000):
        found.append(f"{at}: {len(value)} are too many")
    for number, inner in enumerate(value):
        if "$ref" in spec:
            _message(spec["$ref"], inner, f"{at}[{number}]", found)
        else:
            found += [f"{at}[{number}]: {fault}" for fault in _plain(spec, inner)]
    names = [inner.get("id") for inner in value if isinstance(inner, dict) and "id" in inner]
    if len(names) != len(set(names)):
        found.append(f"{at}: an id occurs twice")


def _plain(spec: dict[str, Any], value: Any) -> Faults:
    kind, form = spec["type"], spec.get("format")
    if "enum" in spec:
        return [] if value in spec["enum"] and "UNSPECIFIED" not in value else [f"{value!r} is no value of the enum"]
    if kind == "string":
        if not isinstance(value, str):
            return [f"a string is expected, not {value!r}"]
        return _number(value, form) if form in RANGES else []
    if kind == "boolean":
        return [] if isinstance(value, bool) else ["true or false is expected"]
    if kind == "integer":
        return _whole(value, form) if isinstance(value, int) and not isinstance(value, bool) else ["not an integer"]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return [] if kind == "number" and is_number else [f"{value!r} is no {kind}"]


def _number(value: str, form: str) -> Faults:
    return _whole(int(value), form) if re.fullmatch(r"-?[0-9]+", value) else [f"{value!r} is no {form}"]


def _whole(value: int, form: str | None) -> Faults:
    least, most = RANGES[form or "int64"]
    return [] if least <= value <= most else [f"{value} does not fit into {form}"]


def _own_rules(schema: str, key: str, value: Any) -> Faults:
    """Return the faults against what the descriptions say in words."""
    if not isinstance(value, str):
        low, high = {"latitude": (-90, 90), "longitude": (-180, 180)}.get(key, (None, None))
        return ["out of range"] if low is not None and not low <= value <= high else []
    found = []
    if not value:
        found.append("empty")
    if len(value) > LONGEST.get((schema, key), 5000):
        found.append(f"{value!r} is longer than {LONGEST[schema, key]}")
    patterns = {"hexBackgroundColor": COLOR, "language": LANGUAGE, "countryCode": COUNTRY}
    if schema in ("LoyaltyClass", "LoyaltyObject"):
        patterns |= {"id": NAME, "classId": NAME}
    if schema == "DateTime":
        patterns["date"] = INSTANT
    if schema in ("TextModuleData", "Uri"):
        patterns["id"] = MODULE_ID
    if key in patterns and not patterns[key].match(value):
        found.append(f"{value!r} has the wrong form")
    if key in ("uri", "url"):
        found += _address(schema, value)
    return found


def _address(schema: str, value: str) -> Faults:
    parts = urlsplit(value)
    if not parts.scheme or not parts.netloc:
        return [f"{value!r} is no complete address"]
    local = parts.hostname in ("127.0.0.1", "localhost", "testserver")
    if schema == "CallbackOptions" and parts.scheme != "https" and not local:
        return ["a callback goes to https only"]
    return ["a picture's address has no query"] if schema == "ImageUri" and (parts.query or parts.fragment) else []


def _balance(value: dict[str, Any]) -> Faults:
    given = [key for key in ("int", "string", "double", "money") if value.get(key) is not None]
    return [] if len(given) == 1 else [f"exactly one kind of balance is expected, not {given}"]


def _localized(value: dict[str, Any]) -> Faults:
    texts = [value.get("defaultValue") or {}, *value.get("translatedValues", [])]
    languages = [text.get("language") for text in texts]
    return [] if len(languages) == len(set(languages)) else [f"a language occurs twice: {languages}"]


def _translated_lengths(schema: str) -> Callable[[dict[str, Any]], Faults]:
    """Hold each translation of a localised text to the length of the plain one."""

    def rule(value: dict[str, Any]) -> Faults:
        found = []
        for (owner, key), most in LONGEST.items():
            text = value.get(f"localized{key[0].upper()}{key[1:]}")
            if owner == schema and isinstance(text, dict):
                values = [text.get("defaultValue") or {}, *text.get("translatedValues", [])]
                found += [
                    f"{one['value']!r} is longer than {most}" for one in values if len(one.get("value", "")) > most
                ]
        return found

    return rule


WHOLE: dict[str, Callable[[dict[str, Any]], Faults]] = {
    "LoyaltyPointsBalance": _balance,
    "LocalizedString": _localized,
    **{name: _translated_lengths(name) for name in ("LoyaltyClass", "LoyaltyPoints", "TextModuleData", "Uri")},
}
