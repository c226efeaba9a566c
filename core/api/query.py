"""Query parameters: read strictly, a wrong one is a validation error of its name."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from core.api.parsers import UNSTORABLE
from core.errors import ValidationFailed


def text(request: Any, name: str, *, longest: int = 254) -> str:
    """Return a text without the blanks around it, "" when it is not there."""
    value = str(request.query_params.get(name, "")).strip()
    if len(value) > longest:
        raise ValidationFailed.of(name, "max_length", _("This is too long."))
    if UNSTORABLE.search(value):
        raise ValidationFailed.of(
            name, "null_characters_not_allowed", _("There is a character in it that cannot be stored.")
        )
    return value


def choice(request: Any, name: str, choices: Collection[str], default: str = "") -> str:
    """Return one of the choices, the default when there is none or it is empty."""
    value = text(request, name)
    if value and value not in choices:
        raise ValidationFailed.of(name, "invalid_choice", _("This is not one of the choices."))
    return value or default


def flag(request: Any, name: str) -> bool | None:
    """Return true or false, None when it is not there."""
    value = choice(request, name, ("true", "false"))
    return value == "true" if value else None


def identifier(request: Any, name: str) -> UUID | None:
    """Return an id, None when it is not there."""
    value = text(request, name)
    if not value:
        return None
    try:
        return UUID(value)
    except ValueError:
        raise ValidationFailed.of(name, "invalid", _("This is not an id.")) from None
