"""What all forms of the back office share: their words for what is wrong, and the way of a refusal to its field."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError, ValidationFailed

Words = dict[str, Any]
WORDS: Words = {"required": _("This needs a value."), "invalid_choice": _("Choose one of the list.")}
WORDS_BY_KIND: tuple[tuple[type[forms.Field], Words], ...] = (
    (forms.IntegerField, {"invalid": _("Write a whole number.")}),
    (forms.DecimalField, {"invalid": _("Write a number, such as 5 or 4.50.")}),
    (forms.DateField, {"invalid": _("Write a date, such as 2027-01-31.")}),
    (forms.TimeField, {"invalid": _("Write a time, such as 05:00.")}),
)


class Form(forms.Form):
    """A form that speaks as the product does.

    `faces`: a service's name of a field, where it differs from ours. `words`: what a field says by itself.
    """

    faces: ClassVar[dict[str, str]] = {}
    words: ClassVar[dict[str, Words]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            kind = next((words for kind, words in WORDS_BY_KIND if isinstance(field, kind)), {})
            field.error_messages = {**field.error_messages, **WORDS, **kind, **self.words.get(name, {})}
            field.validators = [_worded(rule, field) for rule in field.validators]


def _worded(rule: Callable[[Any], None], field: forms.Field) -> Callable[[Any], None]:
    """Return a validator that says its limit in our words; a new one, since forms share theirs."""
    if isinstance(rule, MaxLengthValidator):
        return MaxLengthValidator(rule.limit_value, _("Use at most %(limit_value)s characters."))
    if isinstance(rule, (MinValueValidator, MaxValueValidator)):
        low, high = (getattr(field, name, None) for name in ("min_value", "max_value"))
        if low is not None and high is not None:
            text = gettext("Choose a number from %(low)s to %(high)s.") % {"low": low, "high": high}
            return type(rule)(rule.limit_value, text)
    return rule


def show_error(form: forms.BaseForm, error: DomainError) -> None:
    """Put a refusal where it belongs: at the fields that it names, else over the form."""
    if not isinstance(error, ValidationFailed):
        form.add_error(None, error.detail)
        return
    faces = getattr(form, "faces", {})
    for name, problems in error.errors.items():
        field = faces.get(name, name)
        for code, text in problems:
            form.add_error(field if field in form.fields else None, forms.ValidationError(str(text), code=code))


def numeric(**attrs: Any) -> forms.TextInput:
    """Return the input of a whole number: a number pad on phones, and no spinner that a mouse wheel turns."""
    return forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "enterkeyhint": "next", **attrs})


def signed(**attrs: Any) -> forms.TextInput:
    """Return the input of a whole number that may have a minus, which the number pads of some phones lack."""
    return forms.TextInput(attrs={"inputmode": "text", "autocomplete": "off", "enterkeyhint": "next", **attrs})


def typed(**attrs: Any) -> forms.TextInput:
    """Return a plain text input with what phones need to know."""
    return forms.TextInput(attrs={"autocomplete": "off", "enterkeyhint": "next", **attrs})
