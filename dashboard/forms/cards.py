"""Forms about cards: a new one typed by staff, search, corrections."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from dashboard.forms.base import Form, typed
from dashboard.forms.programs import MoneyField


class NewCardForm(Form):
    """A card made by staff. There is no box for consents: only the customer can give them."""

    name = forms.CharField(label=_("Name"), max_length=80, required=False, widget=typed(autocomplete="off"))
    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        required=False,
        help_text=_("The card is sent there, and a lost card can be found again."),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email", "enterkeyhint": "next"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=32,
        required=False,
        widget=forms.TextInput(
            attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off", "enterkeyhint": "next"}
        ),
    )
    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(self, *args: Any, default_language: str = "fr", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {"en": "English", "fr": "Français", "de": "Deutsch", "lb": "Lëtzebuergesch"}
        choices = [(code, names.get(code, code)) for code, _label in settings.LANGUAGES]
        self.fields["language"].choices = choices  # type: ignore[attr-defined]
        self.fields["language"].initial = default_language or get_language()


class CorrectionForm(Form):
    """Why something is undone. A manager has signed in for it: no PIN is asked."""

    reason = forms.CharField(
        label=_("Why?"),
        max_length=200,
        help_text=_("Stays with the card's history, for you and your team."),
        widget=typed(enterkeyhint="done"),
    )


class RefundForm(CorrectionForm):
    """How much money went back."""

    amount = MoneyField(label=_("Amount given back"))

    field_order = ("amount", "reason")

    def __init__(self, *args: Any, currency: str = "EUR", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].currency = currency  # type: ignore[attr-defined]

    def clean_amount(self) -> int:
        """Refuse nothing at all."""
        amount: int = self.cleaned_data["amount"]
        if amount == 0:
            raise forms.ValidationError(_("Write the amount that went back."), code="amount")
        return amount
