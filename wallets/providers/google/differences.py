"""What has to be sent so that a thing at Google becomes what it should be: only what differs, each key whole."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

Body = dict[str, Any]
# What we may have set once. Where we do not know what Google holds, these are cleared unless they are to be there.
OF_OBJECT = (
    "loyaltyPoints", "secondaryLoyaltyPoints", "accountName", "accountId", "barcode", "heroImage", "textModulesData",
    "linksModuleData", "validTimeInterval",
)  # fmt: skip
OF_CLASS = ("countryCode", "callbackOptions", "merchantLocations", "textModulesData", "linksModuleData")
NAMES = frozenset({"id", "classId"})


def difference(base: Mapping[str, Any], wanted: Mapping[str, Any], *, clearable: Iterable[str]) -> Body:
    """Return the body of a PATCH, {} when nothing differs. Arrays go whole, None clears.

    base: what Google last accepted, empty when that is not known. Where the state changes, what must not be there any
    more is cleared whether or not we remember having set it.
    """
    changes = {
        key: _whole(base.get(key), value)
        for key, value in wanted.items()
        if key not in NAMES and base.get(key) != value
    }  # fmt: skip
    gone: set[str] = {key for key in base if key not in wanted and key not in NAMES}
    if not base or "state" in changes:
        gone |= {key for key in clearable if key not in wanted}
    return {**changes, **dict.fromkeys(sorted(gone))}


def _whole(base: Any, wanted: Any) -> Any:
    """Return a value to be sent whole: what went inside it is cleared by name, as a PATCH may merge messages."""
    if not isinstance(wanted, dict) or not isinstance(base, Mapping):
        return wanted
    gone = dict.fromkeys(sorted(set(base) - set(wanted)))
    return {key: _whole(base.get(key), value) for key, value in wanted.items()} | gone


def class_difference(base: Mapping[str, Any], wanted: Mapping[str, Any]) -> Body:
    """Return the difference of a class: an approved one takes no change without being sent to review again."""
    changes = difference(base, wanted, clearable=OF_CLASS)
    return {**changes, "reviewStatus": wanted["reviewStatus"]} if changes else {}


def object_difference(base: Mapping[str, Any], wanted: Mapping[str, Any]) -> Body:
    """Return the difference of an object. With another end goes the state: at the end Google changes it by itself."""
    changes = difference(base, wanted, clearable=OF_OBJECT)
    return {**changes, "state": wanted["state"]} if "validTimeInterval" in changes else changes


def digest(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a body shows."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
