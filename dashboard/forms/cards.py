"""Forms about cards: a new one typed by staff, search, corrections."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from dashboard.forms.base import Form, signed, typed
from dashboard.forms.programs import MoneyField
from loyalty.rules.points import MAX_POINTS


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


class AdjustForm(CorrectionForm):
    """How many stamps or points to add, or to take off with a minus; only the units that the program counts."""

    stamps_delta = forms.IntegerField(
        label=_("Stamps"), required=False, min_value=-50, max_value=50, widget=signed(),
        help_text=_("2 adds two, -2 takes two off."),
    )  # fmt: skip
    points_delta = forms.IntegerField(
        label=_("Points"), required=False, min_value=-MAX_POINTS, max_value=MAX_POINTS, widget=signed(),
        help_text=_("50 adds fifty, -50 takes fifty off."),
    )  # fmt: skip

    field_order = ("stamps_delta", "points_delta", "reason")

    def __init__(self, *args: Any, stamps: bool, points: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, counted in (("stamps_delta", stamps), ("points_delta", points)):
            if not counted:
                del self.fields[name]

    def deltas(self) -> dict[str, int]:
        """Return what to change, by the names of the service."""
        return {name: self.cleaned_data.get(name) or 0 for name in ("stamps_delta", "points_delta")}


class FreezeForm(Form):
    """Why a card rests, or goes on; customers and tills never read it."""

    reason = forms.CharField(
        label=_("Why?"),
        max_length=200,
        help_text=_("For you and your team. The customer and the till read a neutral sentence."),
        widget=typed(enterkeyhint="done"),
    )


class EraseForm(Form):
    """Why a person is erased; it is kept for good, so it must not name them."""

    reason = forms.CharField(
        label=_("Why?"),
        max_length=200,
        help_text=_("Kept for good as your proof, so name nobody: “letter of 3 May”."),
        widget=typed(enterkeyhint="done"),
    )


class OwnerForm(Form):
    """Whose own card it is: somebody of the staff, or a customer's."""

    staff = forms.ChoiceField(
        label=_("A staff member’s own card"),
        required=False,
        help_text=_("They cannot stamp it themselves."),
    )

    def __init__(self, *args: Any, people: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["staff"].choices = [("", _("No, a customer’s")), *people]  # type: ignore[attr-defined]
