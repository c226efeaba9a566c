"""What customers type: the enrolment form and the way back to a card."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError, ValidationFailed
from customers.enums import Channel, Purpose
from customers.services import consents

Kind = consents.Kind
BOXES: Mapping[str, Kind] = {
    "service_email_consent": (Purpose.SERVICE, Channel.EMAIL),
    "marketing_email_consent": (Purpose.MARKETING, Channel.EMAIL),
}


class CustomerForm(forms.Form):
    """A form that shows a service's refusal beside the field it names, and loses nothing of what was typed."""

    def add_error(self, field: str | None, error: Any) -> None:
        """Show the error of a hidden field over the form, where it is seen."""
        hidden = field in self.fields and self.fields[field].widget.is_hidden
        super().add_error(None if hidden else field, error)

    def refuse(self, error: DomainError) -> None:
        """Show an error of a service."""
        if not isinstance(error, ValidationFailed):
            self.add_error(None, error.detail)
            return
        for field, found in error.errors.items():
            self.add_error(field if field in self.fields else None, [str(text) for _code, text in found])


class EnrollForm(CustomerForm):
    """Everything is optional: a card needs no personal data. The fields have the API's names."""

    name = forms.CharField(
        label=_("Name"), required=False, max_length=200, help_text=_("So that the team can say hello."),
        widget=forms.TextInput(attrs={"autocomplete": "name", "enterkeyhint": "next"}),
    )  # fmt: skip
    email = forms.CharField(
        label=_("E-mail"), required=False, max_length=254, help_text=_("Brings your card back if you lose your phone."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "enterkeyhint": "next"}),
    )  # fmt: skip
    phone = forms.CharField(
        label=_("Phone"), required=False, max_length=40, help_text=_("The team finds your card by it."),
        widget=forms.TextInput(
            attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel", "enterkeyhint": "done"}
        ),
    )  # fmt: skip
    birthday = forms.CharField(required=False, max_length=10, widget=forms.HiddenInput())
    language = forms.CharField(required=False, max_length=10, widget=forms.HiddenInput())
    service_email_consent = forms.BooleanField(required=False)
    marketing_email_consent = forms.BooleanField(required=False)
    form_key = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for box, kind in BOXES.items():
            self.fields[box].label = consents.TEXTS[kind]  # type: ignore[assignment]

    @property
    def contact(self) -> dict[str, Any]:
        """What was typed about the person, by the service's argument names."""
        return {field: self.cleaned_data.get(field, "") for field in ("name", "email", "phone", "birthday")}

    @property
    def consents(self) -> dict[Kind, bool]:
        """The boxes that were ticked."""
        return {kind: bool(self.cleaned_data.get(box)) for box, kind in BOXES.items()}

    @property
    def details_open(self) -> bool:
        """Whether the optional part is to be shown at once: something in it was typed or is wrong."""
        return self.is_bound and any(self.data.get(field) for field in ("name", "email", "phone", *BOXES))


class RecoverForm(CustomerForm):
    """An address; the answer never tells whether it is known."""

    email = forms.EmailField(
        label=_("E-mail"), max_length=254,
        error_messages={"invalid": _("Write an e-mail address such as marie@example.com.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "enterkeyhint": "send"}),
    )  # fmt: skip
