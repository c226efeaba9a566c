"""Input that refuses what it does not know."""

from functools import cache
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers


class StrictSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A serializer that refuses unknown fields (code `unknown_field`) instead of ignoring a misspelt one.

    The fields of a whole body are made once for the class and language: making them anew took longer than checking the
    input. So they look at nothing but what they are given.
    """

    @cached_property
    def fields(self) -> Any:
        """The fields by name; what is a part of something, may be incomplete or has a context has its own."""
        has_own = self.root is not self or self.partial or bool(self._context)
        return _fields(self) if has_own else _fields_of(type(self), get_language())

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields together with all other errors."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        errors = {
            name: [serializers.ErrorDetail(gettext("There is no such field."), "unknown_field")] for name in unknown
        }
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **errors}) from None  # type: ignore[dict-item]
        if errors:
            raise serializers.ValidationError(errors)
        return value


def _fields(shape: StrictSerializer) -> Any:
    return serializers.Serializer.fields.func(shape)  # type: ignore[attr-defined]


@cache
def _fields_of(kind: type[StrictSerializer], language: str | None) -> Any:
    """Return the fields of a class; `language` is the one that is active, and the one of their messages."""
    fields = _fields(kind())
    for field in fields.values():
        _settle_messages(field)
    return fields


def _settle_messages(field: Any) -> None:
    """Write the messages of a field's validators out: by themselves they keep the language in which they came first."""
    for validator in field.validators:
        if getattr(validator, "message", None) is not None:
            validator.message = str(validator.message)
    parts = [field.child] if hasattr(field, "child") else []
    for part in [*parts, *getattr(field, "fields", {}).values()]:
        _settle_messages(part)


class NothingSerializer(StrictSerializer):
    """The body of a request that needs none: it may be empty, and is refused with anything in it."""


class StrictIntegerField(serializers.IntegerField):
    """A whole number: a JSON integer, not text, not a fraction, not true."""

    default_error_messages = {"invalid": _("A whole number is needed.")}

    def to_internal_value(self, data: Any) -> int:
        """Accept integers only."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class StrictCharField(serializers.CharField):
    """Text: a JSON string, without NUL."""

    def to_internal_value(self, data: Any) -> str:
        """Accept strings only."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class StrictBooleanField(serializers.BooleanField):
    """true or false, nothing that looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        """Accept booleans only."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return bool(data)


class StrictUUIDField(serializers.UUIDField):
    """An id: a JSON string that holds a UUID."""

    def to_internal_value(self, data: Any) -> Any:
        """Accept strings only."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class StrictChoiceField(serializers.ChoiceField):
    """One of the choices, as a JSON string; the refusal does not repeat what was sent."""

    default_error_messages = {"invalid_choice": _("This is not one of the choices.")}

    def to_internal_value(self, data: Any) -> Any:
        """Accept strings only."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input="")
        return super().to_internal_value(data)
