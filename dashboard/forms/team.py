"""Whom to invite to the team."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms.base import Form, Words
from merchants.enums import Role

# What a role may do, in the words of whoever gives it.
ROLE_WORDS = {
    Role.OWNER: _("Owner: everything, also billing, the full export and other owners"),
    Role.MANAGER: _("Manager: cards, rewards, staff, stores and settings"),
    Role.STAFF: _("Staff: the till, cards and their own figures"),
}


class InviteForm(Form):
    """An address and a role."""

    words: ClassVar[dict[str, Words]] = {"email": {"invalid": _("Write an e-mail address such as marie@example.com.")}}

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("A link goes there that works once, for seven days."),
        widget=forms.EmailInput(
            attrs={"autocomplete": "off", "inputmode": "email", "enterkeyhint": "send", "autofocus": True}
        ),
    )
    role = forms.ChoiceField(label=_("Role"), initial=Role.MANAGER, widget=forms.RadioSelect)

    def __init__(self, *args: Any, may_invite_owners: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [role for role in Role if may_invite_owners or role != Role.OWNER]
        self.fields["role"].choices = [(role.value, ROLE_WORDS[role]) for role in offered]  # type: ignore[attr-defined]
