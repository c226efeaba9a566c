"""What customers type: the enrolment form and the way back to a card."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.dates import MONTHS
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from core import money
from core.errors import DomainError, ValidationFailed
from customers.enums import Channel, Purpose
from customers.services import consents

Kind = consents.Kind
BOXES: Mapping[str, Kind] = {
    "service_email_consent": (Purpose.SERVICE, Channel.EMAIL),
    "marketing_email_consent": (Purpose.MARKETING, Channel.EMAIL),
}

# Why one may want it, under each box; the consent itself is the sentence beside the box.
REASONS: Mapping[Kind, Any] = {
    (Purpose.SERVICE, Channel.EMAIL): _("So that no reward is forgotten. One mail a day at most."),
    (Purpose.MARKETING, Channel.EMAIL): _("Something special now and then, from this shop only."),
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
            self.fields[box].help_text = REASONS[kind]

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


class ProfileForm(CustomerForm):
    """What the customer tells about themselves; everything may be left empty."""

    name = forms.CharField(
        label=_("Name"), required=False, max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "name", "enterkeyhint": "next"}),
    )  # fmt: skip
    email = forms.CharField(
        label=_("E-mail"), required=False, max_length=254,
        help_text=_("A new address counts once you tap the link that we send there."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "enterkeyhint": "next"}),
    )  # fmt: skip
    phone = forms.CharField(
        label=_("Phone"), required=False, max_length=40, help_text=_("The team finds your card by it."),
        widget=forms.TextInput(
            attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel", "enterkeyhint": "next"}
        ),
    )  # fmt: skip
    birth_day = forms.TypedChoiceField(
        label=_("Day"), required=False, coerce=int, empty_value=None,
        choices=[("", "–"), *((day, str(day)) for day in range(1, 32))],
        widget=forms.Select(attrs={"autocomplete": "bday-day"}),
    )  # fmt: skip
    birth_month = forms.TypedChoiceField(
        label=_("Month"), required=False, coerce=int, empty_value=None,
        choices=[("", "–"), *((number, name) for number, name in MONTHS.items())],
        widget=forms.Select(attrs={"autocomplete": "bday-month"}),
    )  # fmt: skip
    birth_year = forms.CharField(
        label=_("Year"), required=False, max_length=4,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "bday-year", "enterkeyhint": "done"}),
    )  # fmt: skip
    language = forms.ChoiceField(
        label=_("Language of mails and card"), required=False,
        choices=[(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES],
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Ask for the month where there is a day, and the other way round."""
        data = super().clean() or self.cleaned_data
        day, month, year = (data.get(f"birth_{part}") for part in ("day", "month", "year"))
        if (day or month or year) and not (day and month):
            self.add_error("birth_day" if not day else "birth_month", _("Choose day and month, or neither."))
        return data

    @property
    def changes(self) -> dict[str, str | None]:
        """What was changed, by the service's names; a field that was not touched is not in it."""
        data, touched = self.cleaned_data, set(self.changed_data)
        found: dict[str, str | None] = {
            field: data[field] for field in ("name", "email", "phone", "language") if field in touched
        }
        if touched & {"birth_day", "birth_month", "birth_year"}:
            found["birthday"] = self._birthday()
        return found

    def _birthday(self) -> str:
        data = self.cleaned_data
        if not data["birth_day"]:
            return ""
        born = f"{data['birth_month']:02}-{data['birth_day']:02}"
        return f"{data['birth_year'].strip()}-{born}" if data["birth_year"].strip() else born

    def refuse(self, error: DomainError) -> None:
        """Show what is wrong with the birthday beside its day."""
        if isinstance(error, ValidationFailed) and "birthday" in error.errors:
            self.add_error("birth_day", _("There is no such day, or it is still to come."))
            rest = {field: found for field, found in error.errors.items() if field != "birthday"}
            super().refuse(ValidationFailed(rest))
            return
        super().refuse(error)


class RecoverForm(CustomerForm):
    """An address; the answer never tells whether it is known."""

    email = forms.EmailField(
        label=_("E-mail"), max_length=254,
        error_messages={"invalid": _("Write an e-mail address such as marie@example.com.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "enterkeyhint": "send"}),
    )  # fmt: skip


class SaveForm(RecoverForm):
    """The address to which a card is saved."""

    email = forms.EmailField(
        label=_("E-mail"), max_length=254,
        error_messages={"invalid": _("Write an e-mail address such as marie@example.com.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "enterkeyhint": "send"}),
    )  # fmt: skip


class OwnDeviceForm(CustomerForm):
    """What staff type on the customer's phone; `amount` is there where a purchase is booked."""

    amount = forms.CharField(
        label=_("Amount of the purchase"), max_length=24,
        error_messages={"required": _("Enter the amount.")},
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "enterkeyhint": "next"}),
    )  # fmt: skip
    staff_pin = forms.CharField(
        label=_("PIN"), max_length=16, error_messages={"required": _("Enter your PIN.")},
        widget=forms.PasswordInput(
            attrs={
                "inputmode": "numeric", "pattern": "[0-9]*", "autocomplete": "off", "enterkeyhint": "go",
                "class": "pin-input",
            }
        ),
    )  # fmt: skip
    pass_id = forms.UUIDField(widget=forms.HiddenInput())
    form_key = forms.RegexField(regex=r"^[0-9a-f]{32}$", required=False, widget=forms.HiddenInput())
    confirm = forms.BooleanField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, currency: str, with_amount: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        if not with_amount:
            del self.fields["amount"]

    def clean_amount(self) -> int:
        """Read the amount into minor units."""
        try:
            cents = money.parse(self.cleaned_data["amount"], self.currency)
        except ValueError:
            cents = 0
        if cents < 1:
            raise forms.ValidationError(_("Write an amount such as 12.50."), code="invalid")
        return cents
