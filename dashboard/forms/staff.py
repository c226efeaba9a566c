"""Staff members, terminals and API keys."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms.base import Form, Words, typed
from merchants.permissions import EARN, MANAGE, READ, REDEEM
from stores.models import Store

SCOPE_CHOICES = (
    (READ, _("Look up cards and figures")),
    (EARN, _("Make cards, give stamps and points, undo its own")),
    (REDEEM, _("Hand out rewards")),
    (MANAGE, _("Change programs, rewards, staff and stores")),
)


class StaffForm(Form):
    """Somebody who works with a PIN."""

    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("A first name is enough."), widget=typed(autocomplete="off")
    )
    stores = forms.MultipleChoiceField(
        label=_("Works in"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing ticked: in all stores, new ones too."),
    )
    external_id = forms.CharField(
        label=_("Number in your own system"), max_length=64, required=False, widget=typed()
    )  # fmt: skip

    def __init__(self, *args: Any, stores: tuple[Store, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(stores) < 2:
            del self.fields["stores"]
        else:
            self.fields["stores"].choices = [(str(store.pk), store.name) for store in stores]  # type: ignore[attr-defined]


class TerminalForm(Form):
    """A device at the till that is to be paired."""

    name = forms.CharField(
        label=_("Name of the device"),
        max_length=60,
        help_text=_("Where it stands or what it is, such as “Till 1” or “Blue tablet”."),
        widget=typed(),
    )


class ApiKeyForm(Form):
    """A key for a till system or a script."""

    words: ClassVar[dict[str, Words]] = {"scopes": {"required": _("Tick at least one thing that the key may do.")}}

    name = forms.CharField(label=_("What is it for?"), max_length=60, widget=typed())
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=SCOPE_CHOICES,
        initial=[READ, EARN, REDEEM],
        widget=forms.CheckboxSelectMultiple,
    )
    store = forms.ChoiceField(label=_("In which store"), required=False)

    def __init__(self, *args: Any, stores: tuple[Store, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("In all stores")), *((store.code, store.name) for store in stores)]
        self.fields["store"].choices = choices  # type: ignore[attr-defined]
