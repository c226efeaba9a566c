"""Forms of the ground floor."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core import audit
from core.errors import ValidationFailed


class ReasonForm(forms.Form):
    """Why an administrator does something."""

    reason = forms.CharField(
        label=_("Why"),
        max_length=audit.LONGEST,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Kept for good with your name. Name no customer here."),
    )

    def clean_reason(self) -> Any:
        """Refuse what the audit would refuse."""
        try:
            return audit.clean_reason(self.cleaned_data["reason"])
        except ValidationFailed as refusal:
            raise forms.ValidationError([str(text) for _code, text in refusal.errors["reason"]]) from refusal
