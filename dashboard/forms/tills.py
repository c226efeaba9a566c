"""What a till sends to a manager's desk."""

import re
from typing import Any

from django import forms

from core.forms import ReasonForm

MOST = 500
# What is noted of each: no card and no customer, only which operation it was and what it was worth.
FACTS = ("key", "op", "occurred_at", "staff", "quantity", "cents")
PLAIN = re.compile(r"[\w.:+-]{0,128}")


class DiscardForm(ReasonForm):
    """Why a till's queue is thrown away, and what is in it."""

    items = forms.JSONField()

    def clean_items(self) -> list[dict[str, Any]]:
        """Take a list of plain facts."""
        items = self.cleaned_data["items"]
        if not isinstance(items, list) or not 1 <= len(items) <= MOST or not all(map(_is_plain, items)):
            raise forms.ValidationError(forms.Field.default_error_messages["required"], code="invalid")
        return items


def _is_plain(item: Any) -> bool:
    return isinstance(item, dict) and set(item) <= set(FACTS) and all(map(_is_fact, item.values()))


def _is_fact(value: Any) -> bool:
    if value is None or isinstance(value, int):
        return True
    return isinstance(value, str) and PLAIN.fullmatch(value) is not None
