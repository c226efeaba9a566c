"""The merchant's name, colour and logo."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms.base import Form, typed
from dashboard.forms.pictures import picture_field, say_too_large
from merchants.models.merchant import COLOUR


def colour_field() -> forms.CharField:
    """Return the field of the card's colour; whether writing reads on it is judged by the service."""
    return forms.CharField(
        label=_("Colour of the card"),
        max_length=7,
        validators=[COLOUR],
        help_text=_("Writing on it becomes white or dark, whichever reads better."),
        widget=forms.TextInput(attrs={"type": "color", "autocomplete": "off"}),
    )


class BrandingForm(Form):
    """What every card of the merchant shows."""

    name = forms.CharField(
        label=_("Name on the card"), max_length=80, widget=typed(autocomplete="organization")
    )  # fmt: skip
    card_color = colour_field()


class LooksForm(Form):
    """The looks in the onboarding: the colour, and a logo for who has one at hand."""

    card_color = colour_field()
    image = picture_field(
        label=_("Logo"), help_text=_("PNG, JPEG or WebP, 5 MB at most. Empty margins are cut off."), required=False
    )

    def __init__(self, *args: Any, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say_too_large(self, "image", too_large)
