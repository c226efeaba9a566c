"""Forms of stores' own pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from stores.rules import tokens


class PairingForm(forms.Form):
    """The code that a manager's screen shows."""

    code = forms.CharField(
        label=_("Code"), max_length=16,
        help_text=_("Eight letters and digits. A manager makes it under “Devices at the till”."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "enterkeyhint": "go",
                "autofocus": True, "translate": "no",
            }
        ),
    )  # fmt: skip

    def clean_code(self) -> str:
        """Bring the code into the form in which it was made."""
        code = tokens.clean_pairing_code(self.cleaned_data["code"])
        if len(code) != tokens.CODE_LENGTH:
            raise forms.ValidationError(_("A code has eight letters and digits."), code="length")
        return code
