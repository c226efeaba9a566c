"""The fields of a pass: each with a key of its own, and values that a phone can format."""

import re
from collections.abc import Iterator
from typing import Any

from wallets.providers.apple.lint import codes

GROUPS = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")
MOST = {"headerFields": 3, "primaryFields": 1}
BESIDE_MOST = 4
CHANGES_MOST = 2
PLACEHOLDER = "%@"
ALIGNMENTS = tuple(f"PKTextAlignment{name}" for name in ("Left", "Center", "Right", "Natural"))
NUMBERS = tuple(f"PKNumberStyle{name}" for name in ("Decimal", "Percent", "Scientific", "SpellOut"))
TIMES = tuple(f"PKDateStyle{name}" for name in ("None", "Short", "Medium", "Long", "Full"))
DETECTED = tuple(f"PKDataDetectorType{name}" for name in ("PhoneNumber", "Link", "Address", "CalendarEvent"))
TAG = re.compile(r"</?\s*([a-zA-Z][a-zA-Z0-9]*)")
WITH_STRIP = ("storeCard", "coupon")
CHOICES = {"textAlignment": ALIGNMENTS, "numberStyle": NUMBERS, "dateStyle": TIMES, "timeStyle": TIMES}
TEXTS = ("label", "changeMessage", "attributedValue", "currencyCode")


def faults(style: Any, name: str) -> Iterator[str]:
    """Yield the faults of a style's fields; name: the style."""
    if not isinstance(style, dict):
        if style is not None:
            yield f"{name} must be an object."
        return
    seen: dict[str, str] = {}
    announced = []
    for path, field in _each(style, name):
        if isinstance(field, str):
            yield field
            continue
        key = field.get("key")
        if isinstance(key, str) and key in seen:
            yield f"{path} has the key {key!r}, which {seen[key]} has already."
        elif isinstance(key, str):
            seen[key] = path
        if "changeMessage" in field:
            announced.append(key)
        fault = _field(field)
        if fault:
            yield f"{path} {fault}"
    if len(announced) > CHANGES_MOST:
        yield f"{len(announced)} fields have a changeMessage; when several change the phone shows a general text."
    yield from _room(style, name)


def _each(style: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Yield each field with its path, or the fault that stands in its place."""
    for group in GROUPS:
        fields = style.get(group)
        if fields is None:
            continue
        if not isinstance(fields, list):
            yield group, f"{name}.{group} must be a list."
            continue
        for index, field in enumerate(fields):
            path = f"{group}[{index}]"
            if field is not None:
                yield path, field if isinstance(field, dict) else f"{path} must be an object."


def _field(field: dict[str, Any]) -> str:
    """Return the first thing that is wrong with a field, "" when it is well."""
    for name in ("key", "value"):
        if name not in field:
            return f"lacks {name}."
    if field["key"] is not None and (not isinstance(field["key"], str) or not field["key"]):
        return f"has the key {field['key']!r}; it must be a text."
    if isinstance(field["value"], bool | dict | list):
        return f"has the value {field['value']!r}; it must be a text or a number."
    for name in TEXTS:
        if not isinstance(field.get(name, ""), str | None):
            return f"has the {name} {field[name]!r}; it must be a text."
    for name, known in CHOICES.items():
        if field.get(name) is not None and field[name] not in known:
            return f"has the unknown {name} {field[name]!r}."
    return _announcement(field) or _format(field) or _links(field)


def _announcement(field: dict[str, Any]) -> str:
    message = field.get("changeMessage")
    if message is None or PLACEHOLDER in message:
        return ""
    return f"has a changeMessage without {PLACEHOLDER}: the phone would not say what changed."


def _format(field: dict[str, Any]) -> str:
    value = field["value"]
    if "currencyCode" in field and "numberStyle" in field:
        return "has currencyCode and numberStyle; only one of them is read."
    for name in ("currencyCode", "numberStyle"):
        if name in field and value is not None and not codes.is_number(value):
            return f"has {name}, but its value {value!r} is no number."
    dated = [name for name in ("dateStyle", "timeStyle") if name in field]
    fault = codes.date_fault(value) if dated and value is not None else ""
    return f"has {dated[0]}, and its value {fault}" if fault else ""


def _links(field: dict[str, Any]) -> str:
    tags = {tag.lower() for tag in TAG.findall(field.get("attributedValue") or "")} - {"a"}
    if tags:
        return f"has <{min(tags)}> in attributedValue; only links (<a>) are shown."
    detectors = field.get("dataDetectorTypes")
    if detectors is None:
        return ""
    unknown = [one for one in detectors if one not in DETECTED] if isinstance(detectors, list) else [detectors]
    return f"has the unknown dataDetectorTypes {unknown[0]!r}." if unknown else ""


def _room(style: dict[str, Any], name: str) -> Iterator[str]:
    counts = {group: len(style[group]) for group in GROUPS if isinstance(style.get(group), list)}
    for group, most in MOST.items():
        if name in WITH_STRIP and counts.get(group, 0) > most:
            yield f"{name}.{group} has {counts[group]} fields; there is room for {most}."
    beside = counts.get("secondaryFields", 0) + counts.get("auxiliaryFields", 0)
    if name in WITH_STRIP and beside > BESIDE_MOST:
        yield f"secondaryFields and auxiliaryFields have {beside} fields together; there is room for {BESIDE_MOST}."
