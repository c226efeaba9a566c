"""What all forms of the back office share: how a refusal of a service reaches its field."""

from typing import Any

from django import forms

from core.errors import DomainError, ValidationFailed


def show_error(form: forms.BaseForm, error: DomainError) -> None:
    """Put a refusal where it belongs: at the fields that it names, else over the form.

    A form whose field has another name than the service's argument says so in `faces`.
    """
    if not isinstance(error, ValidationFailed):
        form.add_error(None, error.detail)
        return
    faces = getattr(form, "faces", {})
    for name, problems in error.errors.items():
        field = faces.get(name, name)
        field = field if field in form.fields else None
        for code, text in problems:
            form.add_error(field, forms.ValidationError(str(text), code=code))


def numeric(**attrs: Any) -> forms.TextInput:
    """Return the input of a whole number: a number pad on phones, and no spinner that a mouse wheel turns."""
    return forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "enterkeyhint": "next", **attrs})


def typed(**attrs: Any) -> forms.TextInput:
    """Return a plain text input with what phones need to know."""
    return forms.TextInput(attrs={"autocomplete": "off", "enterkeyhint": "next", **attrs})
