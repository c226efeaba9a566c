"""A word about what a till kept and nobody booked."""

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms.base import Form, typed
from loyalty.services.reviews import LONGEST_NOTE


class DismissForm(Form):
    """Why it is left unbooked."""

    note = forms.CharField(
        label=_("Why?"), max_length=LONGEST_NOTE, help_text=_("For you and your team."),
        widget=typed(enterkeyhint="done"),
    )  # fmt: skip
