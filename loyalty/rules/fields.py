"""What is wrong with a value that somebody sent: (code, sentence), or None. For services that take plain data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core.errors import ValidationFailed

Problem = tuple[str, str]


def check(data: Any, problem: Callable[[str, Any], Problem | None], *, required: Sequence[str] = ()) -> None:
    """Raise ValidationFailed that names every field that is missing or about which `problem` has something to say."""
    if not isinstance(data, Mapping):
        raise ValidationFailed.of("non_field_errors", "invalid", _("Send an object with fields."))
    errors: dict[str, list[tuple[str, str | Promise]]] = {
        name: [("required", _("This needs a value."))] for name in required if name not in data
    }
    for name, value in data.items():
        found = problem(name, value)
        if found is not None:
            errors[str(name)] = [found]
    if errors:
        raise ValidationFailed(errors)


def unknown() -> Problem:
    """Return the problem of a field that does not exist."""
    return "unknown_field", _("There is no such field.")


def null() -> Problem:
    """Return the problem of null where a value is needed."""
    return "null", _("This needs a value.")


def number(value: Any, low: int, high: int) -> Problem | None:
    """Check a whole number from low to high; true and 5.0 are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return "invalid", _("A whole number is needed.")
    if value < low or value > high:
        code = "min_value" if value < low else "max_value"
        return code, _("Choose a number from %(low)s to %(high)s.") % {"low": low, "high": high}
    return None


def text(value: Any, length: int, *, blank: bool = False) -> Problem | None:
    """Check a text of at most `length` characters around which blanks do not count."""
    if not isinstance(value, str):
        return "invalid", _("Text is needed.")
    if not value.strip() and not blank:
        return "blank", _("This needs a value.")
    if len(value.strip()) > length:
        return "max_length", _("Use at most %(length)s characters.") % {"length": length}
    if "\0" in value:
        return "null_characters_not_allowed", _("There is a character in it that cannot be stored.")
    return None


def choice(value: Any, choices: Sequence[str]) -> Problem | None:
    """Check that a text is one of the choices."""
    known = isinstance(value, str) and value in choices
    return None if known else ("invalid_choice", _("This is not one of the choices."))


def boolean(value: Any) -> Problem | None:
    """Check for true or false; 1 and "yes" are neither."""
    return None if isinstance(value, bool) else ("invalid", _("Yes or no is needed."))


def understood(value: Any, read: Callable[[Any], Any], sentence: str) -> Problem | None:
    """Check that `read` understands the value."""
    try:
        read(value)
    except (TypeError, ValueError):
        return "invalid", sentence
    return None
