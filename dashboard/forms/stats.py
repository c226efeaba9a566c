"""Which days the statistics show; the names are those of the address."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms.base import Form


class PeriodForm(Form):
    """The first and the last day."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # "from" is no name that a class body may have.
        self.fields = {"from": _day(_("First day")), "to": _day(_("Last day"))}


def _day(label: Any) -> forms.CharField:
    """Return a field that a browser gives a calendar; what is wrong with it is said by the query that reads it."""
    return forms.CharField(
        label=label,
        required=False,
        max_length=40,
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "off"}),
    )
