"""Which days of the ledger, and of which store, go into the file; the names are those of the address."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms.base import Form


class TransactionsForm(Form):
    """A period and a store."""

    store = forms.ChoiceField(label=_("Store"), required=False)

    def __init__(self, *args: Any, stores: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # "from" is no name that a class body may have.
        self.fields = {"from": _day(_("First day")), "to": _day(_("Last day")), **self.fields}
        self.fields["store"].choices = [("", _("All stores")), *stores]  # type: ignore[attr-defined]


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "off"}),
    )
