"""A store's name, address and hours."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms import places
from dashboard.forms.base import Form, typed


class AddressForm(Form):
    """What a store is called and where it is."""

    name = forms.CharField(
        label=_("Name of the store"),
        max_length=80,
        help_text=_("What your customers call it, such as “Gare”."),
        widget=typed(),
    )
    street = forms.CharField(
        label=_("Street and number"), max_length=120, required=False, widget=typed(autocomplete="address-line1")
    )
    postal_code = forms.CharField(
        label=_("Postal code"), max_length=12, required=False, widget=typed(autocomplete="postal-code")
    )
    city = forms.CharField(label=_("Town"), max_length=80, required=False, widget=typed(autocomplete="address-level2"))


class StoreForm(AddressForm):
    """A store as customers know it."""

    country = forms.ChoiceField(label=_("Country"), widget=forms.Select(attrs={"autocomplete": "country"}))
    time_zone = forms.ChoiceField(
        label=_("Time zone"), help_text=_("Days and hours of this store follow its clock.")
    )  # fmt: skip
    day_start = forms.TimeField(
        label=_("Business day starts at"),
        required=False,
        help_text=_("A bar that closes at 3 in the morning sets 05:00. The daily limit starts anew then."),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = _with(places.countries(), self.initial.get("country"))  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = _with(places.zones(), self.initial.get("time_zone"))  # type: ignore[attr-defined]


class FirstShopForm(AddressForm):
    """The store in the onboarding, and who works there; country and clock follow from the sign-up."""

    person = forms.CharField(
        label=_("Who works at the till?"),
        max_length=60,
        help_text=_("A first name is enough. They get a PIN of their own, so that you see who gave what."),
        widget=typed(autocomplete="off"),
    )

    def __init__(self, *args: Any, has_staff: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_staff:
            del self.fields["person"]


class EditStoreForm(StoreForm):
    """A store with the switches that belong to it."""

    own_device_enabled = forms.BooleanField(
        label=_("Staff may stamp on the customer's own phone"),
        required=False,
        help_text=_("Always asks for a staff PIN. Leave it off when a terminal stands at the till."),
    )


def _with(choices: list[tuple[str, str]], value: Any) -> list[tuple[str, str]]:
    """Keep a value that came from elsewhere (API, admin) choosable: saving the form must not change it."""
    known = {code for code, _label in choices}
    if value and value not in known and (len(str(value)) == 2 or value in available_timezones()):
        return [*choices, (str(value), str(value))]
    return choices
