"""Forms of merchants' own pages."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from merchants.models import User


class NewPersonForm(forms.Form):
    """What somebody without an account adds to an invitation; the address is the invitation's."""

    name = forms.CharField(
        label=_("Your name"), max_length=120,
        error_messages={"required": _("This needs a value."), "max_length": _("Use at most 120 characters.")},
        widget=forms.TextInput(attrs={"autocomplete": "name", "enterkeyhint": "next"}),
    )  # fmt: skip
    password = forms.CharField(
        label=_("Password"), strip=False, max_length=128,
        help_text=_("Ten characters or more. Three words that only you put together are good."),
        error_messages={"required": _("This needs a value."), "max_length": _("Use at most 128 characters.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "enterkeyhint": "done"}, render_value=True),
    )  # fmt: skip

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        """Hold the password against the rules, knowing address and name."""
        data = super().clean() or {}
        if data.get("password"):
            try:
                validate_password(data["password"], User(email=self.email, name=data.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return data
