"""Sign-up: five fields, the rest follows from them."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from dashboard.forms import places
from dashboard.forms.base import Form, Words, typed
from merchants.enums import Trade
from merchants.models import User


class BusinessForm(Form):
    """The business alone: for somebody who is signed in already."""

    business_name = forms.CharField(
        label=_("Name of your business"), max_length=80, widget=typed(autocomplete="organization", autofocus=True)
    )
    trade = forms.ChoiceField(label=_("What do you do?"), choices=Trade.choices, initial=Trade.CAFE)
    country = forms.ChoiceField(
        label=_("Country"), initial="LU", widget=forms.Select(attrs={"autocomplete": "country"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = places.countries()  # type: ignore[attr-defined]


class SignupForm(BusinessForm):
    """The business and its first owner."""

    words: ClassVar[dict[str, Words]] = {"email": {"invalid": _("Write an e-mail address such as marie@example.com.")}}

    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email", "enterkeyhint": "next"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=128,
        help_text=_("Ten characters or more. Three words that only you put together are good."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "enterkeyhint": "done"}, render_value=True),
    )

    field_order = ("business_name", "trade", "country", "email", "password")

    def clean(self) -> dict[str, Any]:
        """Hold the password against the rules, knowing the address."""
        data = super().clean() or {}
        if data.get("password"):
            try:
                validate_password(data["password"], User(email=data.get("email", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return data
