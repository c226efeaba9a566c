"""The fields of a program: what callers may send, and how the fields are shown and kept."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from loyalty.models import Program
from loyalty.rules import fields
from loyalty.rules import programs as rules
from merchants.services.fields import hard_to_read

# The fields a caller may set, by the names of the API.
FIELDS = (
    "name", "status", "loyalty_type", "stamps_target", "stamps_reward_description", "stamps_reward_valid_days",
    "full_card", "points_per_euro", "rounding", "welcome_bonus_points", "minimum_purchase_cents",
    "minimum_redemption_points", "points_expiration_days", "cooldown_minutes", "max_daily_stamps", "require_staff_pin",
    "void_window_minutes", "refund_shortfall", "card_color", "terms", "ends_on",
)  # fmt: skip
NULLABLE = frozenset({"stamps_reward_valid_days", "ends_on"})


def checked(data: Any, *, language: str, required: Sequence[str] = ()) -> dict[str, Any]:
    """Return the values by the names of the columns; terms sent as plain text are those in `language`.

    Raises ValidationFailed that names every field that is unknown, missing, of the wrong type or out of range.
    """
    fields.check(data, _problem, required=required)
    values: dict[str, Any] = {}
    for name, value in data.items():
        values |= _columns(name, value, language)
    return values


def problems(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong, as a sentence by field, without raising: for forms that have more to say."""
    found = {name: _problem(name, value) for name, value in data.items()}
    return {name: problem[1] for name, problem in found.items() if problem is not None}


def shown(program: Program) -> dict[str, Any]:
    """Return the fields as plain JSON values, by the names and in the form of the API."""
    values = {name: getattr(program, name) for name in FIELDS if name != "points_per_euro"}
    values["points_per_euro"] = rules.show_rate(program.points_per_euro_num, program.points_per_euro_den)
    values["ends_on"] = program.ends_on.isoformat() if program.ends_on else None
    return values


def snapshot(program: Program) -> dict[str, Any]:
    """Return the rules as a program's version keeps them: plain JSON by the names of the columns."""
    values = shown(program)
    del values["points_per_euro"]
    values["points_per_euro_num"] = program.points_per_euro_num
    values["points_per_euro_den"] = program.points_per_euro_den
    values["currency"] = program.currency
    return values


def _columns(name: str, value: Any, language: str) -> dict[str, Any]:
    if name == "points_per_euro":
        rate = rules.parse_rate(value)
        return {"points_per_euro_num": rate.numerator, "points_per_euro_den": rate.denominator}
    if name == "ends_on" and isinstance(value, str):
        return {name: date.fromisoformat(value)}
    if name == "terms" and isinstance(value, str):
        return {name: {language: value.strip()}}
    return {name: value.strip() if isinstance(value, str) else value}


def _problem(name: str, value: Any) -> fields.Problem | None:
    """Return (code, sentence) when the field cannot hold the value."""
    if name not in FIELDS:
        return fields.unknown()
    if value is None:
        return None if name in NULLABLE else fields.null()
    if name in rules.LIMITS:
        return fields.number(value, *rules.LIMITS[name])
    if name in rules.LENGTHS:
        return fields.text(value, rules.LENGTHS[name])
    if name in rules.CHOICES:
        return fields.choice(value, rules.CHOICES[name])
    return SPECIAL[name](value)


def _rate(value: Any) -> fields.Problem | None:
    sentence = _("Write a number such as 10 or 0.1, or a fraction such as 1/50.")
    return fields.understood(value, rules.parse_rate, sentence)


def _colour(value: Any) -> fields.Problem | None:
    if isinstance(value, str) and (not value or rules.COLOUR.fullmatch(value)):
        return hard_to_read(value)
    return "invalid", _("Write a colour as # and six digits, such as #5A2D1A.")


def _date(value: Any) -> fields.Problem | None:
    if isinstance(value, date):
        return None
    return fields.understood(value, date.fromisoformat, _("Write a date such as 2027-01-31."))


def _terms(value: Any) -> fields.Problem | None:
    texts = value if isinstance(value, dict) else {settings.LANGUAGE_CODE: value}
    if not set(texts) <= set(dict(settings.LANGUAGES)):
        return "invalid", _("Write the terms by language: en, fr, de, lb.")
    problems = (fields.text(text, rules.TERMS_LENGTH, blank=True) for text in texts.values())
    return next((problem for problem in problems if problem is not None), None)


SPECIAL = {
    "points_per_euro": _rate,
    "require_staff_pin": fields.boolean,
    "card_color": _colour,
    "terms": _terms,
    "ends_on": _date,
}
