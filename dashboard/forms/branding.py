"""The merchant's name and colour."""

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms.base import Form, typed
from merchants.models.merchant import COLOUR


class BrandingForm(Form):
    """What every card of the merchant shows."""

    name = forms.CharField(
        label=_("Name on the card"), max_length=80, widget=typed(autocomplete="organization")
    )  # fmt: skip
    card_color = forms.CharField(
        label=_("Colour of the card"),
        max_length=7,
        validators=[COLOUR],
        help_text=_("Writing on it becomes white or dark, whichever reads better."),
        widget=forms.TextInput(attrs={"type": "color", "autocomplete": "off"}),
    )
